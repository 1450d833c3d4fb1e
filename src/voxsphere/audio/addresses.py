"""Where a file is: a path, or an address on a web server or in an object store."""

import re

_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")

COPIED = "simplecache::"
"""Before an address (fsspec's word): the whole file is copied into the cache folder at its first use."""


def is_remote(locator: str) -> bool:
    """Whether this is an address (https://, s3://, simplecache::https:// …) rather than a path."""
    return _REMOTE.match(locator) is not None


def shown(locator: str) -> str:
    """The locator as messages may show it: an address without user, password and query, which can hold keys."""
    if not is_remote(locator):
        return locator
    bare, member = re.sub(r"://[^/@]*@", "://", locator), ""
    if "?" in bare:
        bare, _, rest = bare.partition("?")
        member = rest[rest.index("#") :] if "#" in rest else ""
    return bare + member
