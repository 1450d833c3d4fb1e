"""The command line: one verb a function, and one place where an error becomes a line and a status."""

import io
import sys
from collections.abc import Sequence

from voxsphere.cli.commands import app
from voxsphere.core.errors import BadInput, flattened


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 the answer is no (`--check`), 2 bad input, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter is no reason to fail
    try:
        app(args=list(arguments) if arguments is not None else None)
    except BadInput as error:
        print(f"voxsphere: {' '.join(str(error).splitlines())}", file=sys.stderr)
        sys.exit(2)
    except MemoryError as error:
        print(f"voxsphere: the memory does not suffice ({error})", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"voxsphere: {flattened(error)}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as end:
        if end.code == 130:  # the command line library turns an interruption into this status, and says nothing
            print("voxsphere: interrupted; run it again to go on", file=sys.stderr)
        raise
