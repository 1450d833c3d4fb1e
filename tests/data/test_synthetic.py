"""The synthetic corpus: seeded, resumable, unseen voices in its test, and sessions that are what they say."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from voxsphere.audio.espeak import Voice
from voxsphere.audio.wave import info
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.core.random import stream
from voxsphere.core.trials import Trials
from voxsphere.data.sentences import sentence
from voxsphere.data.synthetic import MANIFEST, TRIALS, make_corpus
from voxsphere.data.synthetic_voices import Difficulty, Session, draw_session, draw_voice, record

RATE = 16000
SMALL = {"speakers": 8, "test_speakers": 4, "utterances": 4, "sessions": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("espeakng_loader", reason="espeak-ng is not here: pip install 'voxsphere[synthetic]'")
    folder = tmp_path_factory.mktemp("synthetic") / "corpus"
    make_corpus(folder, **SMALL)
    return folder


def content(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_corpus_is_what_was_asked_for(folder):
    manifest = Manifest.load(folder / MANIFEST)
    assert len(manifest) == 32
    assert [f"{u.speaker}/{u.session}" for u in manifest][:4] == ["synth000/s1"] * 2 + ["synth000/s2"] * 2
    assert {u.gender for u in manifest if u.split == "test"} == {"m", "f"}
    assert len({u.text for u in manifest}) == 32
    assert all(info(u.path).rate == RATE and 1.5 < u.duration < 7 for u in manifest)
    assert 2.5 < np.mean([u.duration for u in manifest]) < 4.5


def test_no_test_speaker_is_trained_on(folder):
    manifest = Manifest.load(folder / MANIFEST)
    train, test = ({u.speaker for u in manifest if u.split == split} for split in ("train", "test"))
    assert (len(train), len(test)) == (4, 4)
    assert not train & test


@pytest.mark.parametrize("seed", [0, 1])
def test_no_two_speakers_have_nearly_one_voice(seed):
    voices = [draw_voice(stream("synthetic", seed, number, "voice"), "mf"[number % 2]) for number in range(120)]
    numbers = np.array(
        [np.ravel([np.log([v.pitch, v.span, v.tract]), *np.log(v.formants)]) for v in map(_kept, voices)]
    )
    scaled = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    distance = np.linalg.norm(scaled[:, None] - scaled[None], axis=-1)
    # 30 independent unit normals lie about sqrt(60) = 7.7 apart.
    assert distance[np.triu_indices(len(voices), 1)].min() > 3


def _kept(voice):
    return replace(voice, formants=tuple(map(tuple, np.asarray(voice.formants, float))))


def test_the_sexes_differ_in_pitch_and_tract():
    men, women = ([draw_voice(stream("population", sex, n), sex) for n in range(200)] for sex in ("m", "f"))
    assert np.median([v.pitch for v in men]) == pytest.approx(115, rel=0.05)
    assert np.median([v.pitch for v in women]) == pytest.approx(200, rel=0.05)
    assert np.mean([v.tract for v in women]) / np.mean([v.tract for v in men]) == pytest.approx(1.146, rel=0.03)


def test_without_spread_all_speakers_of_a_sex_differ_in_accent_alone():
    voices = {replace(draw_voice(stream("alike", n), "f", spread=0), accent="en") for n in range(10)}
    assert len(voices) == 1


def test_trials_pair_unseen_voices_across_sessions_within_a_gender(folder):
    trials = Trials.load(folder / TRIALS)
    of = {u.id: u for u in Manifest.load(folder / MANIFEST)}
    pairs = [(of[trials.ids[a]], of[trials.ids[b]]) for a, b in zip(trials.enrol, trials.test, strict=True)]
    assert len(pairs) == len(set(pairs)) == 2 * 4 * 4  # 2 utterances in one session by 2 in the other, 4 speakers
    assert trials.target.sum() == 16
    for (a, b), target in zip(pairs, trials.target, strict=True):
        assert (a.speaker == b.speaker) == target
        assert (a.split, b.split) == ("test", "test")
        assert a.gender == b.gender
        assert a.session != b.session or not target


def test_a_new_process_makes_the_same_files(folder, tmp_path):
    code = f"from voxsphere.data.synthetic import make_corpus; make_corpus({str(tmp_path / 'b')!r}, **{SMALL})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert content(tmp_path / "b") == content(folder)


def test_what_an_interrupted_call_left_is_kept_and_finished(folder, tmp_path):
    other = tmp_path / "corpus"

    class Interruption(Exception):
        pass

    def interrupt(_):
        if len(list(other.rglob("*.flac"))) == 13:
            raise Interruption

    with pytest.raises(Interruption):
        make_corpus(other, **SMALL, progress=interrupt)
    assert not (other / MANIFEST).exists()
    kept = {path: path.stat().st_mtime_ns for path in other.rglob("*.flac")}
    counted = []
    manifest = make_corpus(other, **SMALL, progress=counted.append)
    assert content(other) == content(folder)
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    assert sum(counted) == len(manifest)
    assert manifest == Manifest.load(other / MANIFEST)


def test_another_seed_is_another_corpus(folder, tmp_path):
    make_corpus(tmp_path, **SMALL | {"speakers": 2, "test_speakers": 1}, seed=1)
    assert not set(content(tmp_path).values()) & set(content(folder).values())
    assert not (tmp_path / TRIALS).exists()  # nobody to be taken for


def test_a_third_of_the_speakers_are_for_tests_if_none_says_otherwise(tmp_path):
    pytest.importorskip("espeakng_loader")
    manifest = make_corpus(tmp_path, speakers=4, utterances=1, sessions=1)
    assert [u.split for u in manifest] == ["train"] * 3 + ["test"]


def test_a_folder_of_other_settings_or_other_things_is_refused(folder, tmp_path):
    with pytest.raises(BadInput, match="a corpus of other settings lies here"):
        make_corpus(folder, **SMALL, difficulty=Difficulty(colour=1))
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(BadInput, match="holds something else"):
        make_corpus(tmp_path, **SMALL)


@pytest.mark.parametrize("wrong", [{"test_speakers": 9}, {"sessions": 5}, {"sessions": 0}, {"speakers": 0}])
def test_impossible_counts_are_refused(wrong, tmp_path):
    with pytest.raises(BadInput, match="neither of the second numbers can be above the first"):
        make_corpus(tmp_path / "new", **SMALL | {"speakers": 8} | wrong)
    assert not (tmp_path / "new").exists()


def test_a_machine_without_the_synthesiser_is_told_the_extra_and_gets_no_folder(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(BadInput, match=r"pip install 'voxsphere\[synthetic\]'$"):
        make_corpus(tmp_path / "new", **SMALL)
    assert not (tmp_path / "new").exists()


def test_sentences_keep_to_their_number_of_words():
    texts = [sentence(stream("sentences", n), words=n % 14 + 1) for n in range(400)]
    for n, text in enumerate(texts):
        assert n % 14 + 1 <= len(text.split()) <= max(n % 14 + 1, 5) + 2
    assert len(set(texts)) > 395


PLAIN = Session(Voice(), np.zeros(8), np.ones(1), slope=0.0, snr=300.0, level=-26.0)


def test_a_session_without_colour_room_or_noise_changes_the_level_alone(babble):
    wave = babble(2.0)
    heard = record(wave, PLAIN, stream("session"), rate=RATE)
    assert 20 * np.log10(np.sqrt(np.mean(heard**2))) == pytest.approx(-26, abs=1e-3)
    np.testing.assert_allclose(heard / np.linalg.norm(heard), wave / np.linalg.norm(wave), atol=1e-6)


@pytest.mark.parametrize("snr", [0.0, 10.0, 25.0])
@pytest.mark.parametrize("slope", [0.0, -6.0])
def test_the_noise_lies_as_far_below_the_speech_as_drawn_and_has_its_slope(babble, snr, slope):
    wave = babble(4.0)
    heard = record(wave, replace(PLAIN, snr=snr, slope=slope), stream("session"), rate=RATE).astype(float)
    noise = heard - wave * (heard @ wave) / (wave @ wave)
    assert 10 * np.log10(np.sum((heard - noise) ** 2) / np.sum(noise**2)) == pytest.approx(snr, abs=0.2)
    power, hertz = np.abs(np.fft.rfft(noise)) ** 2, np.fft.rfftfreq(len(noise), 1 / RATE)
    at = [power[(hertz > middle * 0.95) & (hertz < middle * 1.05)].mean() for middle in (500, 4000)]
    assert 10 * np.log10(at[1] / at[0]) == pytest.approx(3 * slope, abs=1.0)


def test_the_microphone_has_the_response_it_was_given():
    response = np.array([0.0, -6, 3, 0, 9, -3, 5, -10])
    wave = np.zeros(RATE, np.float32)
    wave[RATE // 2] = 1
    heard = record(wave, replace(PLAIN, response=response), stream("session"), rate=RATE)
    gain = 20 * np.log10(np.abs(np.fft.rfft(heard)))
    found = gain[[125, 250, 500, 1000, 2000, 4000, 8000]]
    np.testing.assert_allclose(found - found[3], response[1:] - response[4], atol=0.2)


def test_rooms_decay_by_60_db_in_their_reverberation_time():
    difficulty = Difficulty(reverberation=(0.4, 0.4))
    for n in range(5):
        room = draw_session(stream("room", n), Voice(), difficulty, rate=RATE).room
        remaining = np.cumsum(room[:0:-1] ** 2)[::-1]
        decay = 10 * np.log10(remaining / remaining[0])
        assert decay[round(0.1 * RATE)] - decay[round(0.3 * RATE)] == pytest.approx(30, abs=2.5)
        assert 3 < 10 * np.log10(1 / remaining[0]) < 12


def test_moods_stay_near_the_speaker():
    voice = Voice(pitch=120.0)
    drawn = [draw_session(stream("mood", n), voice, Difficulty(), rate=RATE).voice for n in range(300)]
    assert np.std(np.log([v.pitch / 120 for v in drawn])) == pytest.approx(0.06, rel=0.15)
    assert {(v.tract, v.formants, v.accent) for v in drawn} == {(voice.tract, voice.formants, voice.accent)}
    calm = draw_session(stream("mood", 0), voice, Difficulty(mood=0), rate=RATE).voice
    assert calm == voice
