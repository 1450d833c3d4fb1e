"""Kaldi folders, folders of speakers, and the door that tells them apart."""

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.folders import read_folders
from voxsphere.data.kaldi import read_kaldi, read_scp, save_kaldi
from voxsphere.data.manifests import open_manifest


def kaldi(folder, **files):
    for name, text in files.items():
        (folder / name.replace("_", ".", 1) if name == "wav_scp" else folder / name).write_text(text)
    return folder


def test_a_kaldi_folder_of_whole_files(tmp_path):
    (tmp_path / "a.wav").touch()
    folder = kaldi(
        tmp_path,
        wav_scp="u1 a.wav\nu2 /far/b c.wav\n",
        utt2spk="u1 s1\nu2 s2\n",
        spk2gender="s1 f\n",
        text="u2 HELLO YOU\n",
    )
    first, second = read_kaldi(folder)
    assert first == Utterance("u1", str(tmp_path / "a.wav"), "s1", gender="f")
    assert second == Utterance("u2", "/far/b c.wav", "s2", text="HELLO YOU")


def test_a_kaldi_folder_of_segments(tmp_path):
    folder = kaldi(tmp_path, wav_scp="r /a.wav\n", segments="u1 r 0.5 2\nu2 r 3 -1\n", spk2utt="s u1 u2\n")
    first, second = read_kaldi(folder)
    assert (first.start, first.duration) == (0.5, 1.5)
    assert (second.start, second.duration) == (3.0, None)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"utt2spk": "u s\n"}, "wav.scp: no such file"),
        ({"wav_scp": "u a.wav\n"}, "neither utt2spk nor spk2utt"),
        ({"wav_scp": "u touch ran |\n", "utt2spk": "u s\n"}, "commands are not run"),
        ({"wav_scp": "u\n", "utt2spk": "u s\n"}, "line 1 holds only 'u'"),
        ({"wav_scp": "u a\nu b\n", "utt2spk": "u s\n"}, "line 2: u stands there already"),
        ({"wav_scp": "u a\nv b\n", "utt2spk": "u s\n"}, "utterance v has no speaker"),
        ({"wav_scp": "u a\n", "utt2spk": "u s\nv s\n"}, "v has a speaker but is not in wav.scp"),
        ({"wav_scp": "r a\n", "utt2spk": "u s\n", "segments": "u q 0 1\n"}, "recording q is not in wav.scp"),
        ({"wav_scp": "r a\n", "utt2spk": "u s\n", "segments": "u r 2 1\n"}, "line 1: a segment runs"),
        ({"wav_scp": "r a\n", "utt2spk": "u s\n", "segments": "u r a b\n"}, "are to be seconds"),
    ],
)
def test_what_a_kaldi_folder_lacks_is_named(tmp_path, files, told):
    with pytest.raises(BadInput, match=told.replace(".", r"\.").replace("|", r"\|")):
        read_kaldi(kaldi(tmp_path, **files))


@pytest.mark.parametrize("parts", [False, True])
def test_a_manifest_goes_to_kaldi_and_back(tmp_path, parts):
    made = [Utterance(f"s{i % 2}-u{i}", f"/audio/{i // 2 if parts else i}.wav", f"s{i % 2}") for i in range(4)]
    if parts:
        made = [Utterance(u.id, u.path, u.speaker, i + 1 / 3, None if i == 3 else 1 / 7) for i, u in enumerate(made)]
    save_kaldi(Manifest(tuple(made)), tmp_path)
    again = {utterance.id: utterance for utterance in read_kaldi(tmp_path)}
    for utterance in made:
        other = again[utterance.id]
        assert (other.path, other.speaker, other.start) == (utterance.path, utterance.speaker, utterance.start)
        assert other.duration == (pytest.approx(utterance.duration) if utterance.duration else None)


def test_durations_and_domains_go_to_kaldi_and_back(tmp_path):
    made = Manifest(
        (Utterance("s-a", "/a.wav", "s", duration=1.25, extra=(("domain", "film"),)), Utterance("s-b", "/b.wav", "s"))
    )
    save_kaldi(made, tmp_path)
    assert (tmp_path / "utt2dur").read_text() == "s-a 1.25\n"
    assert (tmp_path / "utt2dom").read_text() == "s-a film\n"
    assert read_kaldi(tmp_path).utterances == made.utterances


def test_a_list_of_features_takes_genders_and_domains_from_beside_it(tmp_path):
    folder = kaldi(
        tmp_path, **{"feats.scp": "s-a f.ark:4\n", "utt2spk": "s-a s\n", "spk2gender": "s f\n", "utt2dom": "s-a film\n"}
    )
    (said,) = read_scp([folder / "feats.scp"])
    assert (said.speaker, said.gender, said.extra) == ("s", "f", (("domain", "film"),))


def test_blanks_in_names_of_folders_and_files_are_not_in_ids(tmp_path):
    (tmp_path / "Ann Lee").mkdir()
    (tmp_path / "Ann Lee" / "take  1.wav").touch()
    (said,) = read_folders(tmp_path)
    assert (said.id, said.speaker) == ("Ann_Lee/take_1.wav", "Ann Lee")
    assert said.path == str(tmp_path / "Ann Lee" / "take  1.wav")


def test_a_folder_of_speaker_folders(tmp_path):
    for name in ("bob/1.wav", "ann/monday/2.FLAC", "ann/notes.txt", ".hidden/3.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    ann, bob = read_folders(tmp_path)
    assert (ann.id, ann.speaker, ann.session) == ("ann/monday/2.FLAC", "ann", "monday")
    assert (bob.speaker, bob.session) == ("bob", "")


def test_audio_beside_the_speakers_and_no_audio_at_all_are_named(tmp_path):
    with pytest.raises(BadInput, match="holds no audio"):
        read_folders(tmp_path)
    (tmp_path / "loose.wav").touch()
    with pytest.raises(BadInput, match=r"loose\.wav: lies beside"):
        read_folders(tmp_path)


def test_the_door_tells_the_forms_apart(tmp_path):
    for name in ("kaldi", "folders/ann"):
        (tmp_path / name).mkdir(parents=True)
    kaldi(tmp_path / "kaldi", wav_scp="u /a.wav\n", utt2spk="u s\n")
    (tmp_path / "folders/ann/1.wav").touch()
    (tmp_path / "t.tsv").write_text("path\tspeaker\n/a.wav\ts\n")
    assert open_manifest(tmp_path / "kaldi").ids == ("u",)
    assert open_manifest(tmp_path / "folders").ids == ("ann/1.wav",)
    assert open_manifest(tmp_path / "t.tsv").ids == ("/a.wav",)
    (tmp_path / "song.mp3").touch()
    with pytest.raises(BadInput, match="is no manifest"):
        open_manifest(tmp_path / "song.mp3")
    with pytest.raises(BadInput, match="no such file"):
        open_manifest(tmp_path / "none.tsv")
