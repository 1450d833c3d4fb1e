"""`voxsphere models`: a name shows its card, and an import is whole or is refused in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from replica import lay_out

from voxsphere.audio.wave import write
from voxsphere.pretrained.foreign.importing import KINDS
from voxsphere.zoo import NETWORKS

GOLDENS = Path(__file__).parents[1] / "goldens" / "pretrained"


@pytest.fixture
def theirs(tmp_path) -> Path:
    """A small model folder of WeSpeaker's."""
    return lay_out(np.load(GOLDENS / "wespeaker_xvec.npz"), tmp_path / "theirs", weights_name="avg_model.pt")


@pytest.fixture
def refused(voxsphere, tmp_path):
    """Asks for an import, and gives the one line that refuses it; nothing has been written."""

    def ask(folder: Path, kind: str = "wespeaker") -> str:
        done = voxsphere("models", "import", "--from", kind, folder, "--out", tmp_path / "ours")
        assert done.status == 2
        assert done.out == ""
        assert not (tmp_path / "ours").exists()
        (line,) = done.err.splitlines()
        return line

    return ask


def change(folder: Path, old: str, new: str, file: str = "config.yaml") -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))


def rewrite(folder: Path, alter) -> None:
    state = torch.load(folder / "avg_model.pt", weights_only=True)
    alter(state)
    torch.save(state, folder / "avg_model.pt")


def test_an_imported_model_is_used_like_any_other(voxsphere, theirs, tmp_path, babble):
    asked = ("models", "import", "--from", "wespeaker", theirs, "--out", tmp_path / "ours")
    done = voxsphere(*asked, "--name", "xvec", "--licence", "CC-BY-4.0")
    assert done.status == 0, done.err
    for told in ("xvec  XVEC by WeSpeaker", "80-band", "Hamming", "CC-BY-4.0", "no decisions", str(tmp_path / "ours")):
        assert told in done.out
    write(tmp_path / "a.wav", babble(2), 16000)
    verdict = voxsphere("verify", tmp_path / "a.wav", tmp_path / "a.wav", "--model", tmp_path / "ours", "--json")
    answer = json.loads(verdict.out)
    assert answer["score"] == pytest.approx(1, abs=1e-5)
    assert answer["llr"] is None
    card = json.loads(voxsphere("models", tmp_path / "ours", "--json").out)
    assert (card["name"], card["licence_weights"], card["calibration"]) == ("xvec", "CC-BY-4.0", None)
    assert "avg_model.pt (SHA-256 " in card["source"]


def test_the_answer_to_a_program_is_one_json_object(voxsphere, theirs, tmp_path):
    done = voxsphere("models", "import", "--from", "wespeaker", theirs, "--out", tmp_path / "ours", "--json")
    told = json.loads(done.out)
    assert told["out"] == str(tmp_path / "ours")
    assert told["card"]["name"] == "theirs"
    assert told["card"]["licence_weights"] == "not stated"


def test_the_weights_may_be_given_themselves(voxsphere, theirs, tmp_path):
    (theirs / "models").mkdir()
    (theirs / "avg_model.pt").rename(theirs / "models" / "model_7.pt")
    (theirs / "models" / "model_8.pt").write_bytes(b"another")
    asked = ("models", "import", "--from", "wespeaker", theirs / "models" / "model_7.pt", "--out", tmp_path / "ours")
    done = voxsphere(*asked)
    assert done.status == 0, done.err
    assert "theirs  XVEC by WeSpeaker" in done.out


def test_a_second_import_of_the_same_is_the_same(voxsphere, theirs, tmp_path):
    asked = ("models", "import", "--from", "wespeaker", theirs, "--out", tmp_path / "ours")
    assert voxsphere(*asked).status == voxsphere(*asked).status == 0


def test_a_folder_with_other_things_is_never_written_over(voxsphere, theirs):
    before = {path.name for path in theirs.iterdir()}
    done = voxsphere("models", "import", "--from", "wespeaker", theirs, "--out", theirs)
    assert done.status == 2
    assert "holds other things than a model" in done.err
    assert {path.name for path in theirs.iterdir()} == before


def test_another_model_is_never_replaced(voxsphere, theirs, tmp_path, monkeypatch):
    asked = ("models", "import", "--from", "wespeaker", theirs, "--out")
    assert voxsphere(*asked, tmp_path / "ours").status == 0
    rewrite(theirs, lambda state: state["seg_2.bias"].add_(1))
    before = (tmp_path / "ours" / "model.safetensors").read_bytes()
    monkeypatch.chdir(tmp_path / "ours")
    for out in (tmp_path / "ours", "."):
        done = voxsphere(*asked, out)
        assert (done.status, len(done.err.splitlines())) == (2, 1)
    assert (tmp_path / "ours" / "model.safetensors").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"theirs", "ours"}


