"""SpeechBrain's networks: its names of weights (speechbrain/lobes/models, Apache-2.0), and ours."""

from voxsphere.pretrained.foreign.renaming import Rules


def xvector() -> Rules:
    """SpeechBrain counts convolution, ReLU and batch norm each; block 16 is the embedding's linear layer."""
    return [
        (r"^blocks\.16\.w\.", "projection.linear."),
        (r"^blocks\.(\d+)\.(conv|norm)\.", lambda m: f"encoder.layers.{int(m[1]) // 3}.{m[2]}."),
    ]


def ecapa_tdnn() -> Rules:
    """Into `EcapaTdnn`, `AttentiveStatsPooling` and `NormLinear`; SpeechBrain's block 0 is the entry."""
    return [
        (r"\.(conv|norm)\.\1\.", r".\1."),
        (r"^blocks\.0\.", "encoder.entry."),
        (r"^blocks\.(\d+)\.", lambda m: f"encoder.blocks.{int(m[1]) - 1}."),
        (r"\.res2net_block\.blocks\.", ".layers.1.groups."),
        (r"\.tdnn([12])\.", lambda m: f".layers.{2 * int(m[1]) - 2}."),
        (r"\.se_block\.conv([12])\.conv\.", lambda m: f".layers.3.factors.{2 * int(m[1]) - 2}."),
        (r"^mfa\.conv\.", "encoder.gather."),
        (r"^mfa\.norm\.", "encoder.norm."),
        (r"^asp\.tdnn\.conv\.", "pooling.hidden."),
        (r"^asp\.tdnn\.norm\.", "pooling.activation.norm."),
        (r"^asp\.conv\.", "pooling.score."),
        (r"^asp_bn\.norm\.", "projection.norm."),
        (r"^fc\.conv\.", "projection.linear."),
    ]
