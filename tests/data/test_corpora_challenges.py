"""CN-Celeb, SITW, VOiCES and CHiME-5 as downloaded, replicated file by file with empty recordings."""

import json
from pathlib import Path

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.data.corpora import prepare


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def pairs(trials):
    return [
        (trials.ids[a], trials.ids[b], bool(t))
        for a, b, t in zip(trials.enrol, trials.test, trials.target, strict=True)
    ]


def test_cnceleb_leaves_out_the_sources_of_eval_and_keeps_both_editions(tmp_path):
    one = "CN-Celeb_flac"
    touch(tmp_path, f"{one}/data/id00000/singing-01-002.flac", f"{one}/data/id00800/singing-01-001.flac")
    touch(tmp_path, f"{one}/eval/enroll/id00800-enroll.flac", f"{one}/eval/test/id00800-live_broadcast-02-001.flac")
    touch(tmp_path, "CN-Celeb2_flac/data/id10000/vlog-01-001.flac")
    write(tmp_path / one / "dev/dev.lst", "id00000\n")
    listed = "id00800-enroll test/id00800-live_broadcast-02-001.wav 1\nid00800-enroll test/id00999-play-01-001.wav 0\n"
    write(tmp_path / one / "eval/lists/trials.lst", listed)
    made = prepare("cnceleb", tmp_path)
    told = {u.id: (u.speaker, u.session, u.split, dict(u.extra).get("genre")) for u in made.manifest}
    assert told == {
        "id10000-vlog-01-001": ("id10000", "vlog-01", "dev", "vlog"),
        "id00000-singing-01-002": ("id00000", "singing-01", "dev", "singing"),
        "id00800-enroll": ("id00800", "", "eval", None),
        "id00800-live_broadcast-02-001": ("id00800", "live_broadcast-02", "eval", "live_broadcast"),
    }
    assert pairs(made.trials["cnceleb_e"]) == [
        ("id00800-enroll", "id00800-live_broadcast-02-001", True), ("id00800-enroll", "id00999-play-01-001", False),
    ]  # fmt: skip
    assert made.missing == (str(tmp_path / one / "eval/test/id00999-play-01-001.flac"),)


def test_cnceleb_without_its_lists_names_them_and_still_leaves_out_the_sources_of_eval(tmp_path):
    touch(
        tmp_path,
        "data/id00000/singing-01-002.flac",
        "data/id00800/singing-01-001.flac",
        "eval/enroll/id00800-enroll.wav",
    )
    made = prepare("cnceleb", tmp_path)
    assert made.manifest.ids == ("id00000-singing-01-002", "id00800-enroll")
    assert made.missing == (str(tmp_path / "dev/dev.lst"), str(tmp_path / "eval/lists/trials.lst"))


def test_cnceleb_of_data_alone_keeps_its_test_speakers_apart_and_names_what_says_so(tmp_path):
    people = ("id00799", "id00800", "id00999", "id10000")
    touch(tmp_path, *(f"data/{speaker}/singing-01-001.flac" for speaker in people))
    made = prepare("cnceleb", tmp_path)
    assert [u.split for u in made.manifest] == ["dev", "test", "test", "dev"]
    assert made.missing == (str(tmp_path / "dev/dev.lst"), str(tmp_path / "eval"))
    write(tmp_path / "dev/dev.lst", "id00799\n")
    assert [u.speaker for u in prepare("cnceleb", tmp_path).manifest] == ["id00799", "id10000"]
    assert prepare("cnceleb", tmp_path).missing == (str(tmp_path / "eval"),)


def test_cnceleb_2_alone_has_no_lists_to_miss(tmp_path):
    touch(tmp_path, "data/id10000/singing-01-001.flac")
    assert prepare("cnceleb", tmp_path).missing == ()


def test_sitw_names_files_for_models_and_people_where_one_is_heard(tmp_path):
    touch(tmp_path, "dev/audio/skdts.flac", "dev/audio/abcde.flac", "dev/audio/party.flac")
    write(
        tmp_path / "dev/keys/meta.lst",
        "audio/skdts.flac ZPYJ m video 605273 96 120 1 codec,reverb 3 interview laughter\n"
        "audio/abcde.flac ZPYJ m lapel 605274 0 10 1 none 0 studio\n"
        "audio/party.flac ZPYJ m video 7 0 9 2 none 0 street\naudio/party.flac QRST f video 7 0 9 2 none 0 street\n",
    )
    write(tmp_path / "dev/lists/enroll-core.lst", "69006 audio/skdts.flac\n")
    write(tmp_path / "dev/keys/core-core.lst", "69006 audio/abcde.flac tgt\n69006 audio/gone.flac imp\n")
    write(tmp_path / "dev/keys/core-multi.lst", "69006 audio/party.flac tgt\n")
    made = prepare("sitw", tmp_path)
    told = {u.id: (u.speaker, u.gender, u.session, u.split) for u in made.manifest}
    assert told == {
        "dev/audio/abcde.flac": ("ZPYJ", "m", "605274", "dev"),
        "dev/audio/party.flac": ("", "", "7", "dev"),
        "dev/audio/skdts.flac": ("ZPYJ", "m", "605273", "dev"),
    }
    assert {name: pairs(each) for name, each in made.trials.items()} == {
        "dev_core-core": [
            ("dev/audio/skdts.flac", "dev/audio/abcde.flac", True),
            ("dev/audio/skdts.flac", "dev/audio/gone.flac", False),
        ],
        "dev_core-multi": [("dev/audio/skdts.flac", "dev/audio/party.flac", True)],
    }
    assert made.missing == (str(tmp_path / "dev/audio/gone.flac"), str(tmp_path / "eval"))


