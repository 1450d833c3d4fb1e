"""The system's own input form of the corpus, made once."""

import shutil

from studies.store import alone
from studies.systems.place import Place
from studies.systems.study import Study


def prepare(study: Study, place: Place, *, again: bool = False) -> None:
    """Make the input form, if it is not whole, or `again`; what a broken preparation left is removed."""
    whole = place.form.with_suffix(".whole")
    with alone(place.runs):
        if whole.exists() and not again:
            return
        whole.unlink(missing_ok=True)
        shutil.rmtree(place.form, ignore_errors=True)
        study.prepare(place)
        whole.touch()
