"""3D-Speaker's networks: its names of weights (speakerlab/models, Apache-2.0), and ours."""

from voxsphere.pretrained.foreign import wespeaker
from voxsphere.pretrained.foreign.renaming import Rules


def resnet() -> Rules:
    """Its ResNet34 is WeSpeaker's with two layers after the pooling."""
    return wespeaker.resnet((3, 4, 6, 3), layers=2)


def res2net() -> Rules:
    """Its Res2Net is WeSpeaker's Res2Net34_Base."""
    return wespeaker.res2net((3, 4, 6, 3))


def eres2net() -> Rules:
    """Base, large and huge; unlike in WeSpeaker, all groups of a block are in one list."""
    return wespeaker.eres2net(first_apart=False)


def eres2netv2() -> Rules:
    """Of the fusions of stages there is one, called 34."""
    return [(r"^fuse34\.", "encoder.fuse."), (r"^layer3_ds\.", "encoder.halve."), *eres2net()]
