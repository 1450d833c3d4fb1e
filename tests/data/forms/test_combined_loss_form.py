"""The combined-loss system's input form: Kaldi folders, HDF5 files and lists that the real readers read back."""

import numpy as np
import pytest
import torch

from voxsphere.audio.stores import read_array
from voxsphere.audio.wave import read
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.forms import Corpus, write
from voxsphere.data.forms.combined_loss import CEPSTRA, combined_loss
from voxsphere.data.kaldi import read_kaldi, read_spk2utt
from voxsphere.data.manifests import open_manifest

kaldiio = pytest.importorskip("kaldiio")
h5py = pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def corpus(speakers) -> Corpus:
    """The made-up speakers as three data sets: eight teach, of whom one has a single recording; four are tried."""
    utterances = []
    for path in sorted(speakers.glob("s*/*.wav")):
        number, take = int(path.parent.name[1:]), path.stem
        dataset = ("x", "y", "z")[number % 3]
        if number != 7 or take == "0":
            name, split = f"{path.parent.name}/{path.name}", "train" if number < 8 else "eval"
            speaker = f"{dataset}/{path.parent.name}"
            utterances.append(Utterance(name, str(path), speaker, dataset=dataset, split=split))
    names = [f"s{speaker:02d}/{take}.wav" for speaker in (8, 9) for take in range(4)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    trials = Trials.from_pairs((a for a, _ in pairs), (b for _, b in pairs), (a[:3] == b[:3] for a, b in pairs))
    return Corpus(Manifest(tuple(utterances)), {"tried": trials})


@pytest.fixture(scope="module")
def form(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("form")
    done: list[int] = []
    made = combined_loss(corpus, out, min_recordings=2, hold_out=2, progress=done.append)
    assert sum(done) == len(corpus.teaching) + len(corpus.judging)
    assert (made.utterances, made.speakers) == (7 * 5 + 8, 7 + 2)
    assert made.told[0] == "train.hdf: 25 utterances of 5 speakers; valid.hdf: 2 speakers"
    return out


def test_the_data_sets_are_dealt_into_two_kaldi_folders(corpus, form):
    first, second = (read_kaldi(form / "mfcc" / name) for name in ("first", "second"))
    assert {u.speaker[0] for u in first} == {"x", "z"}
    assert {u.speaker[0] for u in second} == {"y"}
    assert {*first.ids, *second.ids} == set(corpus.teaching.ids)
    told = corpus.manifest.speaker_of()
    assert all(utterance.speaker == told[utterance.id] for utterance in (*first, *second))
    loaded = kaldiio.load_scp(str(form / "mfcc/second/feats.scp"))
    for name, theirs in loaded.items():
        path = next(utterance.path for utterance in corpus.manifest if utterance.id == name)
        with torch.inference_mode():
            expected = CEPSTRA()(torch.from_numpy(read(path, rate=16000))[None])[0].numpy()
        np.testing.assert_array_equal(theirs, expected)
    assert theirs.shape[1] == 23


def test_both_files_hold_them_by_speaker(form):
    train, valid = (open_manifest(form / name) for name in ("train.hdf", "valid.hdf"))
    assert len(train.speakers) == 5
    assert len(valid.speakers) == 2
    assert not set(train.speakers) & set(valid.speakers)
    assert not any(speaker.endswith("s07") for speaker in (*train.speakers, *valid.speakers))  # one recording
    by_name = {u.id: u.path for u in (*open_manifest(form / "train.tsv"), *open_manifest(form / "valid.tsv"))}
    for source in ("first", "second"):
        for name, theirs in kaldiio.load_scp(str(form / f"mfcc/{source}/feats.scp")).items():
            if "s07" not in name:
                np.testing.assert_array_equal(read_array(by_name[name]), theirs)


def test_the_lists_are_kaldis_and_by_speakers(corpus, form):
    lines = (form / "trials/tried").read_text().splitlines()
    assert lines[0] == "s08/0.wav s08/1.wav target"
    assert lines[3] == "s08/0.wav s09/0.wav nontarget"
    assert sorted(read_kaldi(form / "mfcc/eval").ids) == sorted(corpus.judging.ids)
    enrolled = read_spk2utt(form / "speakers/tried.spk2utt")
    assert enrolled == {"z/s08": ("s08/0.wav", "s08/1.wav"), "x/s09": ("s09/0.wav", "s09/1.wav")}
    trials = Trials.load(form / "speakers/tried.trials")
    pairs = [(trials.ids[a], trials.ids[b]) for a, b in zip(trials.enrol, trials.test, strict=True)]
    assert len(set(pairs)) == len(pairs) == 8  # two speakers by the other four recordings
    assert trials.target is not None
    for (speaker, test), target in zip(pairs, trials.target, strict=True):
        assert test.partition("/")[2] in ("2.wav", "3.wav")
        assert (speaker.endswith(test[:3])) == target


def test_a_corpus_of_one_data_set_is_dealt_by_speakers(corpus, tmp_path):
    some = tuple(u for u in corpus.manifest if u.dataset == "x" and u.split == "train")
    combined_loss(Corpus(Manifest(some), {}), tmp_path, hold_out=1)
    sides = [read_kaldi(tmp_path / "mfcc" / name).speakers for name in ("first", "second")]
    assert sides == [("x/s00", "x/s06"), ("x/s03",)]
    assert not (tmp_path / "trials").exists()


def test_of_few_speakers_a_quarter_is_held_out(corpus, tmp_path):
    made = write("combined_loss", Corpus(corpus.teaching, {}), tmp_path)
    # Who has one recording is learnt from, and not held out.
    assert made.told == ("train.hdf: 26 utterances of 6 speakers; valid.hdf: 2 speakers",)


def test_a_corpus_that_is_not_whole_is_refused(corpus, tmp_path):
    gone = Utterance("gone", str(tmp_path / "gone.wav"), "x/s00", dataset="x", split="train")
    with pytest.raises(BadInput, match=r"gone: .*no such file.*feats\.failed\.tsv"):
        combined_loss(Corpus(Manifest((*corpus.manifest, gone)), {}), tmp_path / "out", hold_out=2)
    alone = Manifest(tuple(u for u in corpus.manifest if u.speaker == "x/s00"))
    with pytest.raises(BadInput, match="1 speaker to learn from cannot be dealt into two sources"):
        combined_loss(Corpus(alone, {}), tmp_path / "alone")


def test_another_corpus_is_not_laid_over_the_first(corpus, form):
    with pytest.raises(BadInput, match="holds another corpus"):
        combined_loss(Corpus(corpus.manifest, {}), form, min_recordings=2, hold_out=2)


def test_of_two_speakers_one_has_to_be_asked_to_be_held_out(corpus, tmp_path):
    two = Manifest(tuple(u for u in corpus.manifest if u.speaker in ("x/s00", "y/s01")))
    with pytest.raises(BadInput, match=r"2 of 2 speakers cannot be held out .* --set hold_out= takes 1 to 1"):
        write("combined_loss", Corpus(two, {}), tmp_path)
    made = write("combined_loss", Corpus(two, {}), tmp_path, settings=("hold_out=1",))
    assert made.told == ("train.hdf: 5 utterances of 1 speakers; valid.hdf: 1 speakers",)
