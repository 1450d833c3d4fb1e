"""A corpus as VoxCeleb1's tree, read back by the reader of VoxCeleb and by both protocols."""

from dataclasses import replace

import numpy as np
import pytest

from voxsphere.audio.wave import read, write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.corpora.voxceleb import from_voxceleb
from voxsphere.data.forms import Corpus
from voxsphere.data.forms import write as write_form
from voxsphere.data.forms.unified_hypersphere import splits
from voxsphere.data.voxceleb1 import voxceleb1_identification, voxceleb1_verification


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Six speakers of ten utterances in two sessions, the last two to be tried; another's name begins with E."""
    root = tmp_path_factory.mktemp("corpus")
    rows = []
    for s, name in enumerate(("Eve", "a b", "a_b", "d/x", "Tom", "Ada")):
        for u in range(10):
            path = root / f"{s}-{u}.wav"
            wave = np.random.default_rng((s, u)).normal(0, 0.1, 4000).astype(np.float32)
            write(path, wave, 8000)
            part = {"start": 0.1, "duration": 0.25} if u == 9 else {}
            split, session = "train" if s < 4 else "eval", f"day{u % 2}"
            gender = "f" if s % 2 else "m"
            rows.append(Utterance(f"{s}/{u}", str(path), name, session=session, gender=gender, split=split, **part))
    one = Trials.from_pairs(["4/0", "4/0", "5/3"], ["4/1", "5/3", "5/9"], [True, False, True])
    two = Trials.from_pairs(["4/2"], ["5/4"], [False])
    return Corpus(Manifest(tuple(rows)), {"one": one, "two": two})


@pytest.mark.parametrize("layout", ["2017", "2018"])
def test_what_is_written_is_read_back_whole(corpus, tmp_path, layout):
    done = []
    made = write_form(
        "unified_hypersphere", corpus, tmp_path / "f", settings=(f"layout={layout}",), progress=done.append
    )
    found = from_voxceleb(tmp_path / "f")
    assert found.missing == ()
    assert (made.utterances, made.speakers, len(found.manifest), sum(done)) == (46, 6, 46, 46)
    assert len({u.speaker for u in found.manifest}) == 6
    # Sessions are videos, genders are kept, and names of those who are tried, and of no others, begin with E.
    names = {u.speaker: dict(u.extra)["name"] for u in found.manifest}
    tried = {u.speaker for u in found.manifest if dict(u.extra)["set"] == "test"}
    assert {speaker for speaker, name in names.items() if name.startswith("E")} == tried
    assert len(tried) == 2
    assert len(set(names.values())) == 6
    assert {len({u.session for u in found.manifest if u.speaker == s}) for s in names if s not in tried} == {2}
    # Trials by the ids of the reader, and the official list, which is that of both lists.
    assert len(found.trials["vox1_o"]) == 4
    each = [Trials.load(tmp_path / "f" / "trials" / f"{name}.txt") for name in ("one", "two")]
    for pairs, own in zip(each, corpus.trials.values(), strict=True):
        assert pairs.target.tolist() == own.target.tolist()
        assert set(pairs.ids) <= set(found.manifest.ids)
    speaker_of = found.manifest.speaker_of()
    for pairs in (*each, found.trials["vox1_o"]):
        same = [
            speaker_of[pairs.ids[a]] == speaker_of[pairs.ids[b]] for a, b in zip(pairs.enrol, pairs.test, strict=True)
        ]
        assert same == pairs.target.tolist()


def test_without_trials_there_is_no_list_of_them_and_that_is_told(corpus, tmp_path):
    made = write_form("unified_hypersphere", Corpus(corpus.teaching, {}), tmp_path / "f")
    assert made.told[1:] == ("no veri_test.txt, as no trials were given",)
    assert not (tmp_path / "f/veri_test.txt").exists()


