"""`load`: the one door to a model, whatever way it is named."""

import re
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.pretrained.folder import FILES, Pretrained, open_folder
from voxsphere.pretrained.known import KNOWN, fetch_known
from voxsphere.pretrained.sources import fetch_address, fetch_hub


def load(name: str | Path) -> Pretrained:
    """The model that `name` means: a known name, a folder, an http(s) address of a folder, or a hub id `owner/model`.

    The first use of a name that is not a folder needs the network; later uses do not. Raises `BadInput` with one
    line saying what was tried.
    """
    if isinstance(name, str) and name in KNOWN:
        return open_folder(fetch_known(KNOWN[name]))
    if Path(name).exists():
        return open_folder(name)
    if re.match(r"https?://", str(name)):
        return open_folder(fetch_address(str(name), FILES))
    if re.fullmatch(r"[\w.-]+/[\w.-]+", str(name)):
        return open_folder(fetch_hub(str(name), FILES))
    raise BadInput(f"no model {str(name)!r}: not a folder, not an address, and not one of {', '.join(KNOWN)}")
