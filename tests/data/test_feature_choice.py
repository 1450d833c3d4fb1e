"""Stored features of several sources into one set: whose they are, who says enough, who is held out."""

from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.stores import read_array
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.feature_choice import gathered, held_out_name, parted, with_speakers

kaldiio = pytest.importorskip("kaldiio")
h5py = pytest.importorskip("h5py")

# Two sources, as two Kaldi recipes leave them; cleo is in both.
SOURCES = {
    "one": {"ann": ("ann-1", "ann-2", "ann-3"), "cleo": ("cleo-1",)},
    "two": {"bob": ("bob-1", "bob-2"), "cleo": ("cleo-2", "cleo-3"), "dan": ("dan-1",)},
}


def matrix(name: str) -> np.ndarray:
    return np.random.default_rng(sum(map(ord, name))).normal(0, 5, (5 + len(name), 6)).astype(np.float32)


def write_source(folder: Path, speakers: dict[str, tuple[str, ...]], *, compression: int | None = None) -> None:
    """Archives of one list a speaker, and both tables beside them."""
    folder.mkdir(parents=True)
    for speaker, names in speakers.items():
        target = f"ark,scp:{folder}/raw_{speaker}.ark,{folder}/raw_{speaker}.scp"
        with kaldiio.WriteHelper(target, compression_method=compression) as out:
            for name in names:
                out(name, matrix(name))
    pairs = [(name, speaker) for speaker, names in speakers.items() for name in names]
    (folder / "utt2spk").write_text("".join(f"{name} {speaker}\n" for name, speaker in pairs))
    (folder / "spk2utt").write_text("".join(f"{speaker} {' '.join(names)}\n" for speaker, names in speakers.items()))


@pytest.fixture(params=[None, 2], ids=["plain", "compressed"])
def sources(request, tmp_path) -> Path:
    for name, speakers in SOURCES.items():
        write_source(tmp_path / name, speakers, compression=request.param)
    return tmp_path


def convert(voxsphere, root: Path, *options: object):
    patterns = (f"{root}/{name}/*.scp" for name in SOURCES)
    return voxsphere("features", "convert", *patterns, "--out", root / "data/train.hdf", *options)


def groups(file: Path) -> dict[str, list[str]]:
    with h5py.File(file) as content:
        return {speaker: sorted(content[speaker]) for speaker in content}


def test_two_sources_become_one_file_by_speaker_as_kaldiio_reads_them(voxsphere, sources):
    assert convert(voxsphere, sources).status == 0
    assert groups(sources / "data/train.hdf") == {
        "ann": ["ann-1", "ann-2", "ann-3"], "bob": ["bob-1", "bob-2"], "cleo": ["cleo-1", "cleo-2", "cleo-3"],
        "dan": ["dan-1"],
    }  # fmt: skip
    with h5py.File(sources / "data/train.hdf") as content:
        for list_ in sources.glob("*/raw_*.scp"):
            for name, theirs in kaldiio.load_scp(str(list_)).items():
                held = content[f"{name.partition('-')[0]}/{name}"]
                assert (held.shape, held.dtype) == ((1, 6, len(theirs)), np.float32)
                np.testing.assert_allclose(held[0].T, theirs, atol=1e-5)
                np.testing.assert_allclose(held[0].T, matrix(name), atol=0.2)


def test_the_file_goes_back_into_an_archive_that_kaldiio_reads(voxsphere, sources):
    convert(voxsphere, sources)
    back = voxsphere("features", "convert", sources / "data/train.hdf", "--out", sources / "back/feats.ark")
    assert back.status == 0, back.err
    loaded = kaldiio.load_scp(str(sources / "back/feats.scp"))
    assert len(loaded) == 9
    for name, theirs in loaded.items():
        place = f"{name.partition('-')[0]}/{name}"
        np.testing.assert_array_equal(theirs, read_array(f"{sources}/data/train.hdf#{place}"))
    assert "cleo cleo-1 cleo-2 cleo-3\n" in (sources / "back/spk2utt").read_text()


def test_speakers_of_few_recordings_over_all_sources_are_left_out(voxsphere, sources):
    convert(voxsphere, sources, "--min-recordings", 3)
    assert list(groups(sources / "data/train.hdf")) == ["ann", "cleo"]  # cleo's are one and two
    done = convert(voxsphere, sources, "--min-recordings", 4)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "--min-recordings 4: no speaker has so many utterances; the most are 3" in done.err


def test_held_out_speakers_go_into_a_second_file(voxsphere, sources):
    done = convert(voxsphere, sources, "--min-recordings", 2, "--hold-out", 1, "--json")
    assert done.status == 0, done.err
    train, valid = (set(groups(sources / "data" / name)) for name in ("train.hdf", "valid.hdf"))
    assert len(valid) == 1
    assert train | valid == {"ann", "bob", "cleo"}
    assert not train & valid
    assert f'"held_out": {{"out": "{sources}/data/valid.hdf"' in done.out
    others = {tuple(parted(gathered([sources / "one/*.scp", sources / "two/*.scp"]), hold_out=1, seed=s)[1].speakers)
              for s in range(20)}  # fmt: skip
    assert others == {("ann",), ("bob",), ("cleo",)}  # dan has one recording, of which no trial can be made
    assert held_out_name(Path("x/vox.h5")) == Path("x/valid_vox.h5")


def test_nobody_is_held_out_or_left_out_by_default(sources):
    whole = gathered([sources / "one/*.scp", sources / "two/*.scp"])
    teaching, judging = parted(whole)
    assert (teaching, len(judging)) == (whole, 0)


@pytest.mark.parametrize("table", ["utt2spk", "spk2utt"])
def test_tables_that_lie_elsewhere_say_who_speaks(voxsphere, sources, table):
    options = []
    for name in SOURCES:
        (sources / "tables" / name).mkdir(parents=True)
        for file in ("utt2spk", "spk2utt"):
            (sources / name / file).rename(sources / "tables" / name / file)
        options += [f"--{table}", sources / "tables" / name / table]
    assert convert(voxsphere, sources, *options).status == 0
    assert groups(sources / "data/train.hdf")["cleo"] == ["cleo-1", "cleo-2", "cleo-3"]
    done = convert(voxsphere, sources, *options[:2])
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert f"{options[1]}: names no speaker for bob-1" in done.err
    done = convert(voxsphere, sources, "--min-recordings", 2)
    assert "names no speaker (9 such utterances); --min-recordings and --hold-out need to know who speaks" in done.err


def test_an_utterance_of_two_sources_and_two_speakers_for_one_are_refused(sources, tmp_path):
    write_source(tmp_path / "three", {"eve": ("ann-2",)})
    with pytest.raises(BadInput, match=r"three/\*\.scp: ann-2 is in .*one/\*\.scp, too"):
        gathered([sources / "one/*.scp", tmp_path / "three/*.scp"])
    manifest = Manifest((Utterance("ann-2", "x.ark:1"),))
    tables = [sources / "one/utt2spk", tmp_path / "three/utt2spk"]
    with pytest.raises(BadInput, match="ann-2 is of eve here, of ann in a table before"):
        with_speakers(manifest, tables, [])
    assert with_speakers(manifest, tables[:1], []).speakers == ("ann",)
    assert with_speakers(manifest, [], []) is manifest
