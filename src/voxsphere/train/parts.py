"""Every part that a training recipe may name, and its class."""

from collections.abc import Callable
from typing import Any

from torch import optim

from voxsphere.catalogue import CATALOGUE
from voxsphere.data.closed_set import closed_set
from voxsphere.data.deep_speaker import deep_speaker_cuts
from voxsphere.data.examples import Crops, Whole, Windows
from voxsphere.data.hdf5_set import hdf5_set
from voxsphere.data.kaldi_set import kaldi_set
from voxsphere.data.samplers import Bucketed, ByDuration, Drawn, Shuffled, SpeakerBalanced, SpeakersByUtterances
from voxsphere.data.spkid import spkid_lab
from voxsphere.data.synthetic_set import synthetic_set
from voxsphere.data.training_set import training_set
from voxsphere.data.voxceleb1 import voxceleb1_identification, voxceleb1_verification
from voxsphere.train.average import Ema
from voxsphere.train.identification import Identification
from voxsphere.train.margins import LambdaAnnealing, MarginRamp
from voxsphere.train.objectives import Classification, Distillation, DomainAdversarial, Joint, Metric, Mixup, Reversal
from voxsphere.train.sam import Sam
from voxsphere.train.schedule import (
    Constant,
    Cosine,
    Cyclic,
    Exponential,
    InverseSqrt,
    Linear,
    OneCycle,
    Plateau,
    Polyline,
    Steps,
    Stopping,
)
from voxsphere.train.start import Start
from voxsphere.train.validation import Verification

# torch's own optimisers: all of them, also those of later versions.
_OPTIMIZERS = {name: getattr(optim, name) for name in optim.__all__ if name[0].isupper() and name != "Optimizer"}

PARTS: dict[str, Callable[..., Any]] = {
    **_OPTIMIZERS,
    **CATALOGUE,
    # data
    "Bucketed": Bucketed,
    "ByDuration": ByDuration,
    "Crops": Crops,
    "Drawn": Drawn,
    "Shuffled": Shuffled,
    "SpeakerBalanced": SpeakerBalanced,
    "SpeakersByUtterances": SpeakersByUtterances,
    "Whole": Whole,
    "Windows": Windows,
    "closed_set": closed_set,
    "kaldi_set": kaldi_set,
    "deep_speaker_cuts": deep_speaker_cuts,
    "spkid_lab": spkid_lab,
    "hdf5_set": hdf5_set,
    "synthetic_set": synthetic_set,
    "training_set": training_set,
    "voxceleb1_identification": voxceleb1_identification,
    "voxceleb1_verification": voxceleb1_verification,
    # training
    "Classification": Classification,
    "Distillation": Distillation,
    "DomainAdversarial": DomainAdversarial,
    "Ema": Ema,
    "Identification": Identification,
    "Joint": Joint,
    "Metric": Metric,
    "Mixup": Mixup,
    "Sam": Sam,
    "Start": Start,
    "Verification": Verification,
    # schedules
    "Constant": Constant,
    "Cosine": Cosine,
    "Cyclic": Cyclic,
    "Exponential": Exponential,
    "InverseSqrt": InverseSqrt,
    "LambdaAnnealing": LambdaAnnealing,
    "Linear": Linear,
    "MarginRamp": MarginRamp,
    "OneCycle": OneCycle,
    "Plateau": Plateau,
    "Polyline": Polyline,
    "Reversal": Reversal,
    "Steps": Steps,
    "Stopping": Stopping,
}
