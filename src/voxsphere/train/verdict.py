"""Is a model better than the one it was begun from? Both on the same held-out trials, answered in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from voxsphere.core.scores import Scores
from voxsphere.evaluate.comparison import Comparison, compare
from voxsphere.evaluate.page import Html, interval, paragraph, section, table
from voxsphere.evaluate.results import Results, evaluate
from voxsphere.metrics.confidence import LEAST_SPEAKERS


@dataclass(frozen=True)
class Verdict:
    """The answer: `results` of the model, `other` those of the model it was begun from, and the paired comparison.

    `name` is the other's; `decided` what these held-out speakers decided of the training, which flatters the new model;
    `known` says that the other is known to have learnt none of them.
    """

    name: str
    results: Results
    other: Results
    comparison: Comparison
    decided: tuple[str, ...] = ()
    known: bool = True

    @property
    def answer(self) -> Literal["better", "worse", "not shown better"]:
        """What the interval of the difference allows to say: nothing, on fewer than `LEAST_SPEAKERS` speakers."""
        said = self.comparison.verdict
        return "not shown better" if said == "not shown different" else said

    @property
    def words(self) -> str:
        """The answer as a sentence without its full stop."""
        found = self.comparison
        rates = f"{100 * found.eer:.2f} % instead of {100 * found.other_eer:.2f} %"
        if found.interval is None:
            return f"not shown better than {self.name}: {rates} EER, on too few speakers ({found.speakers}) to say"
        low, high = (100 * end for end in found.interval)
        gain, half = 100 * found.difference, (high - low) / 2
        if self.answer == "not shown better":
            return (
                f"not shown better than {self.name}: {rates} EER, a gain of {gain:.2f} points ({low:.2f} to {high:.2f})"
            )
        sign = 1 if self.answer == "better" else -1
        ends = sorted((sign * low, sign * high))
        return (
            f"{self.answer} than {self.name} by {sign * gain:.2f} ± {half:.2f} points EER ({ends[0]:.2f} to "
            f"{ends[1]:.2f}): {rates}"
        )

    @property
    def basis(self) -> str:
        """What the answer rests on."""
        found = self.comparison
        rests = f"{self.results.trials:,} trials of {found.speakers} held-out speakers, the same for both; " + (
            f"an interval takes {LEAST_SPEAKERS} or more"
            if found.interval is None
            else f"95 % interval of the difference: {found.replicates} paired bootstrap replicates over speakers"
        )
        if not self.known:
            rests = f"{rests}; it is not known whether {self.name} heard them when it was trained"
        if self.decided:
            return f"{rests}; they also decided {' and '.join(self.decided)}, which flatters the new model"
        return f"{rests}; they decided nothing of the training"

    @property
    def advice(self) -> str:
        """What to do where the model is not better; "" where it is."""
        if self.answer == "better":
            return ""
        keep = f"Stay with {self.name}."
        if self.comparison.interval is None:
            return (
                f"{keep} To see whether it is better, hold out {LEAST_SPEAKERS} speakers or more (--set "
                f"data.held_out={LEAST_SPEAKERS}), or give more speakers."
            )
        if self.answer == "worse":
            return (
                f"{keep} So much was unlearnt: let less of it learn (--freeze encoder), lower the rate (--set "
                "learning_rate.peak=…), or give it more speakers."
            )
        return (
            f"{keep} To see smaller differences, hold out more speakers (--set data.held_out=…); to learn more, give "
            "more speakers or recordings."
        )

    def interval_of(self, results: Results) -> tuple[float, float] | None:
        """The EER's interval of one of the two; None where there are too few speakers for one that means something."""
        return None if self.comparison.interval is None else results.eer.interval

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON values; rates and the difference are fractions."""
        return {
            "answer": self.answer,
            "words": self.words,
            "advice": self.advice,
            "basis": self.basis,
            "against": self.name,
            "eer": self.results.eer.value,
            "eer_interval": _listed(self.interval_of(self.results)),
            "against_eer": self.other.eer.value,
            "against_eer_interval": _listed(self.interval_of(self.other)),
            "difference": self.comparison.difference,
            "difference_interval": _listed(self.comparison.interval),
            "speakers": self.comparison.speakers,
            "replicates": self.comparison.replicates,
            "decided": list(self.decided),
            "known_unheard": self.known,
        }


def verdict(
    scores: Scores,
    other: Scores,
    *,
    name: str,
    speaker_of: Mapping[str, str],
    decided: tuple[str, ...] = (),
    known: bool = True,
) -> Verdict:
    """Judge a model's scores beside those of the model `name`, of the same trials."""
    results, others = (evaluate(each, speaker_of=speaker_of) for each in (scores, other))
    return Verdict(name, results, others, compare(scores, other, speaker_of=speaker_of), decided, known)


def decided_by_held_out(recipe: Mapping[str, Any]) -> tuple[str, ...]:
    """What a run of this recipe, as JSON, lets the figures of held-out speakers decide."""
    rate = recipe["learning_rate"]
    asked = {
        "which epoch to keep": recipe["keep"] == "best",
        "when to stop": recipe["stopping"] is not None,
        "the learning rate": isinstance(rate, dict) and rate["part"] == "Plateau",
    }
    return tuple(what for what, did in asked.items() if did)


def decided_in(recipe: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[str, ...]:
    """The same of a run with this data.json, which tells of the stages before it, too."""
    start = data.get("start")
    earlier = start.get("decided", ()) if isinstance(start, dict) else ()
    return (*decided_by_held_out(recipe), *earlier)


def verdict_section(said: Verdict) -> Html:
    """The verdict on a page."""
    rows = [
        (name, interval(found.eer.value, said.interval_of(found)))
        for name, found in (("this model", said.results), (said.name, said.other))
    ]
    return section(
        f"Better than {said.name}?",
        paragraph(f"This model is {said.words}."),
        table(("", "EER, 95 % interval"), rows, numbers=(1,)),
        *([paragraph(said.advice)] if said.advice else []),
        paragraph(f"{said.basis[0].upper()}{said.basis[1:]}.", note=True),
    )


def _listed(ends: tuple[float, float] | None) -> list[float] | None:
    return None if ends is None else list(ends)
