"""The sections of docs/results.md on the reference systems."""

from collections.abc import Iterator
from pathlib import Path

from studies.systems import SYSTEMS, full_size_page, named, written
from studies.systems.store import Store
from studies.systems.study import Study
from studies.systems.tables import standard
from voxsphere.core.files import read_text


def sections(stored: Path) -> Iterator[str]:
    """A section a system, of what lies in `stored`; one that has not been run says so in a line.

    `NAME/note.md` holds what the figures say of the system's claims.
    """
    head = stored / "head.md"
    if head.exists():
        yield f"\n{read_text(head).strip()}"
    for name, title in SYSTEMS.items():
        yield f"\n### {title}\n"
        if not written(name) or Store(stored / name).figures is None:
            yield f"This system's study has not been run (`python -m studies.systems run {name}`)."
        else:
            yield of_study(named(name), Store(stored / name))
            note = stored / name / "note.md"
            yield from [f"\n{read_text(note).strip()}"] if note.exists() else []
    yield from full_size_page.section(stored / "full_size.json")


def of_study(study: Study, store: Store) -> str:
    """What a system's section says: its own, or the usual tables."""
    return study.section(store) if study.section is not None else standard(study, store)
