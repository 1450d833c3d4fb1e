"""Features computed and converted: every store into every other, as kaldiio and h5py read them."""

import json
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Fbank
from voxsphere.audio.mel_cepstrum import MelCepstrum
from voxsphere.audio.stores import read_array
from voxsphere.audio.wave import read, write
from voxsphere.catalogue import CATALOGUE
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.parts import rebuild
from voxsphere.data.feature_folder import open_features, read_feature_folder
from voxsphere.data.feature_sets import compute, convert, form_of
from voxsphere.data.manifests import open_manifest

h5py = pytest.importorskip("h5py")
kaldiio = pytest.importorskip("kaldiio")

SHAPES = {"ann/one": (30, 5), "ann/two": (7, 5), "bob/one": (55, 5), "bob/x-1": (1, 5)}
MATRICES = {
    name: np.random.default_rng(sum(map(ord, name))).normal(0, 5, shape).astype(np.float32)
    for name, shape in SHAPES.items()
}


@pytest.fixture
def stored(tmp_path) -> Manifest:
    """Four utterances of two speakers as .npy files."""
    utterances = []
    for name, matrix in MATRICES.items():
        path = tmp_path / "source" / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, matrix)
        utterances.append(Utterance(name, str(path), name[:3], duration=len(matrix) / 100, gender="f"))
    return Manifest(tuple(utterances))


@pytest.fixture
def recordings(tmp_path) -> Manifest:
    utterances = []
    for number in range(3):
        wave = 0.1 * np.random.default_rng(number).normal(size=8000 + 1000 * number).astype(np.float32)
        write(tmp_path / f"{number}.wav", wave, 8000)
        utterances.append(Utterance(f"s{number}/{number}.wav", str(tmp_path / f"{number}.wav"), f"s{number}"))
    return Manifest(tuple(utterances))


def check(manifest: Manifest) -> None:
    assert manifest.ids == tuple(MATRICES)
    for utterance in manifest:
        assert (utterance.speaker, utterance.gender) == (utterance.id[:3], "f")
        assert dict(utterance.extra) == {"num_frames": str(len(MATRICES[utterance.id]))}
        assert utterance.duration == len(MATRICES[utterance.id]) / 100
        np.testing.assert_array_equal(read_array(utterance.path), MATRICES[utterance.id])


def test_features_go_through_every_store_and_come_back_to_the_bit(stored, tmp_path):
    manifest = stored
    for out in ("a/feats.ark", "b.h5", "c.mcp", "d.npy", "e.lpcc", "f.hdf5", "mfcc", "h.scp", "i.fmatrix"):
        made = convert(manifest, tmp_path / out, workers=2)
        assert (made.frames, made.dim, made.failures) == (93, 5, ())
        check(made.manifest)
        manifest = open_manifest(made.path)
        check(manifest)


def test_kaldiio_reads_the_archive_and_the_folder_is_kaldis(stored, tmp_path):
    convert(stored, tmp_path / "feats.ark")
    loaded = kaldiio.load_scp(str(tmp_path / "feats.scp"))
    assert {name: loaded[name].tolist() for name in loaded} == {name: m.tolist() for name, m in MATRICES.items()}
    assert dict(kaldiio.load_ark(str(tmp_path / "feats.ark"))).keys() == MATRICES.keys()
    assert (tmp_path / "utt2num_frames").read_text() == "ann/one 30\nann/two 7\nbob/one 55\nbob/x-1 1\n"
    assert (tmp_path / "spk2utt").read_text() == "ann ann/one ann/two\nbob bob/one bob/x-1\n"
    again = open_manifest(tmp_path)
    assert [(u.id, u.speaker) for u in again] == [(name, name[:3]) for name in MATRICES]
    made = convert(again, tmp_path / "b.h5")
    np.testing.assert_array_equal(read_array(f"{tmp_path}/b.h5#ann/two"), MATRICES["ann/two"])
    assert made.manifest.utterances[0].duration is None


def test_an_hdf5_file_keeps_names_that_its_places_cannot_hold(stored, tmp_path):
    named = {"ann": "x/ann", "bob": ""}
    odd = Manifest(tuple(replace(u, id=f"of {u.id}.wav", speaker=named[u.speaker]) for u in stored))
    convert(odd, tmp_path / "odd.h5")
    with h5py.File(tmp_path / "odd.h5") as file:
        assert set(file) == {"x-ann", "-"}
    assert {(u.id, u.speaker) for u in open_manifest(tmp_path / "odd.h5")} == {(u.id, u.speaker) for u in odd}


