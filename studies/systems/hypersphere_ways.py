"""The rows of the unified hypersphere's study: what each changes in the system's recipe, and how it is heard."""

from dataclasses import dataclass

CROPS = 20
SMOKE = (
    "1.epochs=1",
    "2.epochs=1",
    "batch_size=4",
    "sampler.batches=2",
    "model.encoder.width=2",
    "examples.length=0.5",
)
"""What a rehearsal of any row changes besides."""


@dataclass(frozen=True)
class Way:
    """How a row trains, `thrice` or once, and how it is heard: `crops` 0 is the whole, at most `HEARD` seconds."""

    settings: tuple[str, ...] = ()
    crops: int = CROPS
    trained_as: str = ""
    thrice: bool = True


_NEW, _CARRIED = "2.start.head=new", "2.start.head=carried"
_SCALES = ("2.objective.head.scale=30", "2.objective.head.margin=6")
_SOFTMAX = ("2.objective.head=Softmax", _CARRIED)
# The weight of the plain logit falls to its last value, 5, in half of the steps; published for many more.
_A_SOFTMAX = ("2.objective.head=ASoftmax", "2.margin=LambdaAnnealing", "2.margin.gamma=0.4", _NEW)
_ADDITIVE = ("2.objective.head.normalised=true", *_SCALES, _NEW)
_LOGISTIC = ("2.objective.head.normalised=false", *_SCALES, _CARRIED)
REFERENCE = "am-softmax"
WAYS: dict[str, Way] = {
    REFERENCE: Way(_ADDITIVE),
    "softmax": Way(_SOFTMAX),
    "a-softmax": Way(_A_SOFTMAX),
    "logistic margin": Way(_LOGISTIC),
    f"{REFERENCE}, scale 100 and margin 50": Way(),
    f"{REFERENCE}, heard whole": Way(_ADDITIVE, crops=0, trained_as=REFERENCE),
    f"{REFERENCE}, one crop": Way(_ADDITIVE, crops=1, trained_as=REFERENCE),
    f"{REFERENCE}, learnt from plain crops": Way((*_ADDITIVE, "augment=[]")),
    f"{REFERENCE}, dropout 0.5": Way((*_ADDITIVE, "model.projection.dropout=0.5")),
    f"{REFERENCE}, 64 dimensions": Way((*_ADDITIVE, "model.projection.dim=64")),
    f"{REFERENCE}, 512 dimensions": Way((*_ADDITIVE, "model.projection.dim=512")),
    f"{REFERENCE}, 1024 dimensions": Way((*_ADDITIVE, "model.projection.dim=1024"), thrice=False),
}
"""The rows of verification, of 128 dimensions where nothing else is said."""
KNOWN_REFERENCE = "identification, logistic margin"
KNOWN_WAYS: dict[str, Way] = {
    KNOWN_REFERENCE: Way(_LOGISTIC),
    "identification, am-softmax": Way(_ADDITIVE),
    "identification, softmax": Way(_SOFTMAX),
    "identification, a-softmax": Way(_A_SOFTMAX),
    f"{KNOWN_REFERENCE}, learnt from plain crops": Way((*_LOGISTIC, "augment=[]")),
    f"{KNOWN_REFERENCE}, dropout 0.5": Way((*_LOGISTIC, "model.projection.dropout=0.5")),
    f"{KNOWN_REFERENCE}, heard whole": Way(_LOGISTIC, crops=0, trained_as=KNOWN_REFERENCE),
    f"{KNOWN_REFERENCE}, one crop": Way(_LOGISTIC, crops=1, trained_as=KNOWN_REFERENCE),
}
"""The rows of identification, of 128 dimensions."""
COMPARED = (
    ("logistic margin", "softmax"),
    ("a-softmax", "softmax"),
    *((way, KNOWN_REFERENCE) for way in KNOWN_WAYS if way != KNOWN_REFERENCE),
)
"""What is compared beside the reference of verification: margins with softmax, and the rows of identification."""
