"""`python -m voxsphere`."""

from voxsphere.cli import main

main()
