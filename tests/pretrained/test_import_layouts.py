"""Training folders are imported as they lie: the configuration is found from the weights upwards."""

from pathlib import Path

import numpy as np
import pytest
from replica import lay_out

from voxsphere.core.errors import BadInput
from voxsphere.pretrained.foreign.importing import import_model

GOLDENS = Path(__file__).parents[1] / "goldens" / "pretrained"
LAYOUTS = {
    "speechbrain_ecapa": "save/CKPT+{}/embedding_model.ckpt",
    "3dspeaker_xvector": "models/CKPT-EPOCH-{}/embedding_model.ckpt",
    "wespeaker_xvec": "models/model_{}.pt",
}


@pytest.mark.parametrize("golden", LAYOUTS)
def test_a_training_folder_is_imported_and_so_is_one_of_its_checkpoints(golden, tmp_path, monkeypatch):
    kind, folder = golden.partition("_")[0], tmp_path / "run"
    first, second = (folder / LAYOUTS[golden].format(number) for number in (1, 2))
    lay_out(np.load(GOLDENS / f"{golden}.npz"), folder, weights_name=str(first.relative_to(folder)))
    first.with_name("CKPT.yaml").write_text("end-of-epoch: true\n")
    assert import_model(kind, folder, tmp_path / "whole").name == "run"
    second.parent.mkdir(exist_ok=True)
    second.write_bytes(first.read_bytes())
    with pytest.raises(BadInput, match="give the path of the one to import"):
        import_model(kind, folder, tmp_path / "either")
    assert import_model(kind, second, tmp_path / "second").name == "run"
    monkeypatch.chdir(second.parent)
    assert import_model(kind, second.name, tmp_path / "near").name == "run"


def test_the_nearest_configuration_is_the_weights_own(tmp_path):
    folder = tmp_path / "run"
    lay_out(np.load(GOLDENS / "wespeaker_xvec.npz"), folder / "models", weights_name="avg_model.pt")
    (folder / "config.yaml").write_text("model: None\n")
    assert import_model("wespeaker", folder, tmp_path / "ours").name == "run"


def test_a_published_file_keeps_its_name(tmp_path):
    lay_out(np.load(GOLDENS / "redimnet_b0.npz"), tmp_path, weights_name="b0-vox2-lm.pt")
    assert import_model("redimnet", tmp_path / "b0-vox2-lm.pt", tmp_path / "ours").name == "b0-vox2-lm"
