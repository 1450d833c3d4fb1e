"""The page docs/losses.md: what each loss is, from its class, and what it is worth, from the study's stored figures."""

import inspect
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from studies.losses_catalogue import FAMILIES, REFERENCE, ROWS
from studies.losses_drawing import svg
from studies.losses_pictures import picture
from studies.losses_runs import (
    EPOCHS,
    HEARD,
    PILOT_EPOCHS,
    RATES,
    SECONDS,
    SEEDS,
    SPEAKERS,
    UTTERANCES,
)
from studies.losses_store import Store, best_rate, ranking
from voxsphere.core.files import read_json, read_text
from voxsphere.core.parts import describe

STORED = Path("studies/outputs/losses")
SPEED = Path("studies/outputs/loss_speed.json")
PAGE = Path("docs/losses.md")
PICTURES = Path("docs/losses")
_MADE_OF = {row.name: row.made_of for row in ROWS}
_METRIC = {row.name for row in ROWS if row.objective.func.__name__ == "Metric"}


def files() -> dict[Path, str]:
    """Every file of the page and its content: the page, and a picture a loss."""
    drawn = {each: found for family in FAMILIES.values() for each in family if (found := picture(each))}
    made = {PICTURES / f"{each.__name__}.svg": svg(found) for each, found in drawn.items()}
    said = {each: found.said for each, found in drawn.items()}
    return {PAGE: "\n".join(_page(said)) + "\n", **made}


def _page(said: dict[type, str]) -> Iterator[str]:
    yield read_text(STORED / "head.md").strip()
    if (STORED / "figures.json").exists():
        yield from _measured(Store(STORED), read_json(STORED / "figures.json"))
    if (STORED / "eval.json").exists():
        yield from _evaluated(read_json(STORED / "eval.json"))
    yield from _timed(read_json(SPEED))
    for heading, family in FAMILIES.items():
        yield f"\n## {heading}"
        legends: set[str] = set()
        for each in family:
            # What holds for the pictures of a family is said below its first one.
            yield from _described(each, None if said.get(each) in legends else said.get(each), drawn=each in said)
            legends |= {said[each]} if each in said else set()


def _measured(store: Store, figures: dict[str, Any]) -> Iterator[str]:
    runs, losses, counts = store.runs, figures["losses"], figures["counts"]
    order = ranking(figures, list(_MADE_OF))
    yield "\n## Which to take\n"
    yield from _advice(figures, order)
    yield from _budget(runs, counts, figures["replicates"])
    yield "\n| loss | made of | rate | EER % | less the EER of " + REFERENCE + ", points | ms a step |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for name in order:
        told = losses[name]
        cells = (
            name if told["seeds"] == len(SEEDS) else f"{name} (of {told['seeds']} seeds)",
            _code(_MADE_OF[name]),
            f"{best_rate(runs[name]):g}",
            _rate(told),
            _apart(told),
            _cost(runs[name]),
        )
        yield f"| {' | '.join(cells)} |"
    for name in (each for each in losses if each not in _MADE_OF):
        yield f"| *{name}* | – | – | {_rate(losses[name])} | {_apart(losses[name])} | – |"
    if broken := [name for name in _MADE_OF if name in runs and name not in order]:
        yield f"\nNo run went to its end at any rate: {_listed(broken)}."


