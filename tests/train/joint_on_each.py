"""Trains a joint objective, and saves what each process has learnt: `joint_on_each.py FOLDER`, under a launcher."""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from tiny_recipe import recipe as tiny_recipe

from voxsphere.data.samplers import SpeakersByUtterances
from voxsphere.losses.margin import AamSoftmax
from voxsphere.losses.mined import Mined
from voxsphere.losses.miners.batch_hard import BatchHard
from voxsphere.losses.triplet import Triplet
from voxsphere.train import run
from voxsphere.train.assembly import assemble
from voxsphere.train.objectives import Joint

made = []


def kept(*arguments):
    made.append(assemble(*arguments))
    return made[-1]


run.assemble = kept
joint = replace(
    tiny_recipe(),
    objective=partial(Joint, head=AamSoftmax, metric=partial(Mined, loss=Triplet, miner=BatchHard)),
    sampler=partial(SpeakersByUtterances, utterances=2),
    accumulate=1,
    epochs=2,
)
folder = Path(sys.argv[1])
run.train(joint, folder / "run", workers=0, cpu=True)
learnt = made[0].objective.named_parameters()
torch.save({name: value.detach() for name, value in learnt}, folder / f"{os.environ['RANK']}.pt")
