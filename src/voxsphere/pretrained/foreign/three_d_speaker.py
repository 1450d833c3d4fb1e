"""3D-Speaker's networks: its names of weights (speakerlab/models, Apache-2.0), and ours."""

from voxsphere.pretrained.foreign import wespeaker
from voxsphere.pretrained.foreign.renaming import Rules


def resnet() -> Rules:
    """Its ResNet34 is WeSpeaker's with two layers after the pooling."""
    return wespeaker.resnet((3, 4, 6, 3), layers=2)
