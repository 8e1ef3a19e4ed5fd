"""Object code and derived sources on disk: found again by hash, written whole or not at all, checked before use.

A file is named by the hash of all that decides its content and begins with the hash of what follows, so a truncated,
garbled or foreign file is noticed and built again. It is written under another name and renamed: processes that race
both write the same content, and a reader sees none or all of it. A folder that cannot be written or found costs
compilation, never an error.

`REMISSION_CACHE=off` switches it off; any other value of that variable is the folder. Without it the folder is the
usual one of the system.
"""

import hashlib
import logging
import os
import sys
import tempfile
from pathlib import Path

__all__ = ["cache_folder", "cached", "key_of"]

logger = logging.getLogger("remission")
CHECK = hashlib.sha256().digest_size


def key_of(*parts) -> str:
    """Hash of texts and bytes, in order and with their lengths.

    Parameters
    ----------
    *parts : str or bytes

    Returns
    -------
    str

    Examples
    --------
    >>> key_of("ab", "c") == key_of("a", "bc")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def cache_folder() -> Path | None:
    """Where object code is kept; None when that is switched off or there is no home."""
    chosen = os.environ.get("REMISSION_CACHE", "")
    if chosen == "off":
        return None
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "remission"
    except RuntimeError:  # no home
        return None


def cached(key, build, ending=".o") -> bytes:
    """The content stored under a key, or what `build()` returns, stored for the next time."""
    folder = cache_folder()
    path = folder / f"{key}{ending}" if folder else None
    content = _read(path) if path else None
    if content is None:
        content = build()
        if path:
            _write(path, content)
    return content


def discard(key):
    """Forget what is stored under a key."""
    folder = cache_folder()
    if folder:
        try:
            (folder / f"{key}.o").unlink()
        except OSError:
            logger.info("kernels: %s could not be removed from %s", key, folder)


def _read(path):
    try:
        stored = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(stored[CHECK:]).digest() == stored[:CHECK]:
        return stored[CHECK:]
    logger.info("kernels: %s is not whole and is built again", path)
    return None


def _write(path, content):
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(temporary, path)
    except OSError as fault:
        logger.info("kernels: nothing kept in %s: %s", path.parent, fault)
        if temporary:
            try:
                os.unlink(temporary)
            except OSError:
                logger.info("kernels: %s is left behind", temporary)
