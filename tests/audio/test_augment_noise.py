"""Noise: the ratio is the one that was drawn, and what is heard does not hang on what was read before."""

import numpy as np
import pytest

from voxsphere.audio.augment.excerpt import excerpt
from voxsphere.audio.augment.memory import Memory
from voxsphere.audio.augment.noise import AddNoise, Noise
from voxsphere.audio.augment.sources import Source, listed
from voxsphere.audio.augment.white import AddWhiteNoise
from voxsphere.audio.wave import read, write
from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream

RATE = 16000


def noise(samples: int, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, samples).astype(np.float32).clip(-1, 1)


def ratio(wave: np.ndarray, result: np.ndarray) -> float:
    signal = wave.astype(np.float64)
    return 10 * np.log10(np.mean(signal**2) / np.mean((result - signal) ** 2))


@pytest.fixture
def sounds(tmp_path):
    """Three recordings of 0.5, 3 and 20 s, of very different levels."""
    for number, (seconds, level) in enumerate([(0.5, 0.3), (3, 0.01), (20, 0.1)]):
        write(tmp_path / f"{number}.wav", noise(round(seconds * RATE), number, level), RATE)
    return tmp_path


@pytest.mark.parametrize("count", [(1, 1), (2, 2), (3, 7)])
def test_the_ratio_of_powers_over_the_crop_is_the_drawn_one(sounds, count):
    wave = noise(2 * RATE, 9) * np.linspace(0, 1, 2 * RATE, dtype=np.float32)
    for seed in range(30):
        deed = Noise(sources=str(sounds), snr=(-5.0, 30.0), count=count).draw(stream(seed), len(wave), RATE)
        assert -5 <= deed.snr <= 30
        assert count[0] <= len(deed.pieces) <= count[1]
        assert ratio(wave, deed(wave, RATE)) == pytest.approx(deed.snr, abs=0.01)


def test_white_noise_has_its_ratio_too():
    wave = noise(RATE, 9)
    assert ratio(wave, AddWhiteNoise(12.0, 5)(wave, RATE)) == pytest.approx(12, abs=0.01)


def test_the_voices_of_babble_are_equally_loud(tmp_path):
    tones = [amplitude * np.sin(2 * np.pi * f * np.arange(RATE) / RATE) for amplitude, f in ((0.01, 500), (0.5, 1500))]
    for number, tone in enumerate(tones):
        write(tmp_path / f"{number}.wav", tone.astype(np.float32), RATE)
    wave = noise(RATE)
    added = AddNoise(tuple((Source(str(tmp_path / f"{n}.wav")), 0.0) for n in (0, 1)), 0.0)(wave, RATE) - wave
    spectrum = np.abs(np.fft.rfft(added))
    assert spectrum[500] == pytest.approx(spectrum[1500], rel=0.01)


def test_infinite_ratio_and_silence_on_either_side_leave_the_wave(sounds, tmp_path):
    write(tmp_path / "silent" / "0.wav", np.zeros(RATE, np.float32), RATE)
    wave = noise(RATE)
    silent = Source(str(tmp_path / "silent" / "0.wav"))
    loud = Source(str(sounds / "0.wav"))
    np.testing.assert_array_equal(AddNoise(((loud, 0.0),), np.inf)(wave, RATE), wave)
    np.testing.assert_array_equal(AddNoise(((silent, 0.0),), 0.0)(wave, RATE), wave)
    np.testing.assert_array_equal(AddNoise(((silent, 0.0), (silent, 0.5)), 0.0)(wave, RATE), wave)
    np.testing.assert_array_equal(AddNoise(((loud, 0.0),), 0.0)(0 * wave, RATE), 0 * wave)
    assert ratio(wave, AddNoise(((silent, 0.0), (loud, 0.0)), 3.0)(wave, RATE)) == pytest.approx(3, abs=0.01)


def test_loud_noise_takes_the_wave_beyond_full_scale_unclipped(sounds):
    wave = noise(RATE, 1, 0.2)
    result = AddNoise(((Source(str(sounds / "2.wav")), 0.0),), -20.0)(wave, RATE)
    assert np.abs(result).max() > 1.5
    assert ratio(wave, result) == pytest.approx(-20, abs=0.01)


@pytest.mark.parametrize("start", [0.0, 7.9, 7.99999, 8.0, 17.3, 19.99])
def test_an_excerpt_is_the_file_and_begins_again_where_it_ends(sounds, start):
    path = sounds / "2.wav"
    found = excerpt(Source(str(path)), start, 25 * RATE, RATE, Memory(100))
    np.testing.assert_array_equal(found, np.resize(np.roll(read(path, rate=RATE), -round(start * RATE)), 25 * RATE))


def test_an_excerpt_of_a_part_stays_within_it(sounds):
    whole = read(sounds / "2.wav", rate=RATE)
    memory = Memory(100)
    excerpt(Source(str(sounds / "2.wav"), 3.0), 9.0, RATE, RATE, memory)
    found = excerpt(Source(str(sounds / "2.wav"), 3.0, 15.0), 11.0, 2 * RATE, RATE, memory)
    np.testing.assert_array_equal(found, np.concatenate([whole[14 * RATE : 15 * RATE], whole[3 * RATE : 4 * RATE]]))


