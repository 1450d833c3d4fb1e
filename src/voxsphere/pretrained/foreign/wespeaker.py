"""WeSpeaker's networks: its names of weights (wespeaker/models, Apache-2.0), and ours."""

from voxsphere.pretrained.foreign.renaming import Rules

_ORDINAL = {"1": "first", "2": "second", "3": "third"}


def ecapa_tdnn() -> Rules:
    """WeSpeaker counts the layers, the first block being layer 2."""
    return [
        (r"^layer1\.", "encoder.entry."),
        (r"^layer(\d)\.se_res2block\.", lambda m: f"encoder.blocks.{int(m[1]) - 2}.layers."),
        (r"layers\.3\.linear1", "layers.3.factors.0"),
        (r"layers\.3\.linear2", "layers.3.factors.2"),
        (r"layers\.1\.convs\.(\d)", r"layers.1.groups.\1.conv"),
        (r"layers\.1\.bns\.(\d)", r"layers.1.groups.\1.norm"),
        (r"^conv\.", "encoder.gather."),
        (r"^pool\.linear1", "pooling.hidden"),
        (r"^pool\.linear2", "pooling.score"),
        (r"^bn\.", "projection.norm_in."),
        (r"^linear\.", "projection.linear."),
        (r"^bn2\.", "projection.norm_out."),
        (r"\.bn\.", ".norm."),
    ]


def resnet(blocks: tuple[int, ...], *, layers: int = 1) -> Rules:
    """Renaming rules; their blocks are numbered within the stage, ours through. `layers`: after the pooling."""
    before = [sum(blocks[:stage]) for stage in range(4)]
    return [
        (r"^conv1\.", "encoder.first.conv."),
        (r"^bn1\.", "encoder.first.norm."),
        (r"^layer(\d)\.(\d+)\.", lambda m: f"encoder.blocks.{before[int(m[1]) - 1] + int(m[2])}."),
        (r"\.conv(\d)\.", lambda m: f".{_ORDINAL[m[1]]}.conv."),
        (r"\.bn(\d)\.", lambda m: f".{_ORDINAL[m[1]]}.norm."),
        (r"shortcut\.0\.", "shortcut.conv."),
        (r"shortcut\.1\.", "shortcut.norm."),
        *projection(layers),
    ]


def simam_resnet(blocks: tuple[int, ...]) -> Rules:
    """Its network under `front`, its attentive pooling, and one layer called a bottleneck."""
    return [
        (r"^front\.", ""),
        (r"\.downsample\.", ".shortcut."),
        *resnet(blocks),
        (r"^pooling\.attention\.0\.", "pooling.hidden."),
        (r"^pooling\.attention\.2\.", "pooling.activation.norm."),
        (r"^pooling\.attention\.3\.", "pooling.score."),
        (r"^bottleneck\.", "projection.linear."),
    ]


def res2net(blocks: tuple[int, ...], *, layers: int = 1) -> Rules:
    """As the ResNet, with a list of convolutions and one of batch norms for the groups."""
    return [*_groups(), *resnet(blocks, layers=layers)]


def eres2net(*, first_apart: bool = True, layers: int = 1) -> Rules:
    """In its blocks that fuse by attention, the first group is called 2_1 and not in the lists of the others."""
    shifted: Rules = [
        (r"^(layer[34]\.\d+\.(?:convs|bns))\.(\d+)\.", lambda m: f"{m[1]}.{int(m[2]) + 1}."),
        (r"\.(conv|bn)2_1\.", r".\1s.0."),
    ]
    return [
        *(shifted if first_apart else []),
        *_groups(),
        (r"\.fuse_models\.", ".fusions."),
        (r"^fuse_mode(\d+)\.", lambda m: f"encoder.fuse.{len(m[1]) - 2}."),
        (r"^layer(\d)_downsample\.", lambda m: f"encoder.halve.{int(m[1]) - 1}."),
        (r"^layer(\d)\.", lambda m: f"encoder.stages.{int(m[1]) - 1}."),
        *attentive_fusion(),
        *resnet((), layers=layers),
    ]


def attentive_fusion() -> Rules:
    """Two convolutions with their batch norms, numbered through a sequence."""
    return [
        (r"\.local_att\.0\.", ".hidden.conv."),
        (r"\.local_att\.1\.", ".hidden.norm."),
        (r"\.local_att\.3\.", ".factor.conv."),
        (r"\.local_att\.4\.", ".factor.norm."),
    ]


def _groups() -> Rules:
    return [(r"\.convs\.(\d+)\.", r".groups.\1.conv."), (r"\.bns\.(\d+)\.", r".groups.\1.norm.")]


def projection(layers: int) -> Rules:
    """The one or two linear layers after the pooling, as `Affine` or `TwoAffine`."""
    if layers == 1:
        return [(r"^seg_1\.", "projection.linear.")]
    return [
        (r"^seg_1\.", "projection.hidden."),
        (r"^seg_bn_1\.", "projection.norm."),
        (r"^seg_2\.", "projection.linear."),
    ]


def xvector() -> Rules:
    """WeSpeaker counts the frame layers from 1; its batch norms have no scale and shift."""
    return [
        (r"^frame_(\d)\.conv_1d\.", lambda m: f"encoder.layers.{int(m[1]) - 1}.conv."),
        (r"^frame_(\d)\.bn\.", lambda m: f"encoder.layers.{int(m[1]) - 1}.norm."),
        *projection(2),
    ]
