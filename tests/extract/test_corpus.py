"""Extraction of a whole manifest: complete, in order, resumable, and the same however it is done."""

import numpy as np
import pytest

from voxsphere.audio.wave import write
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.extract import corpus as corpus_module
from voxsphere.extract.corpus import extract
from voxsphere.extract.voice import listen
from voxsphere.pretrained import open_folder


@pytest.fixture(scope="module")
def pretrained(tiny_model):
    return open_folder(tiny_model)


@pytest.fixture
def manifest(tmp_path, babble):
    made = []
    for number in range(6):
        path = tmp_path / f"{number}.wav"
        write(path, babble(1 + number / 7, seed=number), 16000)
        made.append(Utterance(f"u{number}", str(path), f"s{number}"))
    made.append(Utterance("part", str(tmp_path / "5.wav"), "s5", start=0.25, duration=1.0))
    return Manifest(tuple(made))


@pytest.mark.parametrize("workers", [1, 3])
def test_the_file_holds_every_utterance_in_the_manifests_order(pretrained, manifest, tmp_path, workers):
    done = extract(pretrained, manifest, tmp_path / "e.safetensors", workers=workers)
    made = Embeddings.load(tmp_path / "e.safetensors")
    assert made.ids == manifest.ids
    assert (made.model, done.failures, done.resumed) == (pretrained.fingerprint, (), 0)
    for utterance, vector, seconds in zip(manifest, made.vectors, made.seconds, strict=True):
        alone = listen(pretrained, utterance.path, start=utterance.start, duration=utterance.duration)
        np.testing.assert_allclose(vector, alone.vector, rtol=1e-4, atol=1e-5)
        assert seconds == pytest.approx(alone.quality.speech_seconds)


@pytest.mark.parametrize("save_every", [0.0, 1e9])
def test_a_broken_run_goes_on_where_it_ended(pretrained, manifest, tmp_path, monkeypatch, save_every):
    monkeypatch.setattr(corpus_module, "SAVE_EVERY", save_every)
    calls = []

    def breaks(*arguments, **options):
        calls.append(arguments[1])
        if len(calls) == 5:
            raise KeyboardInterrupt
        return listen(*arguments, **options)

    monkeypatch.setattr(corpus_module, "listen", breaks)
    with pytest.raises(KeyboardInterrupt):
        extract(pretrained, manifest, tmp_path / "e.npz", workers=1)
    assert not (tmp_path / "e.npz").exists()
    monkeypatch.setattr(corpus_module, "listen", listen)
    done = extract(pretrained, manifest, tmp_path / "e.npz", workers=1)
    assert 1 <= done.resumed <= 4
    assert done.embeddings == len(manifest)
    assert Embeddings.load(tmp_path / "e.npz").ids == manifest.ids
    assert not (tmp_path / "e.npz.partial").exists()


def test_a_recording_that_changed_is_embedded_again(pretrained, manifest, tmp_path, monkeypatch, babble):
    monkeypatch.setattr(corpus_module, "SAVE_EVERY", 0.0)
    whole = corpus_module._Store.finish
    monkeypatch.setattr(corpus_module._Store, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        extract(pretrained, manifest, tmp_path / "e.npz", workers=1)
    monkeypatch.setattr(corpus_module._Store, "finish", whole)
    write(tmp_path / "0.wav", babble(1.7, seed=99), 16000)
    done = extract(pretrained, manifest, tmp_path / "e.npz", workers=1)
    assert done.resumed == len(manifest) - 1
    new = Embeddings.load(tmp_path / "e.npz").vectors[0]
    np.testing.assert_allclose(new, listen(pretrained, tmp_path / "0.wav").vector, rtol=1e-4, atol=1e-5)


def test_other_recordings_in_the_file_are_not_lost(pretrained, manifest, tmp_path):
    extract(pretrained, Manifest(manifest.utterances[:2]), tmp_path / "e.safetensors")
    with pytest.raises(BadInput, match="holds 1 other recordings, such as u0"):
        extract(pretrained, Manifest(manifest.utterances[1:]), tmp_path / "e.safetensors")
    assert Embeddings.load(tmp_path / "e.safetensors").ids == ("u0", "u1")


def test_what_cannot_be_read_any_more_is_kept_and_reported(pretrained, manifest, tmp_path):
    extract(pretrained, manifest, tmp_path / "e.safetensors")
    before = Embeddings.load(tmp_path / "e.safetensors")
    (tmp_path / "2.wav").unlink()
    done = extract(pretrained, manifest, tmp_path / "e.safetensors")
    assert [name for name, _ in done.failures] == ["u2"]
    after = Embeddings.load(tmp_path / "e.safetensors")
    assert after.ids == before.ids
    np.testing.assert_array_equal(after.vectors[2], before.vectors[2])


def test_names_that_no_system_can_open_are_reported_like_others(pretrained, manifest, tmp_path):
    odd = (Utterance("long", str(tmp_path / ("x" * 300)), "s"), Utterance("bytes", str(tmp_path / "\udce9.wav"), "s"))
    done = extract(pretrained, Manifest((*odd, *manifest.utterances[:2])), tmp_path / "e.npz")
    assert {name for name, _ in done.failures} == {"long", "bytes"}
    assert Embeddings.load(tmp_path / "e.npz").ids == ("u0", "u1")
    assert len((tmp_path / "e.npz.failed.tsv").read_text().splitlines()) == 3


def test_another_manifest_does_not_wipe_a_broken_runs_work(pretrained, manifest, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_module._Store, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr(corpus_module, "SAVE_EVERY", 0.0)
    with pytest.raises(KeyboardInterrupt):
        extract(pretrained, manifest, tmp_path / "e.npz", workers=1)
    monkeypatch.undo()
    with pytest.raises(BadInput, match="broken run's work on other recordings"):
        extract(pretrained, Manifest(manifest.utterances[:1]), tmp_path / "e.npz")
    assert extract(pretrained, manifest, tmp_path / "e.npz").resumed == len(manifest)


@pytest.mark.parametrize("ending", [".safetensors", ".npz", ".h5", ".ark"])
def test_a_second_run_replaces_the_file(pretrained, manifest, tmp_path, ending):
    for _ in range(2):
        assert extract(pretrained, manifest, tmp_path / f"e{ending}").embeddings == len(manifest)
    assert Embeddings.load(tmp_path / f"e{ending}").ids == manifest.ids


def test_a_file_of_another_model_is_not_overwritten(pretrained, manifest, tmp_path):
    Embeddings(("x",), np.ones((1, 4), dtype=np.float32), model="other").save(tmp_path / "e.safetensors")
    with pytest.raises(BadInput, match="another model"):
        extract(pretrained, manifest, tmp_path / "e.safetensors")
    assert Embeddings.load(tmp_path / "e.safetensors").model == "other"


def test_a_file_beyond_a_minute_is_the_average_of_its_windows(pretrained, tmp_path, babble):
    wave = np.concatenate([babble(50), np.zeros(30 * 16000, dtype=np.float32), babble(50, seed=1)])
    write(tmp_path / "long.wav", wave, 16000)
    steps = np.clip(np.round(wave * 32768), -32768, 32767).astype(np.float32) / 32768
    voice = listen(pretrained, tmp_path / "long.wav")
    windows = [steps[cut] for cut in pretrained.model.windows(len(steps))]
    parts = [listen(pretrained, window) for window in windows]
    weights = [part.quality.speech_seconds for part in parts]
    average = np.average([part.vector for part in parts], axis=0, weights=weights)
    assert len(windows) == 3
    np.testing.assert_allclose(voice.vector, average, rtol=1e-3, atol=1e-4)