def test_voices_are_told_by_their_names(tmp_path):
    lab = "Lab41-SRI-VOiCES"
    near, far = f"{lab}-src-sp0032-ch001-sg0001", f"{lab}-rm1-babb-sp0032-ch001-sg0002-mc05-stu-far-dg080"
    other = f"{lab}-rm2-none-sp0083-ch003-sg0004-mc01-lav-clo-dg040"
    base = tmp_path / "Development_Data/Speaker_Recognition"
    touch(base, f"sid_dev/sp0032/{near}.wav", f"sid_dev/sp0032/{far}.wav", "sid_dev/notes.wav")
    write(base / "sid_dev_lists_and_keys/dev-enroll.lst", f"model1 sid_dev/sp0032/{near}.wav\n")
    listed = f"model1 sid_dev/sp0032/{far}.wav tgt\nmodel1 sid_dev/sp0083/{other}.wav imp\n"
    write(base / "sid_dev_lists_and_keys/dev-trial-keys.lst", listed)
    made = prepare("voices", tmp_path)
    told = {u.id: u for u in made.manifest}
    assert set(told) == {near, far}
    assert (told[far].speaker, told[far].session, told[far].split) == ("sp0032", "001-rm1-babb-05", "dev")
    assert dict(told[far].extra) == {
        "room": "rm1", "distractor": "babb", "microphone": "05", "kind": "stu", "place": "far", "angle": "080",
    }  # fmt: skip
    assert dict(told[near].extra) == {"room": "src"}
    assert pairs(made.trials["voices_dev"]) == [(near, far, True), (near, other, False)]
    assert [Path(path).name for path in made.missing] == [f"{other}.wav"]


def test_voices_eval_files_are_known_by_the_map_that_came_afterwards(tmp_path):
    touch(tmp_path, "Speaker_Recognition/sid_eval/aaaa.wav", "Speaker_Recognition/sid_eval/bbbb.wav")
    lists, keys = tmp_path / "Speaker_Recognition/sid_eval_lists", tmp_path / "VOiCES_challenge_2019_post-eval-release"
    write(lists / "eval-enroll.lst", "7001 sid_eval/aaaa.wav\n")
    write(keys / "VOiCES_challenge_2019_eval.SID.trial-keys.lst", "7001 bbbb.wav tgt\n")
    before = prepare("voices", tmp_path)
    assert [(u.speaker, u.split) for u in before.manifest] == [("", "eval"), ("", "eval")]
    assert pairs(before.trials["voices_eval"]) == [("aaaa", "bbbb", True)]
    assert [Path(path).name for path in before.missing] == ["VOiCES_challenge_2019_eval.SID.map"]
    names = "Lab41-SRI-VOiCES-src-sp0102-ch001-sg0001", "Lab41-SRI-VOiCES-rm3-tele-sp0102-ch9-sg02-mc18-lav-sho-dg090"
    write(keys / "VOiCES_challenge_2019_eval.SID.map", f"aaaa {names[0]}.wav\nbbbb {names[1]}.wav\n")
    write(tmp_path / "references/Lab41-SRI-VOiCES-speaker-gender-dataset.tbl", "Speaker Gender Dataset\n102 F x\n")
    made = prepare("voices", tmp_path)
    assert [(u.id, u.speaker, u.gender) for u in made.manifest] == [("aaaa", "sp0102", "f"), ("bbbb", "sp0102", "f")]
    assert dict(made.manifest.utterances[1].extra)["microphone"] == "18"
    assert made.missing == ()


def turn(start, end, speaker="P05", **more):
    return {"speaker": speaker, "start_time": start, "end_time": end, "words": "hello", **more}


def test_chime5_turns_are_parts_of_what_their_speaker_wore(tmp_path):
    touch(tmp_path, "audio/dev/S02_P05.wav", "audio/dev/S02_U01.CH1.wav")
    turns = [
        turn({"original": "0:01:17.20", "U01": "0:01:18.00"}, {"original": "1:01:18.50"}, location="kitchen"),
        turn("0:00:01.00", "0:00:02.25", words="again"),
        {"start_time": "0:00:03.00", "end_time": "0:00:04.00", "words": "[redacted]"},
        turn("0:00:05.00", "0:00:05.00"),
        turn("0:00:05.00", "0:00:06.00", speaker="P06"),
    ]
    write(tmp_path / "transcriptions/dev/S02.json", json.dumps(turns))
    made = prepare("chime5", tmp_path)
    first, second = made.manifest
    assert (first.id, first.start, first.duration) == ("P05_S02-0007720-0367850", 77.2, 3601.3)
    assert (first.speaker, first.session, first.split, first.extra) == ("P05", "S02", "dev", (("location", "kitchen"),))
    assert (second.start, second.duration, second.text) == (1.0, 1.25, "again")
    assert made.missing == (str(tmp_path / "audio/dev/S02_P06.wav"),)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({}, "holds no list"),
        ([3], "turn 1 is no object"),
        ([turn("1:2", "0:00:01")], "turn 1: start_time '1:2' is no H"),
    ],
)
def test_what_is_wrong_in_a_chime5_transcript_is_named(tmp_path, content, told):
    write(tmp_path / "transcriptions/dev/S02.json", json.dumps(content))
    with pytest.raises(BadInput, match=told):
        prepare("chime5", tmp_path)
