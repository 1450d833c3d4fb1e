"""Public test lists are known by whatever they are called, and nothing else is taken for one."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.pairs import draw
from voxsphere.data.test_lists import _VOX1_O, is_test_list, sketch

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"


def paired(ids) -> Trials:
    """Each id with the next."""
    ids = list(ids)
    return Trials.from_pairs(ids, ids[1:] + ids[:1], [True] * len(ids))


def voxceleb2(speakers: int = 30) -> Manifest:
    """Utterances named as VoxCeleb2 names its own."""
    random = np.random.default_rng(0)
    rows = []
    for speaker, video in product(range(speakers), range(3)):
        name = f"id{12 + 300 * speaker:05d}/{''.join(random.choice(list(LETTERS), 11))}"
        rows += [Utterance(f"{name}/{n:05d}.wav", "/a.wav", name[:7], session=str(video)) for n in range(1, 4)]
    return Manifest(tuple(rows))


def test_voxceleb1_test_speakers_are_known_in_every_spelling():
    for name in ("id10270/x6uYqmx31kE/{:05d}.wav", "wav/id10309/x6uYqmx31kE/{:05d}.flac", "id10300-x6uYqmx31kE-{:05d}"):
        told = is_test_list(paired(name.format(n) for n in range(1, 5)))
        assert told == "4 of its 4 recordings are of speakers that VoxCeleb1 tests with (id10270 to id10309)"
    for name in ("id10269/x6uYqmx31kE/{:05d}.wav", "id10310/x6uYqmx31kE/{:05d}.wav", "id00270/x6uYqmx31kE/{:05d}.wav"):
        assert is_test_list(paired(name.format(n) for n in range(1, 5))) is None


def test_a_list_that_is_half_test_recordings_is_a_test_list_and_one_with_fewer_is_not():
    test = [f"id10270/x6uYqmx31kE/{n:05d}.wav" for n in range(1, 5)]
    own = [f"id00012/x6uYqmx31kE/{n:05d}.wav" for n in range(1, 6)]
    assert is_test_list(paired(test + own[:4])) is not None
    assert is_test_list(paired(test + own)) is None


@pytest.mark.parametrize("speaker", ["cnc", "sitw"])
def test_cnceleb_and_sitw_are_known_by_their_ids(speaker):
    lists = {
        "cnc": [
            ("id00800-enroll", "test/id00801-singing-01-001.wav"),
            ("id00999-enroll", "id00999-live_broadcast-02-010"),
        ],
        "sitw": [
            ("eval/audio/abcde.flac", "eval/audio/fghij.flac"),
            ("sitw_eval_12345_abcde", "sitw_eval_54321_fghij"),
        ],
    }
    assert is_test_list(Trials.from_pairs(*zip(*lists[speaker], strict=True))) is not None
    develop = [
        ("id00012/singing-01-001.flac", "id00799/play-01-002.flac"),
        ("dev/audio/abcde.flac", "dev/audio/fghij.flac"),
    ]
    assert is_test_list(Trials.from_pairs(*zip(*develop, strict=True))) is None


def test_lists_over_all_of_voxceleb1_are_known_by_their_number_of_trials():
    ids = tuple(f"id1{n:04d}/x6uYqmx31kE/00001.wav" for n in range(1, 1252))
    place = np.arange(581480) % len(ids)
    assert is_test_list(Trials(ids, place, place[::-1], None)) == "it has the 581480 trials of VoxCeleb1-E"
    assert is_test_list(Trials(ids, place[1:], place[1:], None)) is None
    other = tuple(f"id0{n:04d}/x6uYqmx31kE/00001.wav" for n in range(1, 1252))
    assert is_test_list(Trials(other, place, place, None)) is None


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("veri_test.txt", "VoxCeleb1-O"),
        ("veri_test2.txt", "VoxCeleb1-O"),
        ("list_test_all2.txt", "VoxCeleb1-E"),
        ("list_test_hard.txt", "VoxCeleb1-H"),
        ("vox1_H_cleaned.kaldi", "VoxCeleb1-H"),
        ("manifest.vox1_o_cleaned.txt", "VoxCeleb1-O"),
        ("voxceleb1_o_original.txt", "VoxCeleb1-O"),
        ("vox1-E(cleaned).txt", "VoxCeleb1-E"),
        ("CNC-Eval-Concat.lst", "CN-Celeb"),
        ("core-core.lst", "SITW"),
        ("sitw_eval_core-core.txt", "SITW"),
        ("sitw_dev_core-core.txt", None),
        ("vox1_dev.txt", None),
        ("vox1_held_out.txt", None),
        ("trials.txt", None),
        ("my_list_test_allowed.txt", None),
        ("", None),
    ],
)
def test_names_of_public_lists_are_known(name, known):
    told = is_test_list(paired(["a/1.wav", "b/2.wav"]), name)
    assert told is None if known is None else told.endswith(f"the name of the test list of {known}")


def test_recordings_that_the_manifest_marks_as_test_count():
    manifest = Manifest(tuple(Utterance(f"u{n}", "/a.wav", f"s{n // 2}", split="Test" * (n < 4)) for n in range(12)))
    assert is_test_list(paired(["u0", "u1", "u2", "u9"]), manifests=[manifest]) == (
        "the manifest marks 3 of its 4 recordings as test"
    )
    assert is_test_list(paired(["u0", "u8", "u9"]), manifests=[manifest]) is None


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100))
def test_trials_drawn_from_voxceleb2_or_folders_are_no_test_lists(seed):
    drawn = draw(voxceleb2(), targets=200, seed=seed).trials
    assert is_test_list(drawn, "held_out.txt") is None
    folders = Manifest(tuple(Utterance(f"ann{n // 4}/{n}.wav", "/a.wav", f"ann{n // 4}") for n in range(80)))
    assert is_test_list(draw(folders, targets=50, seed=seed).trials, "trials.txt") is None


def test_a_sketch_is_one_of_recordings_not_of_their_spelling():
    modern = [f"id1{n:04d}/abcdefgh_-{n % 10}/{n:05d}.wav" for n in range(100)]
    old = [f"Some_Body/abcdefgh_-{n % 10}_{n:07d}.wav" for n in range(100)]
    kaldi = [f"id1{n:04d}-abcdefgh_-{n % 10}-{n:05d}" for n in range(100)]
    assert sketch(modern) == sketch(old[::-1]) == sketch(kaldi)
    assert sketch(modern, 10) == sketch(modern)[:10]
    assert sketch(["a.wav", "b/c.wav"]) == ()


def test_recordings_of_the_sample_are_known_whoever_they_are_said_to_be_of():
    known = ["x6uYqmx31kE_0000004", "GWXujl-xAVM_0000039", "dkN2DIBrXqQ_0000003"]
    assert is_test_list(paired(f"Some_Body/{name}.wav" for name in known)) is not None
    assert is_test_list(paired(f"Some_Body/{name}.wav" for name in known[:2])) is None


@pytest.mark.corpus
def test_voxceleb1_o_is_known_by_its_recordings_alone(corpus):
    """Named in the old manner, in parts, paired anew: it stays the test list."""
    lists = corpus.parent / "lists"
    if not lists.is_dir():
        pytest.skip("the official lists are not beside the development corpus")
    for form in ("original", "cleaned"):
        official = Trials.load(lists / f"voxceleb1_o_{form}.txt").ids
        named = [f"X/{name[8:19]}_00{name[20:]}" for name in official]
        assert set(sketch(official)) == set(sketch(named)) == _VOX1_O
        for part in (named, named[:2000], named[::5]):
            assert is_test_list(paired(part)) == "its recordings are those of the VoxCeleb1-O test list"
    assert is_test_list(paired(f"X/{name[2:13][::-1]}{name[13:]}" for name in named)) is None
