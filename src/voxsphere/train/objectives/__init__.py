"""Ways to train: what a batch is to teach, an objective a file."""

from voxsphere.train.objectives.adversarial import DomainAdversarial, Reversal
from voxsphere.train.objectives.classification import Classification
from voxsphere.train.objectives.contract import Objective
from voxsphere.train.objectives.distillation import Distillation
from voxsphere.train.objectives.joint import Joint
from voxsphere.train.objectives.metric import Metric
from voxsphere.train.objectives.mixup import Mixup

__all__ = ["Classification", "Distillation", "DomainAdversarial", "Joint", "Metric", "Mixup", "Objective", "Reversal"]
