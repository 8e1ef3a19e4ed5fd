"""Files of a run folder: chunks whose names hold their checksums, messages read when asked for, and the lock."""

import io
import json
import logging
import zipfile
from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from remission.models.errors import RemissionError

from .sweep_results import LOST

__all__ = ["PARTS", "Lock", "Told", "chunk_bytes", "read_chunk"]

logger = logging.getLogger("remission")
DIGITS = 16  # of a checksum in a name
PARTS = ("samples", "values", "status", "again")


def chunk_bytes(number, first, rows, chunk):
    """Name and content of a chunk's file.

    Parameters
    ----------
    number, first : int
        Place among the chunks, and its first member.
    rows : (m, k) array
    chunk : Chunk

    Returns
    -------
    str, bytes
    """
    words = sorted(set(chunk.status))
    about = {"first": first, "words": words, "messages": {str(k): v for k, v in chunk.messages.items()}}
    held = io.BytesIO()
    np.savez(
        held, samples=rows, values=chunk.values, again=chunk.again,
        status=np.array([words.index(word) for word in chunk.status], dtype=np.uint8),
        about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
    )  # fmt: skip
    data = held.getvalue()
    return f"{number:06d}-{sha256(data).hexdigest()[:DIGITS]}.npz", data


def read_chunk(path):
    """Arrays of a chunk file by name and what it says about itself; None where it is not whole.

    Parameters
    ----------
    path : Path
    """
    try:
        data = path.read_bytes()
        if sha256(data).hexdigest()[:DIGITS] != path.stem.partition("-")[2]:
            logger.info("sweep: %s is damaged and is solved again", path)
            return None
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            found = {name: stored[name] for name in (*PARTS, "about")}
        return found | {"about": json.loads(found["about"].tobytes())}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


class Told(Sequence):
    """Messages of members, read from the chunks when asked for.

    Parameters
    ----------
    path : Path
    chunks : dict of int -> Path
    size, n : int
        Members of a chunk, and of all.
    lost : frozenset of int
        Chunks that were lost.
    """

    def __init__(self, path, chunks, size, n, lost):
        self.path, self.chunks, self.size, self.n, self.lost = path, chunks, size, n, lost
        self._last = (None, {})

    def __len__(self):
        return self.n

    def __getitem__(self, at):
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(self.n)))
        at = range(self.n)[at]
        return self.of_chunk(at // self.size).get(str(at % self.size), "")

    def of_chunk(self, number):
        """Messages of one chunk: text of a member's place -> message."""
        if self._last[0] != number:
            if number in self.lost:
                found = {str(i): LOST for i in range(self.size)}
            else:
                found = (read_chunk(self.chunks[number]) or {"about": {"messages": {}}})["about"]["messages"]
            self._last = (number, found)
        return self._last[1]

    def told(self):
        """(member, message) of all that have one.

        Yields
        ------
        (int, str)
        """
        for number in range(-(-self.n // self.size)):
            for place, text in self.of_chunk(number).items():
                if number * self.size + int(place) < self.n:
                    yield number * self.size + int(place), text


class Lock:
    """A lock of the system on a file of the folder: it goes with the process that holds it.

    Parameters
    ----------
    path : Path
        The folder.

    Raises
    ------
    RemissionError
        If another process holds it.
    """

    def __init__(self, path):
        self.file = None
        try:
            import fcntl
        except ImportError:  # no such locks here
            return
        self.file = open(path / "lock", "a+")  # noqa: SIM115
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            raise RemissionError(
                f"another process is running a sweep in {path}; wait for it, or give another folder"
            ) from None
        except OSError:  # a file system without locks
            logger.info("sweep: %s cannot be locked; do not run two sweeps in it", path)

    def release(self):
        """Let others in."""
        if self.file is not None:
            self.file.close()
            self.file = None
