"""Near-duplicates: looked for by embedding, told by sound."""

import numpy as np
import pytest
import soundfile

from voxsphere.core.embeddings import Embeddings
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data import leaks as leaks_module
from voxsphere.data.check import check
from voxsphere.data.leaks import Comparison, Rows, find_leaks
from voxsphere.extract.corpus import extract


def unit(*angles: float) -> np.ndarray:
    return np.array([[np.cos(a), np.sin(a)] for a in angles], np.float32)


def syllables(seed: int) -> np.ndarray:
    """Four seconds of noise that rises and falls as nothing else does."""
    random = np.random.default_rng(seed)
    level = np.repeat(random.uniform(0, 0.3, 40), 1600) * np.tile(np.hanning(1600), 40)
    return (random.normal(0, 1, 64000) * level).clip(-1, 1).astype(np.float32)


def test_near_duplicates_are_looked_for_by_embedding_and_told_by_sound(tmp_path):
    for name, wave in {
        "t1": syllables(1),
        "t2": syllables(2),
        "copy": syllables(1)[3000:],
        "new": syllables(3),
    }.items():
        soundfile.write(tmp_path / f"{name}.mp3", wave, 16000, format="MP3")
    of = {name: Utterance(name, str(tmp_path / f"{name}.mp3"), name) for name in ("t1", "t2", "copy", "new")}
    train, test = Manifest((of["copy"], of["new"])), Manifest((of["t1"], of["t2"]))
    near = [Embeddings(train.ids, unit(0, 0.2)), Embeddings(test.ids, unit(0.1, 0.2))]
    found = check(train, others=[("test", test)], embeddings=near).leaks
    assert [(leak.kind, leak.test, leak.training) for leak in found] == [("sound", "t1", "copy")]
    assert 0.9 < found[0].likeness <= 1
    # Without embeddings nothing is listened to, and what they say is far apart is not.
    assert check(train, others=[("test", test)]).clean
    far = [Embeddings(train.ids, unit(2, 2)), Embeddings(test.ids, unit(0, 0.2))]
    assert check(train, others=[("test", test)], embeddings=far).clean


def test_the_nearest_embeddings_are_those_of_a_plain_search_whatever_the_blocks(monkeypatch):
    monkeypatch.setattr(leaks_module, "_ROWS", 7)
    monkeypatch.setattr(leaks_module, "_COLUMNS", 11)
    random = np.random.default_rng(0)
    vectors = random.normal(size=(90, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vector = np.arange(90)
    vector[[3, 50, 70]] = -1
    rows = Rows([Utterance(str(n), "") for n in range(90)], [""] * 90, vector, vectors)
    test, training = np.arange(30), np.arange(30, 90)
    found = leaks_module._nearest(rows, test, training)
    for row in test:
        cosine = {int(o): float(vectors[row] @ vectors[o]) for o in training if o not in (50, 70)}
        best = sorted((c for c in cosine.values() if c >= 0.3), reverse=True)[:3]
        assert sorted((cosine[o] for o in found.get(int(row), ())), reverse=True) == pytest.approx(
            [] if row == 3 else best
        )


def test_a_comparison_with_nothing_finds_nothing():
    rows = Rows([], [], np.zeros(0, np.int64), np.zeros((0, 1), np.float32))
    nothing = np.zeros(0, np.int64)
    assert find_leaks(rows, Comparison("t", nothing, nothing)) == ()


@pytest.mark.corpus
@pytest.mark.pretrained
@pytest.mark.slow
def test_copies_of_real_recordings_are_found_among_real_ones(corpus, campplus, tmp_path):
    """MP3, Opus and telephone copies, whole and cut, beside as many recordings of others."""
    whole = Manifest.load(corpus / "manifest.tsv")
    long = [u for u in whole if u.dataset == "an4" and 2.5 < float(dict(u.extra)["duration_s"]) < 4]
    people = sorted({u.speaker for u in long})[:24]
    test = Manifest(tuple(next(u for u in long if u.speaker == who) for who in people[:12]))
    others = tuple(next(u for u in long if u.speaker == who) for who in people[12:])
    forms = (("mp3", "MPEG_LAYER_III", 1), ("ogg", "OPUS", 1), ("wav", "ULAW", 2))
    copies = []
    for number, utterance in enumerate(test):
        wave, rate = soundfile.read(utterance.path, dtype="float32")
        form, subtype, step = forms[number % 3]
        path = tmp_path / f"{number}.{form}"
        soundfile.write(path, wave[(number % 2) * 5000 :: step], rate // step, subtype=subtype)
        copies.append(Utterance(f"{number}.{form}", str(path), f"copy{number}"))
    train = Manifest((*others, *copies))
    made = []
    for name, side in (("train", train), ("test", test)):
        extract(campplus, side, tmp_path / f"{name}.npz")
        made.append(Embeddings.load(tmp_path / f"{name}.npz"))
    found = check(train, others=[("test", test)], embeddings=made).leaks
    assert {leak.kind for leak in found} == {"sound"}
    assert {leak.test: leak.training for leak in found} == dict(zip(test.ids, (u.id for u in copies), strict=True))
