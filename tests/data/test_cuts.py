"""Random cuts: pure, evenly drawn, within the edges; the edges against a slow oracle."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.edges import edges
from voxsphere.audio.wave import read, write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data import spans as measuring
from voxsphere.data.cuts import Plan, automatic, cuts

RATE = 8000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Three speakers × five recordings of 0.5 s to 1.4 s, each silent at both ends."""
    folder = tmp_path_factory.mktemp("cuts")
    utterances = []
    for speaker in ("p1", "p2", "p3"):
        for number in range(5):
            random = stream("test of cuts", speaker, number)
            wave = 1e-4 * random.standard_normal(4000 + 1800 * number)
            wave[700:-900] += 0.3 * random.standard_normal(len(wave) - 1600)
            path = folder / f"{speaker}_{number}.wav"
            write(path, wave.astype(np.float32), RATE)
            utterances.append(Utterance(path.stem, str(path), speaker, dataset="vctk"))
    return Manifest(tuple(utterances))


def slow_edges(wave: np.ndarray, percentile: float) -> tuple[int, int]:
    """The definition, sample by sample in Python's floats."""
    loudness = sorted(abs(float(x)) for x in wave)
    place = percentile / 100 * (len(loudness) - 1)
    low = int(place)
    above = loudness[min(low + 1, len(loudness) - 1)]
    threshold = loudness[low] + (place - low) * (above - loudness[low])
    loud = [i for i, x in enumerate(wave) if abs(float(x)) > threshold]
    return loud[0], loud[-1] + 1


@pytest.mark.parametrize("percentile", [0.0, 50.0, 95.0, 99.9])
def test_edges_are_those_of_the_definition(percentile: float) -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        wave = (random.standard_normal(997 + seed) * np.linspace(0.1, 1, 997 + seed)).astype(np.float32)
        assert edges(wave, percentile=percentile) == slow_edges(wave, percentile)


def test_what_is_equally_loud_has_no_edges() -> None:
    assert edges(np.zeros(100, np.float32)) is None
    assert edges(np.full(100, -0.5, np.float32)) is None


def test_each_side_gets_its_number_within_the_edges_of_its_own_recordings(corpus: Manifest, tmp_path: Path) -> None:
    made = cuts(corpus, Plan(per_speaker=40, share=0.4, rate=RATE), memory=tmp_path / "edges.tsv").manifest

    assert Counter((u.speaker, u.split) for u in made) == {
        (speaker, split): 40 for speaker in ("p1", "p2", "p3") for split in ("train", "dev")
    }
    sources: dict[tuple[str, str], set[str]] = {}
    for cut in made:
        sources.setdefault((cut.speaker, cut.split), set()).add(cut.path)
        first, end = slow_edges(read(cut.path, rate=RATE), 95)
        assert cut.start is not None
        assert cut.duration is not None
        assert cut.duration >= 0.115
        assert first <= round(cut.start * RATE)
        assert round((cut.start + cut.duration) * RATE) <= end
    for speaker in ("p1", "p2", "p3"):
        assert not sources[speaker, "train"] & sources[speaker, "dev"]
        assert len(sources[speaker, "dev"]) == 2
        assert len(sources[speaker, "train"]) == 3


def test_a_cut_holds_the_samples_that_it_names(corpus: Manifest, tmp_path: Path) -> None:
    made = cuts(corpus, Plan(per_speaker=3, rate=RATE), memory=tmp_path / "edges.tsv").manifest
    for cut in made:
        assert cut.start is not None
        assert cut.duration is not None
        piece = read(cut.path, rate=RATE, start=cut.start, duration=cut.duration)
        first = round(cut.start * RATE)
        assert cut.start == first / RATE
        assert np.array_equal(piece, read(cut.path, rate=RATE)[first:][: round(cut.duration * RATE)])


def test_the_draws_depend_on_manifest_and_seed_alone(corpus: Manifest, tmp_path: Path) -> None:
    plan = Plan(per_speaker=10, rate=RATE)
    whole = cuts(corpus, plan, memory=tmp_path / "a.tsv", workers=1).manifest
    turned = Manifest(tuple(reversed(corpus.utterances)))
    assert cuts(turned, plan, memory=tmp_path / "b.tsv", workers=3).manifest == whole
    alone = Manifest(tuple(u for u in corpus if u.speaker == "p2"))
    of_p2 = tuple(u for u in whole if u.speaker == "p2")
    assert cuts(alone, plan, memory=tmp_path / "c.tsv").manifest.utterances == of_p2
    assert cuts(corpus, replace(plan, seed=1), memory=tmp_path / "a.tsv").manifest != whole


