"""docs/results.md says what the stored score files say, figure for figure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_results_page_is_made_of_the_stored_files():
    command = [sys.executable, "-m", "studies.results", "--check"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}, check=False
    )
    assert done.returncode == 0, "run `python -m studies.results`"
