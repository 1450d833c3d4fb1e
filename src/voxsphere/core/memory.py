"""The memory allocator's habits, where they cost more than the computation."""

import ctypes
import platform

# <malloc.h> of the GNU C library
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> bool:
    """Let the process keep what it frees, for its next need; False where the C library is not GNU's.

    By default the GNU C library takes every large block from the system and hands it back when it is freed, so that
    each tensor of each step is written to pages the system must first clear. Kept, a training step on a CPU needs a
    third less time. The process then never grows smaller: call it where much is computed, not in a library's import.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # No block by mmap of its own; the heap grows by 128 MiB and is never trimmed.
    return all([mallopt(_MMAP_MAX, 0), mallopt(_TRIM_THRESHOLD, 2**31 - 1), mallopt(_TOP_PAD, 2**27)])
