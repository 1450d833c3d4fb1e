"""A published checkpoint's own configuration gives the network it belongs to."""

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import describe
from voxsphere.pretrained.foreign.redimnet_config import redimnet_from_config
from voxsphere.zoo import NETWORKS

B5 = {
    "F": 72, "C": 32, "block_1d_type": "conv+att", "block_2d_type": "basic_resnet_fwse", "group_divisor": 16,
    "stages_setup": [
        (1, 4, 2, [(3, 3)], 48), (2, 4, 2, [(3, 3)], 48), (1, 6, 2, [(3, 3)], 48),
        (2, 6, 1, [(3, 3)], 32), (1, 8, 1, [(3, 3)], 24), (2, 4, 1, [(3, 3)], 16),
    ],
    "out_channels": None, "hop_length": 240, "pooling_func": "ASTP", "global_context_att": True, "emb_bn": False,
    "spec_params": {"do_spec_aug": True, "freq_mask_width": (0, 6), "time_mask_width": (0, 8)},
}  # fmt: skip
B6 = {
    "F": 72, "C": 64, "causal": "none", "feat_type": "tf", "hop_length": 160, "out_channels": 224,
    "return_2d_output": True, "spec_params": {"do_preemph": True, "do_spec_aug": False, "norm_signal": True},
    "stages_setup": [
        [[1, 1], 3, 3, [[3, 3]], 64], [[2, 1], 4, 2, [[3, 3]], 64], [[1, 2], 5, 2, [[3, 3]], 48],
        [[2, 1], 5, 1, [[3, 3]], 48], [[1, 2], 4, 0.75, [[3, 3]], 32], [[2, 1], 3, 0.5, [[3, 3]], 24],
    ],
}  # fmt: skip


@pytest.mark.parametrize(("config", "name"), [(B5, "redimnet-b5"), (B6, "redimnet2-b6")])
def test_a_configuration_gives_the_network_of_that_name(config, name):
    described, published = (_flat(describe(model)) for model in (redimnet_from_config(config), NETWORKS[name].model))
    assert published.items() <= described.items()
    spelt_out = {key.rpartition(".")[2] for key in set(described) - set(published)}
    assert spelt_out <= {
        "block", "context", "dim", "dropout", "dual", "frame_shift", "group", "group_norm", "image", "last",
        "normalise", "num_mels", "preemphasis",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pooling_func": "MQMHASTP"}, "pooling_func='MQMHASTP' cannot be imported, only 'ASTP' can"),
        ({"tf_optimized_arch": True}, "tf_optimized_arch=True cannot be imported, only False can"),
        ({"feat_type": "tf_spec"}, "the front end tf_spec with .* cannot be imported"),
        ({"depth": 3}, "depth: is not an option of ReDimNet; there are: C, F, agg_gnorm"),
        ({"dual_agg": True}, "dual_agg=True is for ReDimNet2, but these stages are a ReDimNet's"),
        ({"causal": "full"}, "causal='full' cannot be imported, only 'none' can"),
    ],
)
def test_what_no_published_network_has_is_refused(change, message):
    with pytest.raises(BadInput, match=f"^{message}"):
        redimnet_from_config(B5 | change)


def test_a_configuration_without_stages_is_refused():
    with pytest.raises(BadInput, match="has no stages_setup; is it a ReDimNet"):
        redimnet_from_config({"F": 72})


def _flat(part: object, at: str = "") -> dict[str, object]:
    if not isinstance(part, dict):
        return {at: part}
    return {key: value for name, inner in part.items() for key, value in _flat(inner, f"{at}.{name}").items()}
