"""The networks of the speaker recognition systems on a Kaldi data folder, one recipe each: speaker_systems/NAME.

SpeakerVerifiaction-pytorch (Yang et al., github.com/Wenhao-Yang) trains some thirty networks by one script. Here each
is a recipe over `$SPEAKER_SYSTEMS/train`; its poolings and losses come by `--set`, as docs/systems/speaker_systems.md
lists. Published for its TDNN with AAM-softmax on VoxCeleb2 (161 bins of spectrogram, cosine): EER 2.35 % and minDCF
0.219 / 0.285 at 0.01 / 0.001 on VoxCeleb1-O, 2.81 % on SITW dev, 16.8 % on CN-Celeb; for plain softmax 5.40 %
(VoxCeleb1) and 3.09 % (VoxCeleb2). Its rows for other networks are placeholders. Ours: docs/results.md.

    voxsphere prepare vox2.tsv --as speaker_systems --out vox2 --trials veri_test.txt
    SPEAKER_SYSTEMS=vox2 voxsphere train speaker_systems/tdnn
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from torch.optim import SGD, Adam

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import nearest
from voxsphere.data.examples import Crops
from voxsphere.data.kaldi_set import kaldi_set
from voxsphere.data.samplers import SpeakerBalanced
from voxsphere.losses.margin import AamSoftmax
from voxsphere.losses.softmax import Softmax
from voxsphere.train.objectives import Classification
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Cyclic, Steps
from voxsphere.train.validation import Verification
from voxsphere.zoo import NETWORKS

FAMILY = "speaker_systems"
SYSTEM = "SpeakerVerifiaction-pytorch"

CALLED = {
    "tdnn": "xvector",
    "tdnn-v2": "xvector",
    "tdnn-v4": "xvector",
    "tdnn-v5": "xvector",
    "tdnn-v6": "xvector-norm-relu",
    "aret": "aret-agg",
    "ecapa": "ecapa-summed",
    "superficial": "rescnn-superficial",
    "rescnn101": "rescnn101-basic",
    "resnet10": "image-resnet10",
    "resnet18": "image-resnet18",
    "resnet34": "image-resnet34",
    "resnet101": "image-resnet101-basic",
    "resnet20": "resnet20-normed",
    "thin-resnet": "thin-resnet34",
}
"""What that system calls networks of the zoo, where it is not the zoo's own name."""

NAMES = (*CALLED, *(name for name, network in NETWORKS.items() if SYSTEM in network.systems))
"""Every name that `speaker_systems/NAME` may have."""


def speaker_systems(network: str) -> Recipe:
    """The recipe of a network by the system's name or the zoo's; `BadInput` lists those there are.

    TDNNs and residual networks are trained as its scripts do by default, with the margin and scale of its README; the
    LSTMs and ECAPA-TDNN as it trained those. Where we depart from it: the held-out speakers that decide are of the
    training set (there a test list decided), and gradients may be clipped before the step.
    """
    if network not in NAMES:
        raise BadInput(f"{FAMILY}: no network {network!r} in it{nearest(network, NAMES)}")
    named = CALLED.get(network, network)
    plain = Recipe(
        name=f"{FAMILY}-{network}",
        data=partial(kaldi_set),
        model=NETWORKS[named].model,
        objective=partial(Classification, head=partial(AamSoftmax, margin=0.2, scale=30.0)),
        examples=partial(Crops, length=(2.01, 4.01), step=0.2),  # 200 to 400 frames of 20 or 25 ms
        sampler=partial(SpeakerBalanced, repeats="auto", renew=False),
        optimizer=partial(SGD, momentum=0.9, weight_decay=5e-4),
        learning_rate=partial(Steps, initial=0.1, factor=0.1, milestones=(10.0, 15.0)),
        batch_size=128,
        epochs=20,
        validation=partial(Verification, figure="eer*min_dcf*min_dcf_0.001"),
        keep="best",
        seed=123456,
    )
    if "lstm" in named:
        return _as_lstm(plain)
    return _as_ecapa(plain) if named.startswith("ecapa") else plain


def _as_lstm(recipe: Recipe) -> Recipe:
    """Adam, softmax, 300 frames, 256 pieces a speaker; as its scripts of LSTMs."""
    return replace(
        recipe,
        objective=partial(Classification, head=Softmax),
        examples=partial(Crops, length=3.01),
        sampler=partial(SpeakerBalanced, repeats=256, renew=False),
        optimizer=partial(Adam, weight_decay=5e-4),
        learning_rate=partial(Steps, initial=1e-3, factor=0.1, milestones=(45.0,)),
        batch_size=64,
        epochs=90,
    )


def _as_ecapa(recipe: Recipe) -> Recipe:
    """Adam under a cyclic rate, five epochs up and five down, each cycle half as high; as its later recipes."""
    return replace(
        recipe,
        optimizer=partial(Adam, weight_decay=1e-5),
        learning_rate=partial(Cyclic, low=1e-8, high=1e-3, half_cycle_epochs=5.0, shape="triangular2"),
    )


def _named(network: str) -> Callable[[], Recipe]:
    def recipe() -> Recipe:
        return speaker_systems(network)

    wanted = NETWORKS[CALLED.get(network, network)]
    recipe.__doc__ = f"{wanted.name} of the zoo, as {SYSTEM} trains it ({wanted.paper.split(', ')[0]})."
    return recipe


RECIPES: dict[str, Callable[[], Recipe]] = {f"{FAMILY}/{name}": _named(name) for name in NAMES}
"""The recipe of each name."""
