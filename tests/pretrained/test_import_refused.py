"""What is no sound checkpoint is refused in one line that names the file, and nothing is written."""

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from replica import lay_out

from voxsphere.core.errors import BadInput
from voxsphere.pretrained.foreign.importing import import_model

GOLDENS = Path(__file__).parents[1] / "goldens" / "pretrained"
WEIGHTS = {
    "wespeaker_xvec": "avg_model.pt",
    "3dspeaker_xvector": "embedding_model.ckpt",
    "3dspeaker_campplus": "weights.bin",
    "speechbrain_ecapa": "embedding_model.ckpt",
    "redimnet_b0": "b0.pt",
}


@pytest.fixture
def theirs(tmp_path):
    """Lays out the folder of a golden."""

    def make(golden: str) -> Path:
        held = np.load(GOLDENS / f"{golden}.npz")
        return lay_out(held, tmp_path / "theirs", weights_name=WEIGHTS[golden])

    return make


def refusal(golden: str, folder: Path) -> str:
    with pytest.raises(BadInput) as refused:
        import_model(golden.partition("_")[0], folder, folder.parent / "ours")
    (line,) = str(refused.value).splitlines()
    assert line.startswith(str(folder))
    assert not (folder.parent / "ours").exists()
    return line


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (lambda value: value.to(torch.complex64), "seg_2.weight is kept as complex64; weights can be read as float16"),
        (lambda value: value > 0, "seg_2.weight is kept as bool"),
        (lambda value: value.long(), "seg_2.weight is kept as int64"),
        (lambda value: value.to(torch.float8_e4m3fn), "seg_2.weight is kept as float8_e4m3fn"),
        (lambda value: torch.full_like(value, 1e300, dtype=torch.float64), "holds numbers too large for float32"),
        (lambda value: value.to_sparse(), "seg_2.weight is no dense tensor with numbers of its own"),
        (lambda value: value.to("meta"), "seg_2.weight is no dense tensor with numbers of its own"),
    ],
)
def test_weights_are_dense_real_numbers_that_float32_holds(theirs, kept, told):
    folder = theirs("wespeaker_xvec")
    state = torch.load(folder / "avg_model.pt", weights_only=True)
    torch.save(state | {"seg_2.weight": kept(state["seg_2.weight"])}, folder / "avg_model.pt")
    assert told in refusal("wespeaker_xvec", folder)


def test_weights_that_make_no_numbers_of_a_sound_are_refused(theirs):
    folder = theirs("wespeaker_xvec")
    state = torch.load(folder / "avg_model.pt", weights_only=True)
    torch.save({k: -v if k.endswith("running_var") else v for k, v in state.items()}, folder / "avg_model.pt")
    assert "the network's embedding of noise is not a number" in refusal("wespeaker_xvec", folder)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("hop_length: 0.001", "1e-06 s at a sampling rate of 16000 Hz hold no sample"),
        ("win_length: 0.01", "1e-05 s at a sampling rate of 16000 Hz hold no sample"),
        ("sample_rate: 5", "s at a sampling rate of 5 Hz hold no sample"),
    ],
)
def test_a_front_end_without_samples_is_refused(theirs, line, told):
    folder = theirs("speechbrain_ecapa")
    text = (folder / "hyperparams.yaml").read_text()
    changed = re.sub(r"(compute_features: .*\n)", rf"\1    {line}\n", text)
    (folder / "hyperparams.yaml").write_text(changed)
    assert told in refusal("speechbrain_ecapa", folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"feat_agg_dropout": "x"}, "ReDimNet.dropout: takes a number, not"),
        ({"group_divisor": True}, "ReDimNet.group: takes a whole number, not true"),
        ({"embed_dim": 0}, "linear.weight has the shape (32, 96), the network (0, 96)"),
        ({"stages_setup": [[0, 1, 2, [[3, 3]], 10]]}, "60 bands cannot be strided by 0"),
    ],
)
def test_options_with_which_the_folder_could_not_be_opened_are_refused(theirs, change, told):
    folder = theirs("redimnet_b0")
    content = torch.load(folder / "b0.pt", weights_only=True)
    content["model_config"] |= change
    torch.save(content, folder / "b0.pt")
    assert told in refusal("redimnet_b0", folder)


BOMB = "z: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"z{level}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for level, (before, name) in enumerate(pairwise("abcdefghi"))
)


@pytest.mark.parametrize(
    ("golden", "old", "new", "told"),
    [
        ("wespeaker_xvec", "fbank_args:", "cmvn_args: [1]\n  fbank_args:", "cmvn_args: names with values"),
        ("wespeaker_xvec", "fbank_args:", "cmvn_args: x\n  fbank_args:", "with values are expected, not 'x'"),
        ("wespeaker_xvec", "fbank_args:", "cmvn_args: {x: 1}\n  fbank_args:", "there are: norm_mean, norm_var"),
        ("wespeaker_xvec", "embed_dim: 32\n  feat", f"embed_dim: {10**30}\n  feat", "1 to 1000000, not 1000"),
        ("wespeaker_xvec", "model_args:", "model_args: &m\n  me: *m", "model_args contains itself"),
        ("wespeaker_xvec", "model_args:", "q: &q [*q]\nmodel_args:\n  me: *q", "model_args contains itself"),
        ("wespeaker_xvec", "model_args:", f"{BOMB}model_args:\n  me: *i", "has more than 10000 values"),
        ("speechbrain_ecapa", "n_mels: !ref", "amin: 1\n    n_mels: !ref", "'amin' is known; there are: requires_grad"),
        ("3dspeaker_xvector", "  args:\n    embed_dim", "  args: [1]\n  more:\n    embed_dim", "not [1]"),
        ("3dspeaker_xvector", "  args:\n    mean_nor", "  args: x\n  more:\n    mean_nor", "not 'x'"),
        ("3dspeaker_campplus", "{", "[" * 100_000, "is no JSON that can be read"),
        ("3dspeaker_campplus", "{", '{"size": ' + "9" * 5000 + ",", "is no JSON that can be read"),
    ],
)
def test_a_configuration_of_any_shape_is_refused_in_one_line(theirs, golden, old, new, told):
    folder = theirs(golden)
    (file,) = (path for path in folder.iterdir() if path.name != WEIGHTS[golden])
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    assert told in refusal(golden, folder)


def test_what_is_no_network_is_named_briefly(theirs):
    folder = theirs("wespeaker_xvec")
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(BOMB + text.replace("model: XVEC", "model: *i"))
    assert len(refusal("wespeaker_xvec", folder)) < 1000


def test_a_configuration_that_is_no_text_is_named_once(theirs):
    folder = theirs("wespeaker_xvec")
    (folder / "config.yaml").write_bytes(bytes(range(256)))
    assert refusal("wespeaker_xvec", folder).count("config.yaml") == 1