def _advice(figures: dict[str, Any], order: Sequence[str]) -> Iterator[str]:
    """What the figures say, and nothing that the intervals do not bear."""
    losses, best = figures["losses"], figures["best"]
    tied = [name for name in order if name != best and losses[name]["to_best"][1] <= 0]
    yield f"The lowest EER is that of `{best}`, {_rate(losses[best])} %."
    yield f"Not shown to be worse, the whole interval of the difference not above 0: {_listed(tied)}.\n"
    apart = {name: losses[name]["to_reference"] for name in order if name != REFERENCE}
    better = [name for name, told in apart.items() if told and told[2] < 0]
    worse = [name for name, told in apart.items() if told and told[1] > 0]
    even = [name for name in apart if name not in (*better, *worse)]
    yield f"Beside `{REFERENCE}`, with which the recipes train:\n"
    for what, names in (("shown better", better), ("not shown different", even), ("shown worse", worse)):
        yield f"- {what}: {_listed(names)}."
    if better:
        yield f"\nTake `{better[0]}`: of those shown better than `{REFERENCE}` it is the lowest."
    else:
        yield f"\nNothing is shown better than `{REFERENCE}`: take it, or for another reason one of its equals."
    if metric := [name for name in order if name in _METRIC]:
        verdicts = {"shown better than": better, "shown worse than": worse, "not shown different from": even}
        verdict = next(words for words, names in verdicts.items() if metric[0] in names)
        yield f"Of those without classes, `{metric[0]}` is the lowest, {verdict} `{REFERENCE}`."
    yield (
        f"Each of these {len(apart)} differences has a 95 % interval of its own: by chance alone, about one in twenty "
        "of equal losses seems different; and the lowest of all is flattered by having been chosen."
    )


def _budget(runs: dict[str, Any], counts: dict[str, int], replicates: int) -> Iterator[str]:
    of_seeds = [told for run in runs.values() for told in run.get("seeds", {}).values()]
    steps = next((told["steps"] for told in of_seeds if "steps" in told), 0)
    rates = " and ".join(f"{rate:g}" for rate in RATES)
    yield (
        "\nOne network (ECAPA-TDNN of 128 channels over pairs of frames of 40 mel bands, studies/losses_runs.py), and "
        f"for every loss the same {steps} steps ({EPOCHS} epochs) of {SPEAKERS} speakers × {UTTERANCES} utterances × "
        f"{SECONDS:g} s on one thread, Adam with a cosine rate, the norm of the gradient at most 5, no augmentation, "
        f"the options at their defaults but for what *made of* says. {len(SEEDS)} seeds decide the network's first "
        "weights and what each step hears, the same for all losses. Learnt from are the train speakers of the "
        f"development corpus with two utterances or more; the peak rate of each loss is the better of {rates} in runs "
        f"of {PILOT_EPOCHS} epochs with another seed, judged by another draw of held-out speakers, some of whom "
        "judge here, too: they chose between two rates, and nothing else.\n"
    )
    yield (
        f"*EER*: the mean of the seeds on {counts['trials']:,} trials ({counts['targets']:,} targets) of "
        f"{counts['speakers']} train speakers held out, by cosine of the first {HEARD:g} s, with a 95 % interval: "
        f"percentiles of {replicates} replicates of speakers and seeds drawn anew. Three seeds vary less than all "
        "would: the intervals are narrow rather than wide. *Less the EER of*: the paired difference, under the same "
        "draws. *ms a step*: CPU time of a whole training step, loading included, the median of the seeds. The "
        "command: `python -m studies.losses run`."
    )


def _evaluated(told: dict[str, Any]) -> Iterator[str]:
    yield "\n## The best five on the evaluation lists\n"
    yield (
        "Chosen by the table above, and scored once, afterwards: EER in % on the trial lists of the corpus, whose "
        "speakers nobody learnt from and nothing was chosen by; the mean of the seeds, with its interval as above "
        "(`python -m studies.losses eval`).\n"
    )
    yield f"| list | trials | speakers | {' | '.join(told['best'])} |"
    yield f"| --- | ---: | ---: |{' ---: |' * len(told['best'])}"
    for key, found in told["lists"].items():
        cells = " | ".join(_rate(found["losses"][name]) for name in told["best"])
        yield f"| {key} | {found['trials']:,} | {found['speakers']} | {cells} |"


