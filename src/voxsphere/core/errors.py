"""The one exception that is the user's to mend."""


class BadInput(ValueError):
    """Something given to voxsphere is wrong: says what, where, and how to mend it, on one line.

    The command line prints the message on stderr and ends with status 2; in Python it is an ordinary `ValueError`.
    """
