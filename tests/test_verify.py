"""Verdicts: what is said, what is left unsaid, and what it follows from."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import voxsphere
from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput
from voxsphere.verify import decide, load


@pytest.fixture(scope="module")
def vox(tiny_model):
    return load(tiny_model)


def test_three_lines_of_python_are_enough(tiny_model, tmp_path, babble):
    write(tmp_path / "a.wav", babble(2), 16000)
    vox = voxsphere.load(tiny_model)
    verdict = vox.verify(tmp_path / "a.wav", tmp_path / "a.wav")
    assert verdict.decision == "same speaker"


def test_a_wave_and_its_file_get_one_verdict(vox, tmp_path, babble):
    write(tmp_path / "a.wav", babble(2), 16000)
    steps = (np.clip(np.round(babble(2) * 32768), -32768, 32767) / 32768).astype(np.float32)
    np.testing.assert_allclose(vox.embed(tmp_path / "a.wav"), vox.embed(steps), rtol=1e-5, atol=1e-6)


def test_the_verdict_does_not_depend_on_the_order(vox, babble):
    a, b = babble(2, seed=1), babble(3, seed=2)
    assert vox.verify(a, b).llr == pytest.approx(vox.verify(b, a).llr, abs=1e-9)


def test_probability_is_the_posterior_at_the_stated_prior(vox, babble):
    for prior in (0.5, 0.01, 0.9):
        verdict = vox.verify(babble(2, seed=1), babble(2, seed=2), prior=prior)
        odds = math.exp(verdict.llr) * prior / (1 - prior)
        assert verdict.probability == pytest.approx(odds / (1 + odds))
        assert verdict.threshold == pytest.approx(-math.log(prior / (1 - prior)))
        assert (verdict.decision == "same speaker") == (verdict.probability >= 0.5)


@pytest.mark.parametrize("prior", [0.0, 1.0, -1.0, float("nan")])
def test_a_prior_that_is_no_probability_is_refused(vox, babble, prior):
    with pytest.raises(BadInput, match="prior"):
        vox.verify(babble(1), babble(1), prior=prior)


def test_an_extreme_llr_gives_a_probability_and_no_overflow(vox, babble):
    sure = replace(vox.pretrained.card.calibration, slope=1e6)
    certain = replace(vox.pretrained, card=replace(vox.pretrained.card, calibration=sure))
    voice = voxsphere.verify.listen(certain, babble(1))
    assert decide(certain, voice, voice).probability == 1.0


def test_a_model_without_calibration_scores_but_does_not_decide(vox, babble):
    raw = replace(vox.pretrained, card=replace(vox.pretrained.card, calibration=None))
    voice = voxsphere.verify.listen(raw, babble(1))
    verdict = decide(raw, voice, voice)
    assert verdict.decision == "no calibration"
    assert verdict.score == pytest.approx(1)
    assert (verdict.llr, verdict.probability, verdict.expected) == (None, None, None)


def test_warnings_name_the_side_and_the_trouble(vox, babble):
    clipped = np.clip(babble(2) * 20, -1, 1)
    verdict = vox.verify(babble(2), clipped)
    assert any(text.startswith("second recording") and "clipped" in text for text in verdict.warnings)
    assert not any(text.startswith("first recording") and "clipped" in text for text in verdict.warnings)


def test_narrow_band_and_foreign_rates_are_warned_of(vox, tmp_path, babble):
    write(tmp_path / "phone.wav", babble(2)[::2].copy(), 8000)
    verdict = vox.verify(babble(2), tmp_path / "phone.wav")
    assert any("8000 Hz" in text for text in verdict.warnings)


def test_a_verdict_is_json(vox, babble):
    told = json.loads(json.dumps(vox.verify(babble(2), babble(2)).to_json(), allow_nan=False))
    assert {"decision", "score", "llr", "probability", "threshold", "warnings", "model", "expected"} <= told.keys()