def test_a_file_that_tells_ids_and_no_speakers_is_named_by_its_places(tmp_path):
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        for place in ("a/x", "b/x"):
            file[place] = np.zeros((1, 5, 7), np.float32)
            file[place].attrs["id"] = "1"
    assert [(u.id, u.speaker) for u in open_manifest(tmp_path / "foreign.h5")] == [("a/x", "a"), ("b/x", "b")]


@pytest.mark.parametrize("out", ["odd.h5", "mcp", "odd.npy"])
def test_two_speakers_who_would_be_one_are_refused(stored, tmp_path, out):
    named = {"ann": "s/1", "bob": "s-1"}
    odd = Manifest(tuple(replace(u, speaker=named[u.speaker]) for u in stored))
    with pytest.raises(BadInput, match=r"^speakers 's-1' and 's/1' would both be 's-1'; rename one$"):
        convert(odd, tmp_path / out)
    assert convert(odd, tmp_path / "odd.ark").manifest.speakers == ("s-1", "s/1")


def test_an_old_list_does_not_outlive_its_archive(stored, tmp_path, killed_after_the_archive):
    convert(stored, tmp_path / "feats.ark")
    killed_after_the_archive()
    with pytest.raises(KeyboardInterrupt):
        convert(Manifest(stored.utterances[::-1]), tmp_path / "feats.ark")
    assert list(dict(kaldiio.load_ark(str(tmp_path / "feats.ark")))) == [*MATRICES][::-1]
    assert sorted(path.name for path in tmp_path.glob("*")) == ["feats.ark", "source"]


def test_archives_that_kaldiio_wrote_are_converted(tmp_path):
    with kaldiio.WriteHelper(f"ark,scp:{tmp_path}/feats.ark,{tmp_path}/feats.scp", compression_method=2) as out:
        for name, matrix in MATRICES.items():
            out(name, matrix)
    (tmp_path / "utt2spk").write_text("".join(f"{name} {name[:3]}\n" for name in MATRICES))
    made = convert(open_features(tmp_path), tmp_path / "out.h5")
    theirs = kaldiio.load_scp(str(tmp_path / "feats.scp"))
    with h5py.File(tmp_path / "out.h5") as file:
        for name in MATRICES:
            assert file[name].shape == (1, 5, len(MATRICES[name]))
            np.testing.assert_allclose(file[name][0].T, theirs[name], atol=1e-5)
    assert made.manifest.speakers == ("ann", "bob")


@pytest.mark.parametrize("method", [1, 2, 3, 5])
def test_compressed_archives_are_smaller_and_near(stored, tmp_path, method):
    plain = convert(stored, tmp_path / "plain.ark")
    small = convert(stored, tmp_path / "small.ark", compression=method)
    assert (tmp_path / "small.ark").stat().st_size < (tmp_path / "plain.ark").stat().st_size
    loaded = kaldiio.load_scp(str(tmp_path / "small.scp"))
    for name, matrix in MATRICES.items():
        np.testing.assert_allclose(loaded[name], matrix, atol=0.15)
    for one, other in zip(plain.manifest, small.manifest, strict=True):
        np.testing.assert_allclose(read_array(one.path), read_array(other.path), atol=0.15)


