"""How a run that learnt known speakers names them in recordings it did not learn from, and the page's section on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.data.training_set import TrainingSet
from voxsphere.evaluate.identification import Identified, identify
from voxsphere.evaluate.page import Html, interval, paragraph, table
from voxsphere.metrics.confidence import LEAST_SPEAKERS
from voxsphere.train.classifier import PARTS_TOLD, classifier_of
from voxsphere.train.posteriors import way_of
from voxsphere.train.recipe import Recipe

DECISIONS = "held_out.decisions.tsv"


def name_known(
    recipe: Recipe, folder: Path, data: TrainingSet, *, progress: Callable[[int], None] = lambda done: None
) -> Identified:
    """Let the run's network and head name the speaker of each held-out recording, and keep what they said."""
    classifier = classifier_of(folder)
    by = way_of(classifier.model, getattr(recipe.validation(), "by", "auto"))
    decisions, failures = classifier.decide(data.held_out, by=by, progress=progress)
    if not len(decisions):
        raise BadInput(f"none of the {len(data.held_out)} held-out recordings can be judged; {failures[0][1]}")
    speaker_of = data.held_out.speaker_of()
    decisions.save(folder / DECISIONS, speaker_of=speaker_of)
    return identify(decisions, speaker_of, parts=PARTS_TOLD[by])


def measured(found: Identified) -> str:
    """The result in a card's words."""
    ends = found.top1.interval if found.speakers >= LEAST_SPEAKERS else None
    between = "" if ends is None else f" (95 % interval {100 * ends[0]:.1f} to {100 * ends[1]:.1f})"
    return (
        f"names the speaker rightly in {100 * found.top1.value:.1f} %{between} of {found.utterances} other utterances "
        f"of the {found.speakers} speakers it learnt"
    )


def naming(found: Identified) -> Iterator[Html]:
    """The figures on a page, and who is taken for whom."""
    rows = [
        (label, interval(figure.value, figure.interval))
        for label, figure in (("the likeliest is right", found.top1), ("among the five likeliest", found.top5))
    ]
    yield table(("", "share of recordings, 95 % interval"), rows, numbers=(1,))
    yield paragraph(f"{found.note}. Every decision: {DECISIONS} of the run's folder.", note=True)
    if found.confused:
        yield paragraph("Who is taken for whom most often:")
        yield table(("speaker", "taken for", "recordings"), list(found.confused), numbers=(2,))
    yield paragraph(
        Html(
            "These recordings taught the model nothing, but their speakers did: the figures tell nothing of speakers "
            "it does not know. <code>voxsphere identify MANIFEST --run RUN</code> names those of other recordings."
        ),
        note=True,
    )
