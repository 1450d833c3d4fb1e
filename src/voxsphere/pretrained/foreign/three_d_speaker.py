"""3D-Speaker's networks: its names of weights (speakerlab/models, Apache-2.0), and ours."""

from voxsphere.pretrained.foreign import wespeaker
from voxsphere.pretrained.foreign.renaming import Rules


def xvector() -> Rules:
    """WeSpeaker's frame layers, and one linear layer after the pooling."""
    return [(r"^seg_1\.", "projection.linear."), *wespeaker.xvector()]
