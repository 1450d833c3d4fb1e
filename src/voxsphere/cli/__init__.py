"""The command line: one verb a function, and one place where an error becomes a line and a status."""

import sys
from collections.abc import Sequence

from voxsphere.cli.commands import app
from voxsphere.core.errors import BadInput


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 the answer is no (`--check`), 2 bad input, 130 interrupted."""
    try:
        app(args=list(arguments) if arguments is not None else None)
    except BadInput as error:
        print(f"voxsphere: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("voxsphere: interrupted", file=sys.stderr)
        sys.exit(130)
