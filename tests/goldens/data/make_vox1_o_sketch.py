"""Prints the sketch of VoxCeleb1-O that data/test_lists.py holds: `python make_vox1_o_sketch.py veri_test.txt`."""

import sys

from voxsphere.core.trials import Trials
from voxsphere.data.test_lists import sketch

digits = [f"{value:08x}" for value in sketch(Trials.load(sys.argv[1]).ids)]
for first in range(0, len(digits), 12):
    print(" ".join(digits[first : first + 12]))
