"""SpeechBrain's networks: its names of weights (speechbrain/lobes/models, Apache-2.0), and ours."""

from voxsphere.pretrained.foreign.renaming import Rules


def xvector() -> Rules:
    """SpeechBrain counts convolution, ReLU and batch norm each; block 16 is the embedding's linear layer."""
    return [
        (r"^blocks\.16\.w\.", "projection.linear."),
        (r"^blocks\.(\d+)\.(conv|norm)\.", lambda m: f"encoder.layers.{int(m[1]) // 3}.{m[2]}."),
    ]