@pytest.mark.parametrize("out", ["file/ours", "file"])
def test_a_place_that_cannot_be_written_is_named(voxsphere, theirs, tmp_path, out):
    (tmp_path / "file").write_text("mine")
    done = voxsphere("models", "import", "--from", "wespeaker", theirs, "--out", tmp_path / out)
    assert done.status == 2
    assert done.err.startswith(f"voxsphere: {tmp_path / out}: ")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_unknown_kind_names_those_there_are(refused, theirs):
    assert ", ".join(KINDS) in refused(theirs, "espnet")


def test_what_is_missing_is_named(refused, theirs, tmp_path):
    assert "no such folder" in refused(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "it is empty" in refused(tmp_path / "empty")
    (theirs / "config.yaml").rename(theirs / "settings.txt")
    assert "holds no configuration (config.yaml); there are avg_model.pt, settings.txt" in refused(theirs)
    (theirs / "settings.txt").rename(theirs / "config.yaml")
    (theirs / "avg_model.pt").rename(theirs / "model_1.pt")
    (theirs / "model_2.pt").write_bytes(b"another")
    assert "holds several weights: model_1.pt, model_2.pt" in refused(theirs)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("model: XVEC", "model: Gemini_DF_ResNet114", "Gemini_DF_ResNet114 cannot be imported; there are: XVEC"),
        (
            "  hid_dim: 64",
            "  hid_dim: 64\n  gates: 3",
            "model_args: no option 'gates' is known; there are: feat_dim, embed_dim, hid_dim, stats",
        ),
        ("  hid_dim: 64", "  hid_dim: many", "hid_dim is a whole number from 1 to 1000000, not 'many'"),
        ("pooling_func: TSTP", "pooling_func: LDE", "pooling_func is 'LDE', which cannot be imported; there are: TSTP"),
        ("  fbank_args:", "  frontend: s3prl\n  fbank_args:", "its front end is s3prl; only fbank can be imported"),
        ("  fbank_args:", "  cmvn_args: {norm_var: true}\n  fbank_args:", "norm_var is True, which cannot be imported"),
        ("num_mel_bins: 80", "num_mel_bins: 64", "the network takes 80 bands, fbank_args give 64"),
        ("  hid_dim: 64", "  hid_dim: 32", "frame_1.conv_1d.weight has the shape (64, 80, 5), the network (32, 80, 5)"),
        ("model_args:", "model_arguments:", "has no section 'model_args'"),
        ("model: XVEC", "model: [XVEC", "config.yaml: line "),
        ("model: XVEC", "model: !!python/object/apply:os.getcwd []", "config.yaml: line "),
    ],
)
def test_a_configuration_that_cannot_be_followed_is_refused(refused, theirs, old, new, told):
    change(theirs, old, new)
    assert told in refused(theirs)


class Runs:
    """What a pickle may hold: something that acts when it is read."""

    def __reduce__(self):
        return (Path.touch, (Path("acted"),))


def test_a_checkpoint_that_holds_more_than_weights_is_refused_and_not_run(refused, theirs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "trainer": Runs()}, theirs / "avg_model.pt")
    assert "which may run any code" in refused(theirs)
    assert not (tmp_path / "acted").exists()


@pytest.mark.parametrize(
    ("alter", "told"),
    [
        (lambda state: state.pop("seg_2.bias"), "weights are not in the file, the first is projection.linear.bias"),
        (lambda state: state.update(gate=torch.ones(2)), "gate is not a weight of this network"),
        (lambda state: state.update({"seg_2.bias": torch.ones(33)}), "seg_2.bias has the shape (33,)"),
        (lambda state: state["seg_2.bias"].fill_(float("nan")), "seg_2.bias holds numbers that are not finite"),
        (lambda state: state.update(epoch=3), "weights with names are expected, it holds epoch"),
        (lambda state: state.clear(), "weights with names are expected, it holds none"),
    ],
)
def test_weights_that_do_not_fit_are_named(refused, theirs, alter, told):
    rewrite(theirs, alter)
    assert told in refused(theirs)