def test_hdf5_has_a_group_a_speaker_and_a_leading_axis(stored, tmp_path):
    convert(stored, tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5") as file:
        assert sorted(file) == ["ann", "bob"]
        assert file["bob/one"].shape == (1, 5, 55)
        assert file["bob/one"].dtype == np.float32
        assert file["bob/one"].attrs["id"] == "bob/one"
        np.testing.assert_array_equal(file["bob/one"][0].T, MATRICES["bob/one"])


def test_a_folder_of_files_is_a_corpus_of_its_own(stored, tmp_path):
    convert(stored, tmp_path / "x.mcp")
    assert sorted(str(p.relative_to(tmp_path / "x.mcp")) for p in (tmp_path / "x.mcp").rglob("*.mcp")) == sorted(
        f"{name}.mcp" for name in MATRICES
    )
    assert [(u.id, u.speaker) for u in read_feature_folder(tmp_path / "x.mcp")] == [(n, n[:3]) for n in MATRICES]
    check(open_features(tmp_path / "x.mcp"))  # by its manifest, which knows more
    lab = tmp_path / "lab/mcp/BLOCK01/SES017/SA017S02.mcp"
    lab.parent.mkdir(parents=True)
    (tmp_path / "x.mcp/ann/one.mcp").rename(lab)
    (found,) = read_feature_folder(tmp_path / "lab")
    assert (found.id, found.speaker) == ("mcp/BLOCK01/SES017/SA017S02", "SES017")
    np.save(tmp_path / "lab/mcp/other.npy", MATRICES["ann/one"])
    with pytest.raises(BadInput, match=r"several kinds \(\.mcp, \.npy\)"):
        read_feature_folder(tmp_path / "lab")
    with pytest.raises(BadInput, match="lies beside the speaker folders"):
        read_feature_folder(lab.parent)
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no features"):
        read_feature_folder(empty)


def test_what_a_front_end_gives_is_what_is_stored(recordings, tmp_path):
    features = partial(MelCepstrum, order=12)
    made = compute(recordings, features, tmp_path / "mcp", workers=2)
    assert made.path == tmp_path / "mcp/manifest.tsv"
    assert [Path(u.path).relative_to(tmp_path).as_posix() for u in made.manifest] == [
        "mcp/s0/0.mcp", "mcp/s1/1.mcp", "mcp/s2/2.mcp",
    ]  # fmt: skip
    for recording, utterance in zip(recordings, made.manifest, strict=True):
        wave = torch.from_numpy(read(recording.path, rate=8000))
        with torch.inference_mode():
            np.testing.assert_array_equal(read_array(utterance.path), features()(wave[None])[0].numpy())
        assert utterance.duration == len(wave) / 8000
    told = json.loads((tmp_path / "mcp/manifest.json").read_text())
    assert (told["sample_rate"], told["hop"], told["dim"]) == (8000, 80, 13)
    again = rebuild(told["features"], CATALOGUE)()
    assert (again.order, again.alpha) == (12, 0.31)


def test_parts_and_speeds_are_computed_as_they_are_heard(recordings, tmp_path):
    first = recordings.utterances[0]
    part = Utterance("part", first.path, "s0", start=0.25, duration=0.5)
    fast = Utterance("fast", first.path, "s0@1.25", speed=1.25)
    features = partial(Deltas, of=partial(Fbank, sample_rate=8000, num_mels=10))
    made = compute(Manifest((part, fast)), features, tmp_path / "f.h5")
    assert made.dim == 30
    cut, played = made.manifest
    assert (cut.start, cut.duration, played.speed, played.duration) == (None, 0.5, 1.0, 0.8)
    with torch.inference_mode():
        expected = features()(torch.from_numpy(read(first.path, rate=8000, start=0.25, duration=0.5))[None])[0].numpy()
        resampled = features()(torch.from_numpy(read(first.path, rate=6400))[None])[0].numpy()
    np.testing.assert_array_equal(read_array(cut.path), expected)
    np.testing.assert_array_equal(read_array(played.path), resampled)


@pytest.mark.parametrize("out", ["feats.ark", "feats.h5", "mcp"])
def test_what_cannot_be_read_is_told_and_left_out(recordings, tmp_path, out):
    (tmp_path / "1.wav").write_bytes(b"RIFF")
    write(tmp_path / "2.wav", np.zeros(100, np.float32), 8000)
    made = compute(recordings, partial(MelCepstrum, centred=False), tmp_path / "made" / out)
    assert made.manifest.ids == ("s0/0.wav",)
    assert [name for name, _ in made.failures] == ["s1/1.wav", "s2/2.wav"]
    assert "100 samples make no frame" in made.failures[1][1]
    listed = made.path.with_suffix(".failed.tsv").read_text().splitlines()
    assert [line.partition("\t")[0] for line in listed] == ["id", "s1/1.wav", "s2/2.wav"]
    (tmp_path / "0.wav").unlink()
    before = sorted(p.name for p in (tmp_path / "made").rglob("*"))
    with pytest.raises(BadInput, match=r"nothing could be written: .*no such file"):
        compute(recordings, partial(MelCepstrum, centred=False), tmp_path / "made" / out)
    assert sorted(p.name for p in (tmp_path / "made").rglob("*")) == before


@pytest.mark.parametrize("out", ["feats.ark", "feats.h5"])
def test_a_broken_off_conversion_leaves_what_was_there(stored, tmp_path, out):
    convert(stored, tmp_path / "made" / out)
    before = (tmp_path / "made" / out).read_bytes()
    names = sorted(p.name for p in (tmp_path / "made").iterdir())

    calls: list[int] = []

    def interrupt(done: int) -> None:
        calls.append(done)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(stored, tmp_path / "made" / out, progress=interrupt)
    assert (tmp_path / "made" / out).read_bytes() == before
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == names


def test_features_of_another_width_are_left_out(stored, tmp_path):
    np.save(tmp_path / "wide.npy", np.zeros((3, 6), np.float32))
    mixed = Manifest((*stored, Utterance("wide", str(tmp_path / "wide.npy"), "cleo")))
    made = convert(mixed, tmp_path / "b.h5")
    told = "wide: has 6 features a frame where the first has 5; write it into a store of its own"
    assert made.failures == (("wide", told),)
    check(made.manifest)


def test_what_cannot_be_is_refused_before_anything_is_written(stored, tmp_path):
    first = stored.utterances[0]

    def refused(told: str, manifest: Manifest = stored, out: str = "feats.ark", **options: object) -> None:
        with pytest.raises(BadInput, match=told):
            convert(manifest, tmp_path / "new" / out, **options)
        assert not (tmp_path / "new").exists() or not list((tmp_path / "new").rglob("*.*"))

    refused("cannot hold an id with blanks", Manifest((Utterance("a b", first.path),)))
    twins = Manifest((Utterance("a:b", first.path, "s"), Utterance("A b", first.path, "s")))
    refused("'a:b' and 'A b' would both be 's/A-b'", twins, "x.h5")
    refused("'a:b' and 'A b' would both be 's/A-b'", twins, "x.mcp")
    refused("does not tell what to write", out="x.wav")
    refused("only Kaldi archives", out="x.h5", compression=2)
    refused("there is no such method", compression=9)
    refused("the manifest is empty", Manifest(()))
    refused("is a part or at another speed", Manifest((Utterance("a", first.path, start=0.5),)))
    assert [form_of(f"x/{name}") for name in ("a.hdf", "mcp", "a.scp")] == ["h5", "mcp", "ark"]
    assert form_of("x/folder", "lpcc") == "lpcc"


def test_ids_become_names_that_stay_in_the_folder(stored, tmp_path):
    path = stored.utterances[0].path
    ids = ("../../etc/x", "/abs/y", "a b/.hidden", "über@1.1")
    made = convert(Manifest(tuple(Utterance(name, path, "../s") for name in ids)), tmp_path / "m.mcp")
    files = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.mcp") if p.is_file())
    assert files == ["m.mcp/s/a-b-hidden.mcp", "m.mcp/s/abs-y.mcp", "m.mcp/s/etc-x.mcp", "m.mcp/s/über@1.1.mcp"]
    assert made.manifest.ids == ids
    for one, other in pairwise(made.manifest):
        np.testing.assert_array_equal(read_array(one.path), read_array(other.path))


def test_only_the_frames_that_the_decisions_call_speech_are_kept(stored, tmp_path):
    decisions = {name: (np.arange(len(matrix)) % 3 == 0).astype(np.float32) for name, matrix in MATRICES.items()}
    with kaldiio.WriteHelper(f"ark,scp:{tmp_path}/vad.ark,{tmp_path}/vad.scp") as out:
        for name, speech in decisions.items():
            out(name, speech)
    places = dict(line.split() for line in (tmp_path / "vad.scp").read_text().splitlines())
    told = Manifest(tuple(replace(u, extra=(("vad", places[u.id]),)) for u in stored))
    made = convert(told, tmp_path / "feats.ark", voiced=True)
    assert made.failures == ()
    loaded = kaldiio.load_scp(str(tmp_path / "feats.scp"))
    for name, matrix in MATRICES.items():
        np.testing.assert_array_equal(loaded[name], matrix[::3])


@pytest.mark.parametrize(
    ("speech", "told"),
    [
        (None, "has no decisions"),
        (np.ones(29, np.float32), "29 frames, and there are 30"),
        (np.zeros(30, np.float32), "no speech"),
        (np.ones((30, 1), np.float32), "is no vector"),
    ],
)
def test_decisions_that_do_not_fit_leave_the_utterance_out(stored, tmp_path, speech, told):
    first = stored.utterances[0]
    if speech is not None:
        with kaldiio.WriteHelper(f"ark,scp:{tmp_path}/vad.ark,{tmp_path}/vad.scp") as out:
            out("a", speech)
        place = (tmp_path / "vad.scp").read_text().split()[1]
        first = replace(first, extra=(("vad", place),))
    with pytest.raises(BadInput, match=told):
        convert(Manifest((first,)), tmp_path / "feats.ark", voiced=True)
