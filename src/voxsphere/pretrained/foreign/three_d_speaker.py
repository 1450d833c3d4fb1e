"""3D-Speaker's networks: its names of weights (speakerlab/models, Apache-2.0), and ours."""

from voxsphere.pretrained.foreign import speechbrain, wespeaker
from voxsphere.pretrained.foreign.renaming import Rules


def campplus() -> Rules:
    """CAM++, whose last linear layer they write as a convolution of kernel 1."""
    return [
        (r"^head\.conv1\.", "encoder.stem.first.conv."),
        (r"^head\.bn1\.", "encoder.stem.first.norm."),
        (r"^head\.conv2\.", "encoder.stem.last.conv."),
        (r"^head\.bn2\.", "encoder.stem.last.norm."),
        (r"^head\.layer(\d)\.(\d)\.", lambda m: f"encoder.stem.blocks.{2 * int(m[1]) - 2 + int(m[2])}."),
        (r"\.conv1\.", ".first.conv."),
        (r"\.bn1\.", ".first.norm."),
        (r"\.conv2\.", ".second.conv."),
        (r"\.bn2\.", ".second.norm."),
        (r"shortcut\.0\.", "shortcut.conv."),
        (r"shortcut\.1\.", "shortcut.norm."),
        (r"^xvector\.tdnn\.linear\.", "encoder.entry.0."),
        (r"^xvector\.tdnn\.nonlinear\.batchnorm\.", "encoder.entry.1."),
        (
            r"^xvector\.block(\d)\.tdnnd(\d+)\.",
            lambda m: f"encoder.blocks.{int(m[1]) - 1}.layers.{int(m[2]) - 1}.",
        ),
        (r"\.nonlinear1\.batchnorm\.", ".narrow.norm."),
        (r"(layers\.\d+)\.linear1\.", r"\1.narrow.conv."),
        (r"\.nonlinear2\.batchnorm\.", ".norm."),
        (r"\.cam_layer\.linear_local\.", ".conv."),
        (r"\.cam_layer\.linear1\.", ".mask.0."),
        (r"\.cam_layer\.linear2\.", ".mask.2."),
        (r"^xvector\.transit(\d)\.nonlinear\.batchnorm\.", lambda m: f"encoder.narrow.{int(m[1]) - 1}.norm."),
        (r"^xvector\.transit(\d)\.linear\.", lambda m: f"encoder.narrow.{int(m[1]) - 1}.conv."),
        (r"^xvector\.out_nonlinear\.batchnorm\.", "encoder.norm."),
        (r"^xvector\.dense\.linear\.", "projection.linear."),
        (r"^xvector\.dense\.nonlinear\.batchnorm\.", "projection.norm."),
    ]


def xvector() -> Rules:
    """WeSpeaker's frame layers, and one linear layer after the pooling."""
    return [(r"^seg_1\.", "projection.linear."), *wespeaker.xvector()]


def resnet() -> Rules:
    """Its ResNet34 is WeSpeaker's with two layers after the pooling."""
    return wespeaker.resnet((3, 4, 6, 3), layers=2)


def ecapa_tdnn() -> Rules:
    """Its ECAPA-TDNN is SpeechBrain's."""
    return speechbrain.ecapa_tdnn()


def res2net() -> Rules:
    """Its Res2Net is WeSpeaker's Res2Net34_Base."""
    return wespeaker.res2net((3, 4, 6, 3))


def eres2net() -> Rules:
    """Base, large and huge; unlike in WeSpeaker, all groups of a block are in one list."""
    return wespeaker.eres2net(first_apart=False)


def eres2netv2() -> Rules:
    """Of the fusions of stages there is one, called 34."""
    return [(r"^fuse34\.", "encoder.fuse."), (r"^layer3_ds\.", "encoder.halve."), *eres2net()]
