"""Where the chunks of a sweep go: into memory here, into a folder in `run_folder.py`; and status words kept small.

A sink has `has`, `take` and `finished`; the last returns the arrays of a `Sweep` by name.
"""

import logging
from collections.abc import Sequence

import numpy as np

__all__ = ["InMemory", "Words", "first_message", "say"]

logger = logging.getLogger("remission")
LOST = "the worker process died"


class InMemory:
    """Chunks kept in arrays.

    Parameters
    ----------
    work : Work
    """

    def __init__(self, work):
        self.work, self.parts = work, {}

    def has(self, number, first, rows):
        """No chunk is there before it is solved."""
        return False

    def take(self, number, first, rows, chunk):
        """Keep a chunk, or note that it was lost."""
        if chunk is None:
            values = np.full((len(rows), *self.work.shape), np.nan)
            found = values, ["lost"] * len(rows), dict.fromkeys(range(len(rows)), LOST), np.zeros(len(rows), bool)
        else:
            found = chunk.values, chunk.status, chunk.messages, chunk.again
        self.parts[number] = (rows, *found)

    def finished(self):
        """Samples, values, status, messages and again of all members, by name."""
        parts = [self.parts[number] for number in sorted(self.parts)]
        messages, at = [], 0
        for rows, _, _, told, _ in parts:
            messages.extend([""] * len(rows))
            for member, text in told.items():
                messages[at + member] = text
            at += len(rows)
        status = tuple(word for part in parts for word in part[2])
        say(status, messages)
        samples, values, again = (np.concatenate([part[i] for part in parts]) for i in (0, 1, 4))
        return {
            "samples": samples, "values": values, "status": status, "messages": tuple(messages), "again": again,
        }  # fmt: skip


class Words(Sequence):
    """A word for each member, kept as small numbers; equal to a tuple of the same words.

    Parameters
    ----------
    codes : (n,) array of whole numbers
    words : tuple of str

    Examples
    --------
    >>> Words(np.array([0, 0, 1]), ("done", "failed")) == ("done", "done", "failed")
    True
    """

    def __init__(self, codes, words):
        self.codes, self.words = codes, tuple(words)

    def __len__(self):
        return len(self.codes)

    def __getitem__(self, at):
        return Words(self.codes[at], self.words) if isinstance(at, slice) else self.words[self.codes[at]]

    def __eq__(self, other):
        if isinstance(other, str) or not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None

    def __repr__(self):
        shown = ", ".join(repr(word) for word in self[:6])
        return f"({shown}, ... {len(self)} in all)" if len(self) > 6 else f"({shown})"

    def where(self, word) -> np.ndarray:
        """Members that have this word."""
        return (
            np.flatnonzero(np.asarray(self.codes) == self.words.index(word)) if word in self.words else np.zeros(0, int)
        )


def where(status, word) -> np.ndarray:
    """Members with a status.

    Parameters
    ----------
    status : sequence of str
    word : str
    """
    if isinstance(status, Words):
        return status.where(word)
    return np.array([i for i, own in enumerate(status) if own == word], dtype=int)


def first_message(status, messages):
    """(number of failed members, text of the first), and the same of remarks on members that are done.

    Parameters
    ----------
    status, messages : sequence of str
        `messages` may have `told()`, which yields (member, text) of those with a text.
    """
    told = messages.told() if hasattr(messages, "told") else ((i, m) for i, m in enumerate(messages) if m)
    counts, texts, places = {True: 0, False: 0}, {}, {}
    for member, text in told:
        done = status[member] == "done"
        counts[done] += 1
        texts.setdefault(done, text)
        places.setdefault(done, member)
    return [(counts[done], places.get(done), texts.get(done, "")) for done in (False, True)]


def say(status, messages):
    """Once for all members: how many failed, and what there is to remark on the others.

    Parameters
    ----------
    status, messages : sequence of str
    """
    (failed, _, reason), (remarked, _, remark) = first_message(status, messages)
    if failed:
        logger.info("sweep: %d of %d members failed; the first reason: %s", failed, len(status), reason)
    if remarked:
        logger.warning("sweep: on %d of %d members: %s", remarked, len(status), remark)
