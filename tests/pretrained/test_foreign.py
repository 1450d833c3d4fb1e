"""Other projects' folders become models that embed as the projects' own code does.

The scripts tests/goldens/pretrained/make_*.py wrote the references; public checkpoints have the same form, but other
weights.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from presets import REFERENCES
from replica import lay_out, wave

from voxsphere.pretrained import load, open_folder
from voxsphere.pretrained.foreign import (
    speechbrain_folder,
    three_d_speaker,
    three_d_speaker_folder,
    wespeaker_folder,
)
from voxsphere.pretrained.foreign.importing import KINDS, import_model
from voxsphere.pretrained.foreign.renaming import renamed

GOLDENS = Path(__file__).parents[1] / "goldens" / "pretrained"
# The golden's project, and what its weights are called there.
FOLDERS = {
    "3dspeaker_campplus": ("3dspeaker", "weights.bin"),
    "3dspeaker_ecapa": ("3dspeaker", "weights.bin"),
    "3dspeaker_eres2net": ("3dspeaker", "weights.bin"),
    "3dspeaker_eres2net_huge": ("3dspeaker", "weights.bin"),
    "3dspeaker_eres2netv2": ("3dspeaker", "weights.bin"),
    "3dspeaker_res2net": ("3dspeaker", "weights.bin"),
    "3dspeaker_resnet": ("3dspeaker", "weights.bin"),
    "3dspeaker_xvector": ("3dspeaker", "models/CKPT-EPOCH-70-00/embedding_model.ckpt"),
    "redimnet_b0": ("redimnet", "b0-vox2-ptn.pt"),
    "redimnet_b2": ("redimnet", "b2-vox2-lm.pt"),
    "redimnet_second": ("redimnet", "b6-vb2+vox2_v0-lm.pt"),
    "speechbrain_ecapa": ("speechbrain", "embedding_model.ckpt"),
    "speechbrain_xvector": ("speechbrain", "embedding_model.ckpt"),
    "wespeaker_campplus": ("wespeaker", "avg_model.pt"),
    "wespeaker_ecapa_emb_bn": ("wespeaker", "avg_model.pt"),
    "wespeaker_ecapa_glob": ("wespeaker", "avg_model.pt"),
    "wespeaker_eres2net": ("wespeaker", "avg_model.pt"),
    "wespeaker_redimnet": ("wespeaker", "avg_model.pt"),
    "wespeaker_redimnet_two": ("wespeaker", "avg_model.pt"),
    "wespeaker_res2net": ("wespeaker", "avg_model.pt"),
    "wespeaker_resnet18": ("wespeaker", "models/model_150.pt"),
    "wespeaker_resnet18_two": ("wespeaker", "avg_model.pt"),
    "wespeaker_simam": ("wespeaker", "avg_model.pt"),
    "wespeaker_xvec": ("wespeaker", "final_model.pt"),
}


def imported(golden: str, folder: Path):
    kind, weights_name = FOLDERS[golden]
    held = np.load(GOLDENS / f"{golden}.npz")
    lay_out(held, folder / "theirs", weights_name=weights_name)
    card = import_model(kind, folder / "theirs", folder / "ours", name=golden)
    return held, card, open_folder(folder / "ours")


@pytest.mark.parametrize("golden", FOLDERS)
def test_an_imported_model_embeds_as_its_project_does(golden, tmp_path):
    held, card, ours = imported(golden, tmp_path)
    theirs, features = held["embedding"], torch.from_numpy(held["features"])
    norm = np.linalg.norm(theirs)
    with torch.inference_mode():
        assert (ours.model.features(wave()) - features).norm() < 1e-4 * features.norm()
        assert np.linalg.norm(ours.model(wave())[0].numpy() - theirs) < 1e-4 * norm
        # It is the wave that the embedding comes from: another has another, by far more than these tolerances.
        assert np.linalg.norm(ours.model(wave()[:, ::2])[0].numpy() - theirs) > 0.004 * norm
        # In float64, where rounding is no excuse.
        model = ours.model.double()
        of_features = model.projection(model.pooling(model.encoder(features.double())))[0].numpy()
        assert np.linalg.norm(of_features - theirs) < 1e-5 * norm
    assert ours.card == card
    assert load(str(tmp_path / "ours")).fingerprint == ours.fingerprint


def test_the_page_of_models_names_every_network_that_can_be_imported():
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    named = [*wespeaker_folder.NETWORKS, *three_d_speaker_folder.NETWORKS, *speechbrain_folder.NETWORKS, *KINDS]
    assert [name for name in named if f"`{name}`" not in page] == []


def test_every_type_of_modelscopes_is_a_network_of_3d_speakers():
    assert {network for network, _ in three_d_speaker_folder.MODELSCOPE.values()} <= set(
        three_d_speaker_folder.NETWORKS
    )


def test_each_of_3d_speakers_weights_becomes_one_of_ours():
    names = np.load(GOLDENS.parent / "models" / "campplus.npz")["names"]
    ours = [renamed(str(name), three_d_speaker.campplus()) for name in names]
    assert sorted(ours) == sorted(REFERENCES["campplus"]().state_dict())
