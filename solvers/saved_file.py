"""The file of a saved problem: lines of JSON, each of which the first one names with its length and checksum.

    {"format": "remission problem", "version": 1, "written_by": "0.1.0", "lines": [{"bytes": .., "sha256": ..}, ..]}
    {... the problem ...}
    {... a kernel ...}

The checksums find damage: a download that broke off, a disk that lies. They are no signature.
"""

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

from remission.models.errors import ProblemError

__all__ = ["VERSION", "read_lines", "write_lines"]

FORMAT = "remission problem"
VERSION = 1  # of what the lines mean: rises when an older remission would misread them


def write_lines(file, parts):
    """Write parts, each a dictionary of plain data, whole or not at all.

    Parameters
    ----------
    file : str or path
        An existing file is replaced at once: who reads it meanwhile sees the old or the new one.
    parts : list of dict

    Raises
    ------
    OSError
        If it cannot be written; a file that was there is left as it was.
    """
    lines = [json.dumps(part, allow_nan=False, separators=(",", ":")).encode() for part in parts]
    head = {"format": FORMAT, "version": VERSION, "written_by": _own_version(), "lines": list(map(_seal, lines))}
    path = Path(file)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(b"\n".join([json.dumps(head).encode(), *lines, b""]))
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp's own mode would keep it from other readers
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read_lines(content, name) -> tuple:
    """The head, the lines as bytes, and their checksums; checked, not yet read.

    Parameters
    ----------
    content : bytes
    name : str
        Of the file, for messages.

    Raises
    ------
    ProblemError
        If it is not such a file, is of a newer version, or is damaged.
    """
    first, _, rest = content.partition(b"\n")
    head = _head(first, name)
    version, writer = head.get("version"), head.get("written_by", "an unknown version")
    if not isinstance(version, int) or version > VERSION:
        raise ProblemError(
            f"{name} was written by remission {writer} in version {version} of the format; this is remission "
            f"{_own_version()}, which reads version {VERSION}: update it, or save the problem with this one"
        )
    seals = _seals(head, name)
    expected = sum(size + 1 for size, _ in seals)
    if len(rest) != expected:
        short = "it is cut off" if len(rest) < expected else "something follows its end"
        raise ProblemError(f"{name} is damaged: {len(rest)} bytes after the first line instead of {expected}: {short}")
    lines, at = [], 0
    for number, (size, digest) in enumerate(seals, 2):
        line = rest[at : at + size]
        if hashlib.sha256(line).hexdigest() != digest:
            raise ProblemError(f"{name} is damaged: line {number} does not have the checksum of what was saved")
        lines.append(line)
        at += size + 1
    return head, lines, [digest for _, digest in seals]


def _head(first, name):
    try:
        head = json.loads(first)
    except ValueError:  # of which a faulty encoding is one
        head = None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        start = first[:40].decode("ascii", "replace")
        raise ProblemError(
            f"{name} is not a problem saved by remission.save_problem: it begins with {start!r}"
            if first
            else f"{name} is empty, not a problem saved by remission.save_problem"
        )
    return head


def _seals(head, name):
    try:
        seals = [(int(line["bytes"]), str(line["sha256"])) for line in head["lines"]]
    except (KeyError, TypeError, ValueError):
        seals = []
    if not seals:
        raise ProblemError(f"{name} is damaged: its first line does not say what follows")
    return seals


def _seal(line):
    return {"bytes": len(line), "sha256": hashlib.sha256(line).hexdigest()}


def _own_version():
    return sys.modules["remission"].__version__  # the front door, which this floor does not import


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