@pytest.mark.parametrize("file_rate", [8000, 16000, 44100])
def test_what_was_read_before_makes_no_difference_to_the_last_bit(tmp_path, file_rate):
    write(tmp_path / "a.wav", noise(round(20.5 * file_rate), 4), file_rate)
    wave, source = noise(3 * RATE), Source(str(tmp_path / "a.wav"))
    warm = 64.5 + file_rate
    for start in (0.0, 15.2, 3.3):
        AddNoise(((source, start),), 0.0, warm)(wave, RATE)
    for start in (7.1, 19.4):
        cold, kept = (AddNoise(((source, start),), 5.0, megabytes)(wave, RATE) for megabytes in (0, warm))
        np.testing.assert_array_equal(cold, kept)
        whole = read(tmp_path / "a.wav", rate=RATE)
        expected = np.roll(whole, -round(start * RATE))[: len(wave)].astype(np.float64)
        assert np.corrcoef(cold - wave, expected)[0, 1] == pytest.approx(1, abs=1e-6)


def test_memory_stays_within_its_limit_and_forgets_the_longest_unused():
    memory, made = Memory(0.001), []

    def make(key):
        return lambda: made.append(key) or np.zeros(100, np.float32)

    for key in ("a", "b", "a", "c", "a", "b"):
        memory.get(key, make(key))
        assert memory.size <= 1000
    assert made == ["a", "b", "c", "b"]


def test_places_are_drawn_all_over_a_long_recording_and_a_short_one(sounds):
    def starts(name: str) -> np.ndarray:
        table = sounds / f"list of {name}.tsv"
        table.write_text(f"path\n{name}\n")
        deeds = [Noise(sources=str(table)).draw(stream(i), 2 * RATE, RATE) for i in range(300)]
        return np.array([deed.pieces[0][1] for deed in deeds])

    long, short = starts("2.wav"), starts("0.wav")
    assert (long >= 0).all()
    assert (long <= 18).all()
    assert long.mean() == pytest.approx(9, abs=1)
    assert (short < 0.5).all()
    assert short.mean() == pytest.approx(0.25, abs=0.03)


def test_a_table_chooses_by_kind_and_finds_files_from_the_folder_above(tmp_path, monkeypatch):
    for name in ("x/noise/a.wav", "x/music/b.wav"):
        write(tmp_path / name, noise(1000), RATE)
    (tmp_path / "x" / "table.tsv").write_text("path\tkind\nx/noise/a.wav\tnoise\nx/music/b.wav\tmusic\n")
    monkeypatch.setenv("SOUNDS_OF_TEST", str(tmp_path / "x"))
    (only,) = listed("$SOUNDS_OF_TEST/table.tsv", "music")
    assert only == Source(str(tmp_path / "x" / "music" / "b.wav"))
    assert listed(str(tmp_path / "x"), "noise") == (Source(str(tmp_path / "x" / "noise" / "a.wav")),)
    assert len(listed(str(tmp_path))) == 2


def test_a_table_may_name_parts_of_files_and_be_parquet(tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = {"path": ["a.wav", "s3://bucket/b.wav"], "speaker": ["1", "2"], "start": [1.5, None], "duration": [2.0, 3.0]}
    parquet.write_table(pyarrow.table(rows), tmp_path / "t.parquet")
    expected = (Source(str(tmp_path / "a.wav"), 1.5, 3.5), Source("s3://bucket/b.wav"))
    assert listed(str(tmp_path / "t.parquet")) == expected


def test_bad_sources_are_named_in_a_line(tmp_path, monkeypatch):
    monkeypatch.delenv("NOT_THERE", raising=False)
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.tsv").write_text("file\nx.wav\n")
    (tmp_path / "b.tsv").write_text("path\nx.wav\n")
    (tmp_path / "c.tsv").write_text("path\tstart\tduration\nx.wav\tsoon\t1\n")
    (tmp_path / "d.tsv").write_text("path\nx.wav\tmore\n")
    (tmp_path / "e.parquet").write_bytes(b"PAR1 no")
    for sources, kind, said in (
        ("$NOT_THERE/x", "", "NOT_THERE is not set"), (str(tmp_path / "empty"), "", "lists no recording"),
        (str(tmp_path / "none"), "", "no such file"), (str(tmp_path / "a.tsv"), "", "has no column path"),
        (str(tmp_path / "b.tsv"), "noise", "has no column kind"), (str(tmp_path / "c.tsv"), "", "give seconds"),
        (str(tmp_path / "d.tsv"), "", "line 2"), (str(tmp_path / "e.parquet"), "", "no Parquet file"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=said):
            listed(sources, kind)


def test_a_noise_file_that_is_gone_is_named(tmp_path):
    (tmp_path / "t.tsv").write_text("path\ngone.wav\n")
    with pytest.raises(BadInput, match=r"gone\.wav"):
        Noise(sources=str(tmp_path / "t.tsv")).draw(stream(0), 100, RATE)


@pytest.mark.parametrize(
    "options", [{"snr": (15.0, 0.0)}, {"snr": (0.0, np.inf)}, {"count": (0, 2)}, {"megabytes": -1}]
)
def test_impossible_options_are_refused(options):
    with pytest.raises(BadInput, match=r"Noise\."):
        Noise(sources="x", **options)


@pytest.mark.corpus
def test_the_development_corpus_offers_noise_music_and_babble(corpus):
    table = f"{corpus}/augment/manifest.tsv"
    assert len(listed(table, "noise")) > 100
    assert len(listed(table, "rir")) == 120
    wave = noise(2 * RATE)
    for options in ({"sources": table, "kind": "music"}, {"sources": f"{corpus}/manifest.tsv", "count": (3, 7)}):
        deed = Noise(**options).draw(stream("corpus"), len(wave), RATE)
        assert ratio(wave, deed(wave, RATE)) == pytest.approx(deed.snr, abs=0.01)
