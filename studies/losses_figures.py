"""Figures of the study of losses: EERs averaged over seeds, their intervals, and differences of the same trials."""

from collections.abc import Mapping

from studies.bootstrap import Arrays, Drawn, Sides, of_trials
from voxsphere.core.trials import Trials
from voxsphere.evaluate.speakers import speakers_of
from voxsphere.metrics.detection import eer_of


def draw(
    trials: Trials, speaker_of: Mapping[str, str], scores: Mapping[str, Arrays], *, replicates: int = 1000
) -> Drawn:
    """The EER of each loss, the mean of its seeds; see `bootstrap.of_trials`."""
    enrol, test, _ = speakers_of(trials, speaker_of)
    return of_trials(Sides(enrol, test), scores, {"eer": eer_of}, replicates=replicates)["eer"]
