"""LibriSpeech and VCTK as downloaded, replicated file by file with empty recordings."""

from pathlib import Path

from voxsphere.data.corpora import prepare


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_librispeech_has_readers_chapters_subsets_texts_and_what_is_missing(tmp_path):
    root = tmp_path / "LibriSpeech"
    touch(root, "dev-clean/84/121123/84-121123-0000.flac", "test-other/367/130732/367-130732-0001.flac")
    touch(root, "dev-clean/84/121123/cover.flac")
    (root / "dev-clean/84/121123/84-121123.trans.txt").write_text("84-121123-0000 GO\n84-121123-0001 DO YOU HEAR\n")
    (root / "SPEAKERS.TXT").write_text(
        ";ID  |SEX| SUBSET\n84   | F | dev-clean | 8.02 | Christie\n367 | M | x | 1 | A\n"
    )
    made = prepare("librispeech", tmp_path)
    first, second = made.manifest
    assert (first.id, first.speaker, first.session, first.gender) == ("84-121123-0000", "84", "121123", "f")
    assert (first.split, first.text, first.language, first.dataset) == ("dev", "GO", "en", "librispeech")
    assert (second.id, second.split, second.gender, second.text) == ("367-130732-0001", "test", "m", "")
    assert (first.extra, second.extra) == ((("subset", "dev-clean"),), (("subset", "test-other"),))
    assert made.missing == (
        str(root / "dev-clean/84/121123/84-121123-0001.flac"),
        str(root / "test-other/367/130732/367-130732.trans.txt"),
    )
    (root / "SPEAKERS.TXT").unlink()
    again = prepare("librispeech", root)
    assert str(root / "SPEAKERS.TXT") in again.missing
    assert again.manifest.ids == made.manifest.ids


def test_readers_of_the_subsets_that_are_there_are_missing_where_nothing_is_heard_of_them(tmp_path):
    root = tmp_path / "LibriSpeech"
    touch(root, "train-clean-100/103/1240/103-1240-0000.flac", "train-clean-100/103/1240/103-1240.trans.txt")
    readers = [("103", "train-clean-100"), ("1034", "train-clean-100"), ("84", "dev-clean"), ("14", "train-clean-360")]
    (root / "SPEAKERS.TXT").write_text("".join(f"{name:5}| F | {subset:16} | 25.03 | A\n" for name, subset in readers))
    assert prepare("librispeech", tmp_path).missing == (str(root / "train-clean-100/1034"),)


def test_vctk_0_92_has_its_people_microphones_and_texts(tmp_path):
    sound = "wav48_silence_trimmed"
    touch(tmp_path, f"{sound}/p225/p225_001_mic1.flac", f"{sound}/p225/p225_001_mic2.flac")
    touch(tmp_path, f"{sound}/s5/s5_001_mic1.flac", f"{sound}/log.txt", "txt/p225/p225_002.txt", "txt/s5/s5_001.txt")
    (tmp_path / "txt/p225/p225_001.txt").write_text("Please call Stella.\n")
    (tmp_path / "speaker-info.txt").write_text(
        "ID  AGE  GENDER  ACCENTS  REGION COMMENTS \n"
        "p225  23  F    English    Southern  England  (mic2 files unavailable)\ns5 24 M British Oxford\n"
    )
    made = prepare("vctk", tmp_path)
    assert made.manifest.ids == ("p225_001_mic1", "p225_001_mic2", "s5_001_mic1")
    first, second, third = made.manifest
    assert (first.speaker, first.gender, first.text, third.gender) == ("p225", "f", "Please call Stella.", "m")
    assert dict(second.extra) == {
        "microphone": "mic2", "age": "23", "accent": "English", "region": "Southern  England",
    }  # fmt: skip
    lost = ("p225/p225_002_mic1.flac", "p225/p225_002_mic2.flac", "s5/s5_001_mic2.flac")
    assert made.missing == tuple(str(tmp_path / sound / name) for name in lost)


def test_vctk_does_not_miss_the_second_microphone_where_it_failed(tmp_path):
    touch(tmp_path, "wav48_silence_trimmed/p280/p280_001_mic1.flac", "txt/p280/p280_001.txt")
    (tmp_path / "speaker-info.txt").write_text("ID  AGE  GENDER  ACCENTS  REGION\np280 25 F Unknown France\n")
    assert prepare("vctk", tmp_path).missing == ()


def test_vctk_0_80_writes_its_people_by_number_alone(tmp_path):
    touch(tmp_path, "VCTK-Corpus/wav48/p226/p226_003.wav", "VCTK-Corpus/txt/p226/p226_004.txt")
    (tmp_path / "VCTK-Corpus/speaker-info.txt").write_text(
        "ID  AGE  GENDER  ACCENTS  REGION\n226  22  M  English  Surrey\n"
    )
    (only,) = prepare("vctk", tmp_path).manifest
    lost = str(tmp_path / "VCTK-Corpus/wav48/p226/p226_004.wav")
    assert prepare("vctk", tmp_path).missing == (lost,)
    assert (only.id, only.gender, dict(only.extra)["region"]) == ("p226_003", "m", "Surrey")
    (tmp_path / "VCTK-Corpus/speaker-info.txt").unlink()
    assert prepare("vctk", tmp_path).missing == (str(tmp_path / "speaker-info.txt"), lost)