def test_recordings_are_brought_to_16_kilohertz_and_parts_of_files_are_cut_out(corpus, tmp_path):
    write_form("unified_hypersphere", corpus, tmp_path / "f")
    first = from_voxceleb(tmp_path / "f").trials["vox1_o"]
    wave = read(next((tmp_path / "f" / "wav").rglob("*.wav")), rate=16000)
    assert len(wave) in (4000, 8000)
    part = Trials.load(tmp_path / "f" / "trials" / "one.txt").ids[3]  # 5/9, a part of a quarter of a second
    cut = read(tmp_path / "f" / "wav" / part, rate=16000)
    whole = read(corpus.manifest.utterances[-1].path, rate=16000)[1600:5600]
    assert len(first) == 4
    np.testing.assert_allclose(cut, whole, atol=1e-3)


def test_both_protocols_learn_from_the_tree(corpus, tmp_path):
    write_form("unified_hypersphere", corpus, tmp_path / "f")
    known, strangers = (f(root=str(tmp_path / "f")) for f in (voxceleb1_identification, voxceleb1_verification))
    assert (len(strangers.train.speakers), len(known.train.speakers)) == (4, 6)
    # Of ten utterances seven are of split 1, one of 2, two of 3, and those of split 3 teach for verification.
    assert (len(strangers.train), len(strangers.held_out)) == (4 * 9, 4 * 1)
    assert not set(known.train.ids) & set(known.held_out.ids)


def test_splits_are_shares_of_each_speakers_utterances():
    assert sorted(splits(10, "a")) == [1] * 7 + [2] + [3] * 2
    assert splits(10, "a") == splits(10, "a")
    assert splits(10, "a") != splits(10, "b")
    assert [sorted(splits(n, "a")) for n in (1, 2, 3, 4)] == [[1], [1, 1], [1, 1, 3], [1, 1, 2, 3]]
    for count in range(1, 200):
        assert splits(count, "a").count(1) >= count / 2


def test_it_goes_on_where_it_broke_and_refuses_what_is_not_its_own(corpus, tmp_path):
    out = tmp_path / "f"
    write_form("unified_hypersphere", corpus, out)
    gone = next((out / "wav").rglob("*.wav"))
    kept = next(path for path in (out / "wav").rglob("*.wav") if path != gone)
    before = kept.stat().st_mtime_ns
    gone.unlink()
    write_form("unified_hypersphere", corpus, out)
    assert gone.exists()
    assert kept.stat().st_mtime_ns == before
    for settings, told in (
        (("layout=2017",), "holds another corpus, or this one in another form"),
        (("layout=2019",), "layout: takes '2017' or '2018'"),
        (("shape=round",), "has no option 'shape'"),
        (("layout",), "is changed by name=value"),
    ):
        with pytest.raises(BadInput, match=told):
            write_form("unified_hypersphere", corpus, out, settings=settings)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(BadInput, match="holds something else"):
        write_form("unified_hypersphere", corpus, tmp_path / "full")


def test_trials_without_labels_and_broken_recordings_are_one_line(corpus, tmp_path):
    bare = Trials.from_pairs(["4/0"], ["4/1"])
    with pytest.raises(BadInput, match="bare: its trials do not say"):
        write_form("unified_hypersphere", Corpus(corpus.manifest, {"bare": bare}), tmp_path / "f")
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no audio")
    row = Utterance("x", str(broken), "Zoe", split="train")
    with pytest.raises(BadInput, match=r"broken\.wav.*1 recordings in all"):
        write_form("unified_hypersphere", Corpus(Manifest((*corpus.manifest, row)), {}), tmp_path / "g")


def test_nobody_teaches_whom_the_trials_name(corpus, tmp_path):
    """Eve's recordings of split eval would be drawn into splits 1 to 3 with those that teach, and be learnt from."""
    rows = [replace(u, split="eval") if u.id in ("0/8", "0/9") else u for u in corpus.manifest]
    trials = Trials.from_pairs(["0/8", "0/8"], ["0/9", "4/0"], [True, False])
    with pytest.raises(BadInput, match=r"Eve: teaches, and the trials name .* \(1 such in all\); .* --split-table"):
        write_form("unified_hypersphere", Corpus(Manifest(tuple(rows)), {"own": trials}), tmp_path / "f")
    assert not (tmp_path / "f").exists()
