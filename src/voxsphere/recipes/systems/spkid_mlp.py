"""A network of three dense layers over 21 frames of cepstra, as UPC's speaker lab trains it (pav_spkid_pytorch)."""

from functools import partial

from voxsphere.audio.stored import Stored
from voxsphere.data.examples import Windows
from voxsphere.data.samplers import ByDuration
from voxsphere.data.spkid import spkid_lab, width_of
from voxsphere.losses.softmax import Softmax
from voxsphere.models.encoders.context_mlp import ContextMlp
from voxsphere.models.poolings.statistics import MeanPooling
from voxsphere.models.projection import AsPooled
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.identification import Identification
from voxsphere.train.objectives import Classification
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Constant, Stopping

DIM = 20
"""Of the features where there is no file to ask: c0 and 19 mel-cepstra."""
FRAMES = 20
"""Windows that are taken of an utterance at a time."""
HOP = 0.010
"""Seconds from one frame to the next."""


def spkid_mlp(root: str = "$SPKID") -> Recipe:
    """Who of 157 speakers is it, by windows of 21 frames of mel-cepstrum: 78,258 parameters with the head.

    The course PAV of UPC, pav_spkid_pytorch, on SPEECON in Spanish at 8 kHz. Published: nothing. Ours: docs/results.md,
    on other data. Hardware and hours are not stated there; here a CPU learns some tens of thousands of windows a
    second. docs/systems/spkid_mlp.md has all options, and what differs.

    `root` is the folder that holds cfg/all.train, cfg/all.test and the feature files, whose width the network takes.

        export SPKID=…    # cfg/all.train, mcp/BLOCK00/SES000/SA000S00.mcp
        voxsphere train spkid_mlp
    """
    return Recipe(
        name="spkid_mlp",
        data=partial(spkid_lab, root=root),
        model=partial(
            SpeakerModel,
            features=partial(Stored, dim=width_of(root) or DIM, sample_rate=8000, hop=80),
            encoder=partial(ContextMlp, in_frames=21, hidden=100, windows="padded_in_use"),
            pooling=MeanPooling,
            projection=AsPooled,
            min_seconds=0.0,
        ),
        objective=partial(Classification, head=Softmax),
        examples=partial(Windows, count=FRAMES),
        sampler=partial(ByDuration, every=FRAMES * HOP),
        learning_rate=partial(Constant, value=1e-3),
        batch_size=1000,
        epochs=20,
        keep="best",
        validation=partial(Identification, figure="heldout_loss", seconds=60.0),
        stopping=partial(Stopping, patience=10),
    )
