"""The one exception that is the user's to mend."""


class BadInput(ValueError):
    """Something given to voxsphere is wrong: says what, where, and how to mend it, on one line.

    The command line prints the message on stderr and ends with status 2; in Python it is an ordinary `ValueError`.
    """


def flattened(error: BaseException) -> str:
    """All that an error says, on one line."""
    return " ".join(str(error).split())


def one_line(error: BaseException) -> str:
    """What somebody else's error says, for a line of ours: its first line, cut short."""
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return first if len(first) <= 200 else f"{first[:200]}…"