def _timed(told: dict[str, Any]) -> Iterator[str]:
    yield "\n## Speed\n"
    yield (
        "A loss and its gradient, to the embeddings and to the class weights, beside others': AAM over 18,000 classes, "
        "256 embeddings of 192 dimensions; GE2E and angular prototypical on speakers × utterances of 512 dimensions. "
        "Medians in milliseconds and the median of the ratios, in turns in one process of a 2-core virtual machine at "
        "work with other things, too, on one thread / on two; both find the same loss within 2e-7 "
        "(`python -m studies.loss_speed run`).\n"
    )
    yield "| loss | beside | ours, ms | theirs, ms | times as fast |"
    yield "| --- | --- | ---: | ---: | ---: |"
    for name, rows in told.items():
        threads = [found for key, found in rows.items() if key.startswith("threads")]
        loss, _, other = name.partition(", ")
        beside = {"wespeaker": "WeSpeaker", "speechbrain": "SpeechBrain"}.get(other, f"voxceleb_trainer, {other}")
        if all("ratio" in each for each in threads):
            cells = (" / ".join(f"{each[key]:g}" for each in threads) for key in ("ours_ms", "theirs_ms", "ratio"))
            yield f"| {loss} | {beside} | {' | '.join(cells)} |"
    many = told["aam, 100000 classes"]
    seconds = " / ".join(f"{many[key]['ours_ms'] / 1000:.1f}" for key in ("threads 1", "threads 2"))
    yield (
        f"\nAAM over 100,000 classes takes {seconds} s a step, and the whole process at most {many['peak_gib']:g} GiB "
        "(`python -m studies.loss_speed many 100000`)."
    )


def _described(each: type, legend: str | None, *, drawn: bool) -> Iterator[str]:
    yield f"\n### {each.__name__}\n"
    for paragraph in (inspect.getdoc(each) or "").split("\n\n"):
        yield f"{_markdown(paragraph)}\n"
    if options := _options(each):
        yield f"Options: {options}."
    if drawn:
        yield f"\n![{each.__name__}](losses/{each.__name__}.svg)"
    if legend is not None:
        yield f"\n*{_markdown(legend)}*"


def _options(each: type) -> str:
    """The options and their defaults, as the signature has them."""
    known = [p for p in inspect.signature(each).parameters.values() if p.kind is p.KEYWORD_ONLY]
    return ", ".join(f"`{p.name}`" if p.default is p.empty else f"`{p.name}` = {_value(p.default)}" for p in known)


def _value(default: Any) -> str:
    value = describe(default)
    words = {True: "yes", False: "no", None: "none"}
    if value is None or isinstance(value, bool):
        return words[value]
    if isinstance(value, float):
        return f"{value:g}"
    return str(value["part"]) if isinstance(value, dict) else str(value)


def _markdown(text: str) -> str:
    """A paragraph of a docstring; lines that were broken early, as equations are, stay lines."""
    lines = text.splitlines()
    broken = [line + ("  " if len(line) < 85 and place + 1 < len(lines) else "") for place, line in enumerate(lines)]
    pieces = re.split(r"(`[^`]*`)", "\n".join(broken))
    return "".join(piece if piece.startswith("`") else re.sub(r"([*_<|\\])", r"\\\1", piece) for piece in pieces)


def _code(text: str) -> str:
    return f"`{text}`"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_code, names)) or "none"


def _rate(told: dict[str, Any]) -> str:
    low, high = told["interval"]
    return f"{100 * told['eer']:.1f} ({100 * low:.1f}–{100 * high:.1f})"


def _apart(told: dict[str, Any]) -> str:
    if not told["to_reference"] or not any(told["to_reference"]):
        return "–"
    value, low, high = (100 * each for each in told["to_reference"])
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def _cost(run: dict[str, Any]) -> str:
    known = sorted(t["seconds_per_step"] for t in run["seeds"].values() if t.get("seconds_per_step"))
    return f"{1000 * known[math.floor(len(known) / 2)]:.0f}" if known else "–"
