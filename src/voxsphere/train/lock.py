"""One run at a time in a folder: two would write over each other's checkpoints."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voxsphere.core.errors import BadInput


@contextmanager
def only_here(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; `BadInput` where another process holds it. A killed process holds nothing.

    Where the system has no such locks (Windows), nobody is kept out.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    path = folder / ".lock"
    fresh = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise BadInput(f"{folder}: cannot be written ({error.strerror}); choose another --out") from error
    with file:
        try:
            # Not flock: the workers that make batches would inherit it, and outlive a killed run by some seconds.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadInput(f"{folder}: another process trains there; wait for it, or choose another --out") from error
        try:
            yield
        finally:
            if fresh and list(folder.iterdir()) == [path]:  # nothing came of it, and nothing is left of it
                path.unlink()
                folder.rmdir()
