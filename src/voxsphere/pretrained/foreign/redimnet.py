"""ReDimNet and ReDimNet2: names of weights (IDRnD and PalabraAI, MIT; WeSpeaker, Apache-2.0), and ours."""

from voxsphere.pretrained.foreign.renaming import Rules
from voxsphere.pretrained.foreign.wespeaker import projection

_PROJECTIONS = {"q": "query", "k": "key", "v": "value", "out": "out"}
_BLOCK: Rules = [
    (r"\.tcm\.(\d)\.(dwconvs|norm|pwconv1|conv)\b", r".convs.\1.\2"),
    (r"\.tcm\.(\d)\.(weight|bias)$", r".mixer.\1.\2"),
    (r"\.tcm\.\d\.", ".mixer."),
    (r"\.dwconvs\.", ".convs."),
    (r"\.pwconv1\.", ".linear."),
    (r"\.conv1\.", ".first."),
    (r"\.conv2\.", ".second."),
    (r"\.conv1pw\.", ".first_linear."),
    (r"\.conv2pw\.", ".second_linear."),
    (r"\.bn1\.", ".first_norm."),
    (r"\.bn2\.", ".second_norm."),
    (r"\.se\.squeeze\.", ".attention.factors.0."),
    (r"\.se\.exitation\.", ".attention.factors.2."),
    (r"\.red_dim_conv\.", ".reduce."),
    (r"\.exp_dim_conv\.", ".expand."),
    (r"\.attention\.(q|k|v|out)_proj\.", lambda m: f".{_PROJECTIONS[m[1]]}."),
    (r"\.layer_norm\.", ".attention_norm."),
    (r"\.final_layer_norm\.", ".feed_norm."),
    (r"\.feed_forward\.intermediate_dense\.", ".feed.0."),
    (r"\.feed_forward\.output_dense\.", ".feed.2."),
]

_ENDS: Rules = [
    (r"^(spec|cls_head)\..*", ""),  # the front end's constants are computed, the classes are not part of a model
    (r"^pool\.linear1\.", "pooling.hidden."),
    (r"^pool\.linear2\.", "pooling.score."),
    (r"^backbone\.stem\.0\.", "encoder.stem.conv."),
    (r"^backbone\.stem\.1\.", "encoder.stem.norm."),
]
_PROJECTION: Rules = [
    (r"^bn\.", "projection.norm."),
    (r"^linear\.", "projection.linear."),
]
_PROJECTION_WITH_NORM: Rules = [
    (r"^bn\.", "projection.norm_in."),
    (r"^linear\.", "projection.linear."),
    (r"^bn2\.", "projection.norm_out."),
]


def redimnet(*, last_norm: bool = False) -> Rules:
    """IDRnD's names; `last_norm` where the embedding is normed (their `emb_bn`, our `NormLinearNorm`).

    The first stage's sum of one output, which they keep as a weight that does not learn, is dropped.
    """
    return [
        *_ENDS,
        *(_PROJECTION_WITH_NORM if last_norm else _PROJECTION),
        (r"^backbone\.stage0\.0\.w$", ""),
        (r"^backbone\.fin_wght1d\.w$", "encoder.gather.weight"),
        (r"^backbone\.mfa\.0\.", "encoder.last.linear."),
        (r"^backbone\.mfa\.1\.", "encoder.last.norm."),
        (r"^backbone\.stage(\d+)\.0\.w$", r"encoder.stages.\1.shares.weight"),
        (r"^backbone\.stage(\d+)\.2\.(weight|bias)$", r"encoder.stages.\1.down.\2"),
        (r"^backbone\.stage(\d+)\.(\d+)\.conv_block\.", lambda m: f"encoder.stages.{m[1]}.blocks.{int(m[2]) - 3}."),
        (r"^backbone\.stage(\d+)\.\d+\.(red_dim_conv|tcm|exp_dim_conv)\.", r"encoder.stages.\1.time.\2."),
        (r"^backbone\.stage(\d+)\.\d+\.([013])\.", lambda m: f"encoder.stages.{m[1]}.squeeze.{_SQUEEZE[m[2]]}."),
        *_BLOCK,
    ]


_SQUEEZE = {"0": "conv", "1": "norm", "3": "linear"}


def redimnet_of_wespeaker(stages: int, *, layers: int = 1) -> Rules:
    """WeSpeaker's names of a ReDimNet of so many stages, its sums a list of their own; `layers`: after the pooling."""
    return [
        *_ENDS,
        *projection(layers),
        (r"^backbone\.inputs_weights\.0$", ""),
        (rf"^backbone\.inputs_weights\.{stages}$", "encoder.gather.weight"),
        (r"^backbone\.inputs_weights\.(\d+)$", r"encoder.stages.\1.shares.weight"),
        (r"^backbone\.mfa\.0\.", "encoder.last.linear."),
        (r"^backbone\.mfa\.1\.", "encoder.last.norm."),
        (r"^backbone\.stage(\d+)\.0\.(weight|bias)$", r"encoder.stages.\1.down.\2"),
        (r"^backbone\.stage(\d+)\.(\d+)\.conv_block\.", lambda m: f"encoder.stages.{m[1]}.blocks.{int(m[2]) - 1}."),
        (r"^backbone\.stage(\d+)\.\d+\.(red_dim_conv|tcm|exp_dim_conv)\.", r"encoder.stages.\1.time.\2."),
        (r"^backbone\.stage(\d+)\.\d+\.([013])\.", lambda m: f"encoder.stages.{m[1]}.squeeze.{_SQUEEZE[m[2]]}."),
        *_BLOCK,
    ]


def redimnet2(*, last_norm: bool = False) -> Rules:
    """PalabraAI's names, with `dual_agg` or without; the rest as for `redimnet`."""
    stage = r"^backbone\.stage(\d+)(?:_pre)?\."
    return [
        *_ENDS,
        *(_PROJECTION_WITH_NORM if last_norm else _PROJECTION),
        (r"^backbone\.stage0(_pre)?\.0\.w$", ""),
        (r"^backbone\.stem_gnorm\.", "encoder.stem_norm."),
        (r"^backbone\.fin_wght1d\.w$", "encoder.gather.weight"),
        (r"^backbone\.head\.", "encoder.last."),
        (r"^backbone\.stage(\d+)_up_2d\.1\.", r"encoder.stages.\1.norms.0."),
        (r"^backbone\.stage(\d+)_up_1d\.1\.", r"encoder.stages.\1.norms.1."),
        (r"^backbone\.stage(\d+)_1d\.", r"encoder.stages.\1.time."),
        (stage + r"0\.w$", r"encoder.stages.\1.shares.weight"),
        (stage + r"2\.(weight|bias)$", r"encoder.stages.\1.down.\2"),
        (stage + r"\d+\.(weight|bias)$", r"encoder.stages.\1.norms.0.\2"),
        (stage + r"(\d+)\.conv_block\.", lambda m: f"encoder.stages.{m[1]}.blocks.{int(m[2]) - 3}."),
        (stage + r"\d+\.(red_dim_conv|tcm|exp_dim_conv)\.", r"encoder.stages.\1.time.\2."),
        (stage + r"\d+\.0\.", r"encoder.stages.\1.squeeze.linear."),
        (stage + r"\d+\.1\.", r"encoder.stages.\1.squeeze.norm."),
        *_BLOCK,
    ]
