"""Reading and writing audio files: whole, in part, in blocks, of every kind, and the bad ones refused."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.wave import blocks, info, read, write
from voxsphere.core.errors import BadInput

soundfile = pytest.importorskip("soundfile")


def noise(seconds: float, rate: int = 16000, channels: int = 1, seed: int = 3) -> np.ndarray:
    """Noise under a slow swell, ±1, an array of samples or of samples by channels."""
    samples = round(seconds * rate)
    swell = 0.55 + 0.45 * np.sin(np.arange(samples) / rate * 4)
    wave = np.random.default_rng(seed).normal(0, 0.1, (samples, channels)) * swell[:, None]
    return wave[:, 0] if channels == 1 else wave


FORMS = {
    "wav": {"subtype": "PCM_16"},
    "flac": {"subtype": "PCM_16"},
    "mp3": {},
    "ogg": {"subtype": "VORBIS"},
    "opus": {"format": "OGG", "subtype": "OPUS"},
    "aiff": {},
    "sph": {"format": "NIST"},
}


@pytest.fixture(params=FORMS)
def file(request, tmp_path: Path) -> Path:
    path = tmp_path / f"two seconds.{request.param}"
    soundfile.write(path, noise(2.0), 16000, **FORMS[request.param])
    return path


def test_info_tells_what_a_file_is(tmp_path):
    soundfile.write(tmp_path / "a.flac", noise(0.5, 44100, 2), 44100)
    about = info(tmp_path / "a.flac")
    assert (about.rate, about.channels, about.samples, about.format) == (44100, 2, 22050, "FLAC")
    assert about.seconds == 0.5


def test_every_form_is_read(file):
    wave = read(file, rate=16000)
    assert wave.dtype == np.float32
    assert wave.shape == (32000,)
    # Lossy coders keep noise's power rather than its samples.
    assert np.std(wave) == pytest.approx(np.std(noise(2.0)), rel=0.3)


def test_a_segment_is_the_slice_of_the_whole(file):
    whole = read(file, rate=16000)
    for start, duration in ((0.0, 0.3), (0.7331, 0.25), (1.9, None), (1.5, 9.0)):
        segment = read(file, rate=16000, start=start, duration=duration)
        first = round(start * 16000)
        expected = whole[first:] if duration is None else whole[first : first + round(duration * 16000)]
        if file.suffix == ".mp3":
            np.testing.assert_allclose(segment, expected, atol=1e-6)
        else:
            np.testing.assert_array_equal(segment, expected)


@pytest.mark.parametrize(
    ("source", "rate"), [(44100, 16000), (8000, 16000), (48000, 16000), (22050, 8000), (16000, 44100)]
)
def test_a_resampled_segment_is_the_slice_of_the_whole_to_a_millionth(tmp_path, source, rate):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(3.0, source), source)
    whole = read(path, rate=rate)
    for start, duration in ((0.0, 0.5), (0.01, 0.2), (1.23456, 0.777), (2.9, None)):
        segment = read(path, rate=rate, start=start, duration=duration)
        first = round(start * rate)
        last = len(whole) if duration is None else first + round(duration * rate)
        np.testing.assert_allclose(segment, whole[first:last], atol=1e-6)


def test_blocks_are_the_whole_in_equal_parts(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(31.7, 44100), 44100)
    for rate in (44100, 16000):
        parts = list(blocks(path, rate=rate, seconds=0.7))
        assert {len(part) for part in parts[:-1]} == {round(0.7 * rate)}
        assert 0 < len(parts[-1]) <= round(0.7 * rate)
        np.testing.assert_array_equal(np.concatenate(parts), read(path, rate=rate))
        within = np.concatenate(list(blocks(path, rate=rate, seconds=2.0, start=1.1, duration=20.05)))
        np.testing.assert_array_equal(within, read(path, rate=rate, start=1.1, duration=20.05))


def test_blocks_hold_no_more_memory_for_a_longer_file(tmp_path):
    def peak(seconds: int) -> int:
        path = tmp_path / f"{seconds}.wav"
        with soundfile.SoundFile(path, "w", 48000, 1) as file:
            for minute in range(seconds // 60):
                file.write(noise(60.0, 48000, seed=minute))
        tracemalloc.start()
        count = sum(1 for _ in blocks(path, rate=16000, seconds=10.0))
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == seconds // 10
        return highest

    short, long = peak(60), peak(300)
    assert long < 1.2 * short
    assert long < 8_000_000  # the five minutes are 57 MB of floats at their own rate


def test_channels_are_averaged_at_96_khz_as_well(tmp_path):
    many = noise(0.5, 96000, 6)
    soundfile.write(tmp_path / "six.wav", many, 96000, subtype="FLOAT")
    np.testing.assert_allclose(read(tmp_path / "six.wav", rate=96000), many.mean(1), atol=1e-6)
    assert len(read(tmp_path / "six.wav", rate=16000)) == 8000


def test_a_tone_keeps_its_height_through_resampling(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100)
    soundfile.write(tmp_path / "tone.wav", tone, 44100, subtype="FLOAT")
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    np.testing.assert_allclose(read(tmp_path / "tone.wav", rate=16000)[500:-500], expected[500:-500], atol=1e-4)


def test_silence_and_ten_milliseconds_are_readable(tmp_path):
    write(tmp_path / "zeros.wav", np.zeros(16000, np.float32), 16000)
    write(tmp_path / "short.wav", noise(0.01).astype(np.float32), 16000)
    assert not read(tmp_path / "zeros.wav", rate=16000).any()
    assert len(read(tmp_path / "short.wav", rate=16000)) == 160
    assert len(read(tmp_path / "short.wav", rate=8000)) == 80


@pytest.mark.parametrize("extension", ["wav", "flac"])
def test_what_is_written_is_read_back_to_the_bit(tmp_path, extension):
    wave = (np.arange(-32768, 32768) / 32768).astype(np.float32)
    write(tmp_path / f"a.{extension}", wave, 16000)
    np.testing.assert_array_equal(read(tmp_path / f"a.{extension}", rate=16000), wave)
    write(tmp_path / f"b.{extension}", np.array([2.0, -2.0, 0.0], np.float32), 8000)
    np.testing.assert_array_equal(read(tmp_path / f"b.{extension}", rate=8000), np.float32([32767 / 32768, -1, 0]))


def test_writing_refuses_other_kinds_and_broken_waves(tmp_path):
    with pytest.raises(BadInput, match=r"a\.mp3: cannot write this kind"):
        write(tmp_path / "a.mp3", np.zeros(9, np.float32), 16000)
    with pytest.raises(BadInput, match="NaN"):
        write(tmp_path / "a.wav", np.full(9, np.nan, np.float32), 16000)
    assert not list(tmp_path.iterdir())


def refused(path: Path, **segment: float | None) -> str:
    with pytest.raises(BadInput) as caught:
        read(path, rate=16000, **segment)
    with pytest.raises(BadInput):
        list(blocks(path, rate=16000, seconds=1.0, **segment))
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text


def test_what_is_no_audio_file_is_refused(tmp_path):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("It was a dark and stormy night.\n" * 50)
    (tmp_path / "numbers.raw").write_bytes(bytes(1000))
    assert "no such file" in refused(tmp_path / "missing.wav")
    assert "is a directory" in refused(tmp_path / "folder.wav")
    assert "is empty (0 bytes)" in refused(tmp_path / "empty.wav")
    assert "cannot be read as audio" in refused(tmp_path / "text.wav")
    assert "cannot be read as audio" in refused(tmp_path / "numbers.raw")


@pytest.mark.parametrize("form", ["flac", "wav", "aiff"])
def test_a_truncated_file_is_refused_with_what_it_holds(tmp_path, form):
    path = tmp_path / f"cut.{form}"
    soundfile.write(path, noise(10.0), 16000, subtype="PCM_16")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    assert "truncated: holds " in refused(path)
    assert "s of 10.00 s" in refused(path)
    assert float(refused(path).split("holds ")[1].split(" s")[0]) == pytest.approx(6.0, abs=0.3)
    assert "truncated" in refused(path, start=8.0)


def test_a_file_without_samples_or_with_broken_ones_is_refused(tmp_path):
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16000)
    assert "holds no samples" in refused(tmp_path / "none.wav")
    for value in (np.nan, np.inf):
        wave = noise(0.5)
        wave[4000] = value
        soundfile.write(tmp_path / "broken.wav", wave, 16000, subtype="FLOAT")
        assert "NaN or infinite" in refused(tmp_path / "broken.wav")
        assert len(read(tmp_path / "broken.wav", rate=16000, duration=0.1)) == 1600


def test_a_flac_without_a_length_is_refused(tmp_path):
    path = tmp_path / "stream.flac"
    soundfile.write(path, noise(1.0), 16000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the 36 bits of STREAMINFO's total samples
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert "gives no length" in refused(path)


def test_a_wav_saved_from_a_stream_is_read(tmp_path):
    path = tmp_path / "stream.wav"
    soundfile.write(path, noise(1.0), 16000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"  # the RIFF and data sizes a writer to a pipe cannot know
    path.write_bytes(content)
    assert len(read(path, rate=16000)) == 16000


def test_a_segment_outside_the_file_is_refused(tmp_path):
    path = tmp_path / "a.wav"
    write(path, noise(1.0).astype(np.float32), 16000)
    assert "starts at 1 s, but the file ends at 1.000 s" in refused(path, start=1.0)
    assert "cannot start at -0.5" in refused(path, start=-0.5)
    assert "cannot start at nan" in refused(path, start=float("nan"))
    assert "cannot last -1.0" in refused(path, duration=-1.0)
    with pytest.raises(BadInput, match="hold no sample"):
        next(blocks(path, rate=16000, seconds=0.0))


def encoded(path: Path, rate: int, seconds: float) -> Path:
    av = pytest.importorskip("av")
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=rate, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
        frame.sample_rate = rate
        container.mux([packet for part in (frame, None) for packet in stream.encode(part)])
    return path


@pytest.mark.parametrize("name", ["a.m4a", "a.mp4", "a.aac"])
def test_media_files_are_read_through_pyav(tmp_path, name):
    path = encoded(tmp_path / name, 44100, 1.5)
    about = info(path)
    assert (about.rate, about.channels) == (44100, 2)
    assert about.seconds == pytest.approx(1.5, abs=0.06)
    wave = read(path, rate=16000)
    spectrum = np.abs(np.fft.rfft(wave[4000:12000]))
    assert spectrum.argmax() * 2 == 440
    np.testing.assert_allclose(read(path, rate=16000, start=0.4, duration=0.3), wave[6400:11200], atol=1e-6)
    np.testing.assert_array_equal(np.concatenate(list(blocks(path, rate=16000, seconds=0.5))), wave)


def test_a_playlist_in_a_media_files_clothes_is_not_followed(tmp_path):
    pytest.importorskip("av")
    write(tmp_path / "secret.wav", noise(1.0).astype(np.float32), 16000)
    (tmp_path / "list.m4a").write_text("#EXTM3U\n#EXTINF:1,\nsecret.wav\n#EXT-X-ENDLIST\n")
    assert "cannot be read as audio" in refused(tmp_path / "list.m4a")


def test_media_files_without_pyav_name_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.m4a").write_bytes(b"anything")
    assert "pip install 'voxsphere[media]'" in refused(tmp_path / "a.m4a")


def test_features_need_neither_soundfile_nor_soxr_nor_pyav():
    code = (
        "import sys; sys.modules.update(soundfile=None, soxr=None, av=None)\n"
        "import voxsphere.audio.features, voxsphere.audio.ge2e_mel, voxsphere.audio.vad, voxsphere.audio.quality\n"
        "import voxsphere.audio.wave"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.corpus
def test_segments_of_real_opus_speech_are_slices_of_the_whole(corpus):
    files = sorted((corpus / "librispeech").rglob("*.opus"))[::100]
    assert len(files) >= 10
    for path in files:
        whole = read(path, rate=16000)
        start = round(0.6 * len(whole)) / 16000
        segment = read(path, rate=16000, start=start, duration=1.0)
        np.testing.assert_array_equal(segment, whole[round(start * 16000) :][: len(segment)])
