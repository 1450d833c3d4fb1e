"""Four published systems on VoxCeleb2: one training protocol, four networks; two of them fine-tuned at a large margin.

The protocol is WeSpeaker's (examples/voxceleb/v2, 2026-07): crops of 200 frames, three speeds as three speakers, noise
or reverberation on 0.6 of the examples, AAM-softmax of scale 32 whose margin grows to 0.2 between epochs 20 and 40, SGD
with Nesterov momentum, 150 epochs of 256 utterances a step (two GPUs of 128), the last ten epochs averaged.

Where we depart from it: WeSpeaker draws each utterance's speed anew each epoch, here every epoch holds all three, so 50
of ours are 150 of theirs, and the last three are averaged; 40 of the 5,994 speakers are held out to be judged by, where
WeSpeaker learns from all and validates on nothing; utterances above 8 s are cropped anywhere, not cut to 8 s first; the
filter bank has no dither. An angle whose margin would take it beyond 180° is treated as `losses.margin` says.

`MUSAN` is the folder of that name with `noise/`, `music/` and `speech/` below it, `RIRS` that of room responses alone
(`RIRS_NOISES/simulated_rirs`; the archive's other folders hold noises, too).
Published figures are EERs of plain cosine scores on Vox1-O/E/H, cleaned, before score normalisation (and, but for the
names in _lm, before large-margin fine-tuning). Ours: none yet. WeSpeaker states two GPUs, and no hours.

    export VOXCELEB=… MUSAN=…/musan RIRS=…/RIRS_NOISES/simulated_rirs
    voxsphere prepare voxceleb VOXCELEB2 --out $VOXCELEB/vox2.tsv
    voxsphere check $VOXCELEB/vox2.tsv --out $VOXCELEB/vox2.tsv    # durations: utterances under a second are left out
    voxsphere train resnet34_voxceleb
"""

from dataclasses import replace
from functools import partial

from torch.optim import SGD

from voxsphere.audio.features import Fbank
from voxsphere.data.examples import Crops
from voxsphere.data.samplers import Shuffled
from voxsphere.data.training_set import training_set
from voxsphere.losses.margin import AamSoftmax
from voxsphere.recipes.augmentation import musan_and_rooms
from voxsphere.recipes.large_margin import large_margin
from voxsphere.train.margins import MarginRamp
from voxsphere.train.objectives import Classification
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Exponential
from voxsphere.train.stages import Stages
from voxsphere.zoo import NETWORKS
from voxsphere.zoo.network import Network

# WeSpeaker's epochs as ours, which hold every utterance at three speeds.
_THIRD = 1 / 3


def xvector_voxceleb() -> Recipe:
    """The x-vector TDNN, 4.6 M parameters (Snyder et al. 2018). Published: 1.99 / 1.95 / 3.41 %."""
    return _protocol("xvector_voxceleb", NETWORKS["xvector-wespeaker"])


def ecapa_voxceleb() -> Recipe:
    """ECAPA-TDNN of 512 channels, 6.2 M parameters (Desplanques et al. 2020). Published: 1.07 / 1.21 / 2.31 %."""
    return _protocol("ecapa_voxceleb", NETWORKS["ecapa-512-wespeaker"])


def resnet34_voxceleb() -> Recipe:
    """ResNet34 (r-vector), 6.6 M parameters (Zeinali et al. 2019). Published: 0.87 / 1.05 / 1.96 %."""
    return _protocol("resnet34_voxceleb", NETWORKS["resnet34"])


def campplus_voxceleb() -> Recipe:
    """CAM++, 7.2 M parameters (Wang et al. 2023). Published: 0.80 / 0.93 / 1.86 %."""
    return _protocol("campplus_voxceleb", NETWORKS["campplus"])


def ecapa_voxceleb_lm() -> Stages:
    """`ecapa_voxceleb`, then large-margin fine-tuning of it. Published: 0.88 / 1.07 / 2.01 %."""
    return _with_large_margin(ecapa_voxceleb())


def resnet34_voxceleb_lm() -> Stages:
    """`resnet34_voxceleb`, then large-margin fine-tuning of it. Published: 0.80 / 0.94 / 1.70 %."""
    return _with_large_margin(resnet34_voxceleb())


def _with_large_margin(recipe: Recipe) -> Stages:
    """WeSpeaker's conf/*_lm.yaml: five epochs of crops of 600 frames at the speed they were spoken at, margin 0.5.

    Its rate is for 64 utterances a step; two GPUs take twice as many at twice the rate.
    """
    rate = partial(Exponential, initial=1e-4, final=2.5e-5, scale_ratio=2.0, warmup_epochs=1, warm_from=0.0)
    last = replace(large_margin(recipe, seconds=6.015), learning_rate=rate, batch_size=128)
    return Stages(last.name, (recipe, last))


def _protocol(name: str, network: Network) -> Recipe:
    return Recipe(
        name=name,
        data=partial(
            training_set,
            manifest="$VOXCELEB/vox2.tsv",
            split="dev",
            min_seconds=1.0,
            speeds=(0.9, 1.1),
            held_out=40,
            targets=4000,
        ),
        model=partial(network.model, features=partial(Fbank, num_mels=80, window="hamming", cmn=True)),
        objective=partial(Classification, head=partial(AamSoftmax, margin=0.2, scale=32.0)),
        examples=partial(Crops, length=2.015),
        sampler=Shuffled,
        augment=musan_and_rooms(),
        optimizer=partial(SGD, momentum=0.9, nesterov=True, weight_decay=1e-4),
        # 0.1 is for 64 utterances a step; four times as many take four times the rate.
        learning_rate=partial(
            Exponential, initial=0.1, final=5e-5, scale_ratio=4.0, warmup_epochs=6 * _THIRD, warm_from=0.0
        ),
        margin=partial(MarginRamp, final=0.2, begin_epoch=1 + 19 * _THIRD, end_epoch=1 + 39 * _THIRD, shape="exp"),
        batch_size=256,
        epochs=50,
        keep="average",
        average=3,
        log_every=100,
    )