@pytest.mark.parametrize("content", [b"", b"Dear Sir or Madam", b"PK\x03\x04 half a zip"])
def test_a_file_that_is_no_checkpoint_is_refused(refused, theirs, content):
    (theirs / "avg_model.pt").write_bytes(content)
    assert "is no checkpoint, or is damaged" in refused(theirs)


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_half_precision_and_parallel_names_and_old_batch_norms_are_read(voxsphere, theirs, tmp_path, key):
    def older(state) -> None:
        kept = {f"module.{name}": value.half() for name, value in state.items() if "num_batches" not in name}
        state.clear()
        state.update({key: kept})

    rewrite(theirs, older)
    done = voxsphere("models", "import", "--from", "wespeaker", theirs, "--out", tmp_path / "ours")
    assert done.status == 0, done.err


def test_the_networks_are_listed(voxsphere):
    shown = voxsphere("models", "networks")
    told = json.loads(voxsphere("models", "networks", "--json").out)["networks"]
    assert [each["name"] for each in told] == list(NETWORKS)
    assert all(name in shown.out for name in NETWORKS)


def test_a_name_may_stand_where_a_command_stands(voxsphere):
    assert voxsphere("models", "ge2e-resemblyzer").out == voxsphere("models", "show", "ge2e-resemblyzer").out
    assert json.loads(voxsphere("models", "ge2e-resemblyzer", "--json").out)["name"] == "ge2e-resemblyzer"
    assert "no model 'nobody'" in voxsphere("models", "nobody").err


@pytest.mark.parametrize(
    ("golden", "file", "old", "new", "told"),
    [
        (
            "speechbrain_ecapa",
            "hyperparams.yaml",
            "ECAPA_TDNN.ECAPA_TDNN",
            "ResNet.ResNet",
            "there are: ECAPA_TDNN, Xv",
        ),
        ("speechbrain_ecapa", "hyperparams.yaml", "[5, 3, 3, 3, 1]", "[5, 3, 5, 3, 1]", "kernel_sizes are [5, 3, 5"),
        (
            "speechbrain_ecapa",
            "hyperparams.yaml",
            "[64, 64, 64,",
            "[64, 32, 64,",
            "before the last, but must be all alike",
        ),
        ("speechbrain_ecapa", "hyperparams.yaml", "std_norm: False", "std_norm: True", "std_norm is True"),
        ("speechbrain_ecapa", "hyperparams.yaml", "features.Fbank", "features.MFCC", "its front end is MFCC"),
        ("speechbrain_xvector", "hyperparams.yaml", "LeakyReLU", "GELU", "activation torch.nn.GELU cannot be imported"),
        ("speechbrain_xvector", "hyperparams.yaml", "in_channels: !ref <n_mels>", "in_channels: 23", "takes 23 bands"),
        ("3dspeaker_eres2net", "configuration.json", "eres2net-sv", "eres2net-lre", "the type eres2net-lre cannot be"),
        ("3dspeaker_eres2net", "configuration.json", "16000", "8000", "sample_rate is 8000"),
        ("3dspeaker_eres2net", "configuration.json", '"model"', '"net"', "has no model with its model_config"),
        ("3dspeaker_xvector", "config.yaml", "mean_nor: true", "mean_nor: false", "mean_nor is False"),
        ("3dspeaker_xvector", "config.yaml", "TDNN.Xvector", "RDINO.Head", "the network RDINO.Head cannot be imported"),
    ],
)
def test_each_projects_configuration_is_followed_or_refused(refused, tmp_path, golden, file, old, new, told):
    folder = lay_out(np.load(GOLDENS / f"{golden}.npz"), tmp_path / "theirs", weights_name="embedding_model.ckpt")
    if file == "configuration.json":
        (folder / "embedding_model.ckpt").rename(folder / "weights.bin")
    change(folder, old, new, file)
    assert told in refused(folder, golden.partition("_")[0])


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (None, "holds no model_config and state_dict"),
        ({"F": 60}, "has no stages_setup"),
        ({"stages_setup": []}, "describes no ReDimNet"),
        ({"stages_setup": [[1, 1, 2, [[3, 3]], 10]], "wings": 2}, "wings: is not an option of ReDimNet"),
        ({"stages_setup": [[1, 1, 2, [[3, 3]], 10]], "embed_dim": "many"}, "describes no network that can be built"),
    ],
)
def test_redimnets_options_are_followed_or_refused(refused, tmp_path, config, told):
    whole = {"state_dict": {"w": torch.ones(1)}} | ({} if config is None else {"model_config": config})
    torch.save(whole, tmp_path / "b0-vox2-lm.pt")
    assert told in refused(tmp_path / "b0-vox2-lm.pt", "redimnet")
