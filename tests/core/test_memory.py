"""What is freed is used again."""

import platform
import subprocess
import sys

import pytest

COUNTED = """
import resource, sys, torch
from voxsphere.core.memory import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "kept":
    assert keep_freed_memory()
layers = torch.nn.Sequential(*(torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Tanh()) for _ in range(3)))
frames = torch.zeros(150_000, 64)  # 38 MB, and so is each layer's output
def step():
    layers(frames).sum().backward()
for _ in range(4):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not the GNU C library's")
def test_steps_take_hardly_any_new_pages_once_memory_is_kept():
    faults = {
        way: int(subprocess.run([sys.executable, "-c", COUNTED, way], capture_output=True, check=True).stdout)
        for way in ("kept", "given back")
    }
    assert faults["given back"] > 100  # in pages of 4 KiB or of 2 MiB
    assert faults["kept"] < faults["given back"] / 3
