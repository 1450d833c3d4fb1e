"""Makes docs/results.md from what the studies stored: score files, calibration proofs, speeds, systems.

python -m studies.results            # writes docs/results.md
python -m studies.results --check    # exits with 1 if the page is not what the stored files say
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from studies import training_results
from studies.figures import cell, evaluated
from studies.pages import publish
from studies.systems import page
from voxsphere.core.files import read_json

STORED = Path("studies/outputs")
PAGE = Path("docs/results.md")
PASS_MARK = 0.05
MODELS = ("campplus-zh-en", "ge2e-resemblyzer")


def run(check: Annotated[bool, typer.Option("--check")] = False) -> None:
    """Write the page, or compare it."""
    publish({PAGE: "\n".join(_page()) + "\n"}, check=check)


def _page() -> Iterator[str]:
    yield (STORED / "results_head.md").read_text(encoding="utf-8").strip()
    for model in MODELS:
        yield from _verification(model)
    for model in MODELS:
        yield from _calibration(model)
        yield from _expected(model)
    yield from _short_input()
    yield from _front_end()
    yield from _speed()
    yield from training_results.small_corpus(STORED)
    yield from training_results.throughput(STORED)
    yield from page.sections(STORED / "systems")


def _verification(model: str) -> Iterator[str]:
    original = read_json(STORED / "original.json")[model]
    yield f"\n## Verification with {model}\n"
    yield f"{original['note']}\n"
    yield "| list | trials | speakers | EER % | original code, EER % | minDCF (0.01) | minDCF (0.001) |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for path in sorted((STORED / "scores" / model).glob("*.cosine.parquet")):
        found, name = evaluated(path), path.name.split(".")[0]
        fitted_on = read_json(STORED / f"calibration_{model}.json")["fingerprint"]
        if found.model != fitted_on:
            raise ValueError(f"{path}: of model {found.model}, calibrated is {fitted_on}; score the lists again")
        costs = " | ".join(cell(figure) for figure in found.min_dcf)
        theirs = original["eer"].get(name, "–")
        yield f"| {name} | {found.trials:,} | {found.speakers} | {cell(found.eer)} | {theirs} | {costs} |"


def _calibration(model: str) -> Iterator[str]:
    proof = read_json(STORED / f"calibration_{model}.json")
    carried = read_json(Path("src/voxsphere/pretrained/calibrations") / f"{model}.json")
    if carried["fingerprint"] != proof["fingerprint"]:
        raise ValueError(f"{model}: the calibration that is carried is not the one that was proven; calibrate again")
    yield f"\n## Calibration of {model}\n"
    yield (
        f"Fitted on {proof['speakers']} train speakers ({proof['pieces']:,} pieces of {proof['utterances']:,} "
        f"utterances). Speaker-disjoint five-fold cross-validation, Cllr in bits:\n"
    )
    yield "| speech of the shorter side, or data set | targets | non-targets | EER % | Cllr | min Cllr | loss |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in proof["bins"]:
        loss = row["cllr"] - row["min_cllr"]
        figures = f"{100 * row['eer']:.1f} | {row['cllr']:.3f} | {row['min_cllr']:.3f} | {loss:.3f}"
        yield f"| {row['condition']} | {row['targets']:,} | {row['nontargets']:,} | {figures} |"
    missed = [row["condition"] for row in proof["bins"] if row["cllr"] - row["min_cllr"] > PASS_MARK]
    yield f"\nPass mark, a loss of at most {PASS_MARK} bit over all trials: {'missed' if 'all' in missed else 'met'}."
    if missed:
        yield f"Above it, taken by itself: {', '.join(missed)}."
    yield (
        "\nThe same calibration on the evaluation lists, whose speakers were never fitted on. Most of fsdd's digits "
        "hold less than the 0.5 s of speech below which `verify` does not decide:\n"
    )
    yield "| list | actDCF (0.01) | minDCF (0.01) | Cllr | min Cllr | loss |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for path in sorted((STORED / "scores" / model).glob("*.llr.parquet")):
        found = evaluated(path)
        if found.act_dcf is None or found.cllr is None:
            raise ValueError(f"{path}: holds no LLRs")
        loss = found.cllr.value - found.min_cllr.value
        cells = [cell(figure) for figure in (found.act_dcf[0], found.min_dcf[0], found.cllr, found.min_cllr)]
        yield f"| {path.name.split('.')[0]} | {' | '.join(cells)} | {loss:.3f} |"


def _expected(model: str) -> Iterator[str]:
    yield "\nThe errors that the card's table promises for these decisions, and those that came (%), at two priors:\n"
    yield "| list | prior | misses promised | came | false alarms promised | came |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for row in read_json(STORED / f"expected_{model}.json")["lists"]:
        cells = []
        for kind in ("miss", "false_alarm"):
            if kind in row:
                said, low, high, came = (100 * value for value in row[kind])
                cells += [f"{said:.2f} ({low:.2f}–{high:.2f})", f"{came:.2f}"]
            else:
                cells += ["–", "–"]
        yield f"| {row['list']} | {row['prior']:g} | {' | '.join(cells)} |"


def _short_input() -> Iterator[str]:
    yield "\n## How short input is embedded\n"
    yield (
        "Cuts of train speakers' speech against whole utterances; EER in %, by the length of the cut and by what is "
        "done to it before it is embedded: repeated (“tile”), or repeated forwards and backwards in turn (“mirror”), "
        "up to so many seconds; 0 leaves it as it is."
    )
    for model in MODELS:
        study = read_json(STORED / f"short_input_{model}.json")
        table: dict[str, dict[str, float]] = study["eer_by_cut_and_way"]
        ways = list(next(iter(table.values())))
        yield f"\n{model} ({study['utterances']} utterances):\n"
        yield f"| cut | {' | '.join(f'{way} s' for way in ways)} |"
        yield f"| --- |{' ---: |' * len(ways)}"
        for cut, row in table.items():
            yield f"| {cut} s | {' | '.join(f'{100 * row[way]:.1f}' for way in ways)} |"
    yield (STORED / "short_input_conclusion.md").read_text(encoding="utf-8").rstrip()


def _front_end() -> Iterator[str]:
    study = read_json(STORED / "front_end.json")
    yield "\n## How exact the filterbank is on real speech\n"
    yield (
        "Differences of natural logarithms over all cells (80 mels, Povey window): ours in float32, kaldi-native-fbank "
        "(kaldi; float32), and the same computation in float64 (exact).\n"
    )
    yield "| set | ours – kaldi ≤ 2e-4 | ≤ 2e-3 | max | ours – exact ≤ 1e-4 | max | kaldi – exact ≤ 1e-4 | max |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in study["sets"]:
        near, ours, kaldi = row["ours_kaldi"], row["ours_exact"], row["kaldi_exact"]
        yield (
            f"| {row['set']} | {100 * near['within_0.0002']:.3f} % | {100 * near['within_0.002']:.4f} % | "
            f"{near['max']:.1e} | {100 * ours['within_0.0001']:.2f} % | {ours['max']:.1e} | "
            f"{100 * kaldi['within_0.0001']:.2f} % | {kaldi['max']:.1e} |"
        )
    yield (STORED / "front_end_note.md").read_text(encoding="utf-8").rstrip()


def _speed() -> Iterator[str]:
    yield "\n## Speed of embedding\n"
    yield "| model | real-time factor | kaldi-native-fbank + the plain network | ratio of paired runs |"
    yield "| --- | ---: | ---: | ---: |"
    for model in MODELS:
        speed: dict[str, Any] = read_json(STORED / f"speed_{model}.json")
        plain = "–" if speed["plain"] is None else f"{speed['plain']:.4f}"
        ratio = "–" if speed["ratio"] is None else f"{speed['ratio']:.2f}"
        yield f"| {model} | {speed['ours']:.4f} | {plain} | {ratio} |"
    yield (STORED / "speed_note.md").read_text(encoding="utf-8").rstrip()


if __name__ == "__main__":
    typer.run(run)