def test_two_points_are_drawn_evenly_where_they_lie_far_enough_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write(path, np.linspace(-0.5, 0.5, 20, dtype=np.float32), 10)
    plan = Plan(per_speaker=20_000, least=1.5, percentile=None, share=0, rate=10)
    made = cuts(Manifest((Utterance("a", str(path), "p1"),)), plan, memory=tmp_path / "edges.tsv").manifest

    found = Counter((round(u.start * 10), round((u.start + u.duration) * 10)) for u in made)  # type: ignore[operator]
    points = [(a, b + 15) for a in range(6) for b in range(6) if a <= b]
    # Each unordered pair of distinct points is drawn two ways, one of equal points one way.
    expected = {(a, b): (2 if b - a > 15 else 1) * 20_000 / 36 for a, b in points}
    assert found.keys() == expected.keys()
    assert all(abs(found[pair] - count) < 6 * count**0.5 for pair, count in expected.items())


def test_egs_are_of_one_length_and_automatically_many(corpus: Manifest, tmp_path: Path) -> None:
    plan = Plan(per_speaker="auto", length=0.6, share=2, percentile=None, rate=RATE)
    made = cuts(corpus, plan, memory=tmp_path / "edges.tsv").manifest

    length_of = {u.path: len(read(u.path, rate=RATE)) / RATE for u in corpus}
    assert all(u.duration == min(0.6, length_of[u.path]) for u in made)
    for split in ("train", "dev"):
        seconds = sum(length_of[path] for path in {u.path for u in made if u.split == split})
        expected = 1
        while expected < 2 * seconds / 0.6 / 3:
            expected *= 2
        assert set(Counter(u.speaker for u in made if u.split == split).values()) == {expected}


def test_the_automatic_number_is_that_of_the_rule() -> None:
    # 2 · 3,000,000 frames / 300 / 100 speakers = 200, and the next power of two is 256.
    assert automatic(30_000.0, 100, 3.0) == 256
    assert automatic(1.5 * 64, 1, 3.0) == 64
    assert automatic(0.1, 10, 3.0) == 1


def test_splits_that_are_told_stay_and_train_alone_is_shared(corpus: Manifest, tmp_path: Path) -> None:
    told = Manifest(tuple(replace(u, split="held_out" if u.speaker == "p3" else "train") for u in corpus))
    made = cuts(told, Plan(per_speaker=4, rate=RATE), memory=tmp_path / "edges.tsv").manifest
    assert {(u.speaker, u.split) for u in made} == {
        ("p1", "train"),
        ("p1", "dev"),
        ("p2", "train"),
        ("p2", "dev"),
        ("p3", "held_out"),
    }


def test_whole_recordings_are_trimmed_and_keep_their_ids(corpus: Manifest, tmp_path: Path) -> None:
    made = cuts(corpus, Plan(per_speaker="whole", share=0, rate=RATE), memory=tmp_path / "edges.tsv").manifest
    assert made.ids == corpus.ids
    for cut in made:
        first, end = slow_edges(read(cut.path, rate=RATE), 95)
        assert (cut.start, cut.duration) == (first / RATE, (end - first) / RATE)


def test_a_second_call_measures_only_what_is_new(
    corpus: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, memory = Plan(per_speaker=5, rate=RATE), tmp_path / "edges.tsv"
    some = Manifest(corpus.utterances[:9])
    cuts(some, plan, memory=memory)
    measured: list[str] = []

    def reading(path: str, **options: object) -> np.ndarray:
        measured.append(path)
        return read(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(measuring, "read", reading)
    whole = cuts(corpus, plan, memory=memory).manifest
    assert sorted(measured) == sorted(u.path for u in corpus.utterances[9:])
    assert whole == cuts(corpus, plan, memory=tmp_path / "anew.tsv").manifest


def test_a_broken_recording_is_told_and_left_out(corpus: Manifest, tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    write(tmp_path / "silent.wav", np.zeros(4000, np.float32), RATE)
    more = (Utterance(name, str(tmp_path / f"{name}.wav"), "p1", dataset="vctk") for name in ("broken", "silent"))
    made = cuts(Manifest((*corpus, *more)), Plan(per_speaker=5, rate=RATE), memory=tmp_path / "edges.tsv")
    assert [name for name, _ in made.failures] == ["broken", "silent"]
    assert made.manifest == cuts(corpus, Plan(per_speaker=5, rate=RATE), memory=tmp_path / "edges.tsv").manifest


@pytest.mark.parametrize(
    "options",
    [
        {"per_speaker": 0},
        {"per_speaker": "auto"},
        {"length": 0.0},
        {"least": 0.0},
        {"percentile": 100.0},
        {"share": 1.0},
        {"share": float("nan")},
        {"share": float("inf")},
        {"per_speaker": "whole", "length": 3.0},
        {"dev": "train"},
    ],
)
def test_a_senseless_plan_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        Plan(**options)  # type: ignore[arg-type]


def test_recordings_that_are_too_short_are_told_of(corpus: Manifest, tmp_path: Path) -> None:
    made = cuts(corpus, Plan(per_speaker=5, least=0.5, rate=RATE), memory=tmp_path / "edges.tsv")
    assert made.notes == ("3 recordings are shorter than 0.5 s and were left out",)
    with pytest.raises(BadInput, match="nothing can be cut"):
        cuts(corpus, Plan(per_speaker=5, least=50.0, rate=RATE), memory=tmp_path / "edges.tsv")
