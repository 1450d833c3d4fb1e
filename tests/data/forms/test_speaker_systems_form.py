"""A corpus written as Kaldi data folders: the real reader opens them, and learns from them."""

import numpy as np
import pytest

from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.corpora.kaldi_folder import from_kaldi
from voxsphere.data.forms import Corpus, open_corpus
from voxsphere.data.forms import write as write_form
from voxsphere.data.kaldi_set import kaldi_set


@pytest.fixture
def corpus(tmp_path):
    """Six speakers, six recordings each, of whom two are for trials; as a manifest, a table and a list."""
    utterances = []
    for name in "abcdef":
        for take in range(6):
            path = tmp_path / f"waves/{name}/{take}.wav"
            write(path, np.full(8000 + 800 * take, 0.1, np.float32), 16000)
            gender = "f" if name in "ab" else "m"
            utterances.append(
                Utterance(f"{name}-{take}", str(path), name, gender=gender, dataset="set", session=str(take))
            )
    Manifest(tuple(utterances)).save(tmp_path / "m.tsv")
    splits = "".join(f"set\t{name}\t{'eval' if name in 'ef' else 'train'}\n" for name in "abcdef")
    (tmp_path / "split.tsv").write_text(f"dataset\tspeaker\tsplit\n{splits}")
    Trials.from_pairs(["e-0", "e-0"], ["e-1", "f-0"], [True, False]).save(tmp_path / "trials_two.txt")
    return open_corpus(
        tmp_path / "m.tsv", split_table=str(tmp_path / "split.tsv"), trials=[tmp_path / "trials_two.txt"]
    )


def test_kaldis_reader_opens_what_was_written(corpus, tmp_path):
    done = []
    made = write_form("speaker_systems", corpus, tmp_path / "out", progress=done.append)
    assert (made.utterances, made.speakers, sum(done)) == (27, 6, 27)
    train, test = (from_kaldi(tmp_path / "out" / name) for name in ("train", "test-two"))
    assert train.missing == test.missing == ()
    assert train.manifest.speakers == ("set/a", "set/b", "set/c", "set/d")
    first = train.manifest.utterances[0]
    assert (first.id, first.duration, first.gender, dict(first.extra)["domain"]) == ("a-0", 0.5, "f", "set")
    assert sorted(u.id for u in test.manifest) == ["e-0", "e-1", "f-0"]
    listed = test.trials["trials"]
    assert [listed.ids[i] for i in listed.test] == ["e-1", "f-0"]
    assert listed.target.tolist() == [True, False]


def test_a_folder_of_something_else_is_left_alone(corpus, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/letter.txt").write_text("dear")
    with pytest.raises(BadInput, match="holds something else"):
        write_form("speaker_systems", corpus, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == [tmp_path / "out/letter.txt"]


def test_another_corpus_is_not_laid_over_the_first(corpus, tmp_path):
    """Its genders, or a list that it does not have, would stay among the new files."""
    write_form("speaker_systems", corpus, tmp_path / "out")
    write_form("speaker_systems", corpus, tmp_path / "out")
    with pytest.raises(BadInput, match="holds another corpus"):
        write_form("speaker_systems", Corpus(corpus.manifest, {}), tmp_path / "out")


def test_a_recording_that_cannot_be_read_is_told(corpus, tmp_path):
    (tmp_path / "waves/a/0.wav").write_bytes(b"none")
    made = write_form("speaker_systems", corpus, tmp_path / "out")
    assert made.told[-1] == "1 recordings could not be read, and have no duration"
    assert "a-0" not in (tmp_path / "out/train/utt2dur").read_text()


def test_two_of_a_speakers_recordings_are_left_out_and_nobody_hears_them(corpus, tmp_path):
    root = str(write_form("speaker_systems", corpus, tmp_path / "out").folder)
    data = kaldi_set(root=root, held_out=2, same_gender=False, domain="domain", speeds=(0.9,))
    assert len(data.held_out.speakers) == 2
    assert {u.speaker for u in data.left_out} == {u.speaker for u in data.train if u.speed == 1}
    assert len(data.left_out) == 4
    assert not {u.id for u in data.left_out} & {u.id for u in data.train}
    assert data.domain_names == ("set",)
    assert len(data.train) == 2 * 2 * 4
    again = kaldi_set(root=root, held_out=2, same_gender=False)
    assert again.left_out.ids == data.left_out.ids
    assert len(kaldi_set(root=root, held_out=2, same_gender=False, left_out=0).left_out) == 0
    assert len(kaldi_set(root=root, held_out=2, same_gender=False, left_out=4).left_out) == 0  # nobody has eight
    with pytest.raises(BadInput, match="give 0 or more"):
        kaldi_set(root=root, held_out=2, same_gender=False, left_out=-1)
