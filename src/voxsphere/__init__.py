"""Who is speaking? Two recordings in, one trustworthy answer out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voxsphere.verify import Verdict, Vox, load

__version__ = "0.1.0"
__all__ = ["Verdict", "Vox", "load"]


def __getattr__(name: str) -> Any:
    # Torch takes seconds to import; `voxsphere --help` should not wait for it.
    if name in __all__:
        from voxsphere import verify

        return getattr(verify, name)
    raise AttributeError(f"module 'voxsphere' has no attribute {name!r}")
