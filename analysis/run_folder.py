"""Run folder of a sweep: finished chunks on disk, so that a killed run goes on where it stopped.

    run.json                  what is asked (problem, names, outputs, times, members), who ran it, how far it got
    chunks/000007-<sum>.npz   rows, outputs, status codes of one chunk; plain arrays and JSON text, nothing pickled
    samples.npy values.npy status.npy again.npy      all members, when the run is done

A chunk is written under another name and renamed, and its name holds the checksum of its bytes: what is truncated or
damaged is known by that, and solved again. The folder itself is the index. One process at a time holds `lock`.
"""

import contextlib
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from remission.models.errors import ProblemError, RemissionError

from .chunk_files import PARTS, Lock, Told, chunk_bytes, read_chunk
from .run_identity import asked_of, differences, versions
from .sweep_results import Words, say

__all__ = ["RunFolder"]

FORMAT, BETWEEN = 1, 5.0  # layout; seconds between notes of progress


class RunFolder:
    """Chunks of one sweep in a folder; a sink like `sweep_results.InMemory`.

    Parameters
    ----------
    path : str or Path
        Made if it is not there. What it holds of the same sweep is used.
    work : Work
    table : SampleTable
    size : int
        Members of a chunk, where the folder does not say so already.

    Raises
    ------
    ProblemError
        If the folder holds another sweep; it is left as it is.
    RemissionError
        If it cannot be written, or another process is writing to it.
    """

    def __init__(self, path, work, table, size):
        self.path, self.work, self.table = Path(path), work, table
        asked = json.loads(json.dumps(asked_of(work, table)))
        note = self.note()
        if note is not None:
            refuse_other(self.path, note, asked)
            size = note["chunk"]
        self.size, self.lost, self.noted, self.compared, self.asked = size, {}, 0.0, set(), 0
        with self.writing(self.path):
            (self.path / "chunks").mkdir(parents=True, exist_ok=True)
        self.lock = Lock(self.path)
        try:
            for left in [*self.path.glob(".writing-*"), *self.path.glob("chunks/.writing-*")]:
                left.unlink(missing_ok=True)
            self.chunks = {int(p.name.partition("-")[0]): p for p in sorted(self.path.glob("chunks/[0-9]*-*.npz"))}
            earlier = [] if note is None else note["runs"]
            self.run = {"format": FORMAT, "what": "sweep", "asked": asked, "chunk": size, "status": "running",
                        "runs": [*earlier, versions() | {"way": work.way, "started": _now()}]}  # fmt: skip
            if table.stream is None:
                self.compare()
            self.write_note()
        except BaseException:
            self.lock.release()
            raise

    def note(self):
        """What run.json says, None if there is none; a `RemissionError` if it cannot be read."""
        try:
            note = json.loads((self.path / "run.json").read_text())
            if note["what"] != "sweep" or note["format"] != FORMAT:
                raise RemissionError(f"{self.path} holds a {note['what']} of format {note['format']}, not a sweep")
            return note
        except FileNotFoundError:
            if self.path.is_dir() and any(self.path.glob("chunks/*.npz")):
                raise RemissionError(
                    f"{self.path} has chunks but no run.json to say what they are of; give another folder"
                ) from None
            return None
        except NotADirectoryError:
            raise RemissionError(f"{self.path} is a file, not a folder") from None
        except (ValueError, KeyError, TypeError):
            raise RemissionError(
                f"{self.path / 'run.json'} is damaged; give another folder, or delete this one"
            ) from None

    def compare(self):
        """Refuse rows that differ from those of chunks that are there, before any work."""
        for number in sorted(self.chunks):
            first = number * self.size
            if first < self.table.n and self.has(
                number, first, self.table.rows(first, min(first + self.size, self.table.n))
            ):
                self.compared.add(number)

    # --- the sink -----------------------------------------------------------------------------------------------------

    def has(self, number, first, rows):
        """Whether a chunk is there, whole, and of these rows."""
        self.asked = max(self.asked, number)
        if number in self.compared:
            return True
        found = self.read(number)
        if found is None:
            return False
        stored = found["samples"]
        if stored.shape != rows.shape:
            raise self.other(f"chunk {number} holds {len(stored)} members, here it has {len(rows)}")
        differ = np.argwhere(~((stored == rows) | (np.isnan(stored) & np.isnan(rows))))
        if len(differ):
            member, column = differ[0]
            raise self.other(
                f"{self.work.names[column]} of member {first + member} is {stored[member, column]!r} there and "
                f"{rows[member, column]!r} here"
            )
        return True

    def other(self, what):
        return ProblemError(f"{self.path} holds another sweep: {what}; give another folder, or delete this one")

    def take(self, number, first, rows, chunk):
        """Write a chunk; one that was lost is left to the next run."""
        if chunk is None:
            self.lost[number] = rows
            return
        name, data = chunk_bytes(number, first, rows, chunk)
        old = self.chunks.get(number)
        self.chunks[number] = self.write(f"chunks/{name}", data)
        if old is not None and old != self.chunks[number]:
            old.unlink(missing_ok=True)
        if time.monotonic() - self.noted > BETWEEN:
            self.write_note()

    def read(self, number):
        """Arrays of a chunk by name, None where it is missing or damaged."""
        path = self.chunks.get(number)
        return None if path is None else read_chunk(path)

    def finished(self):
        """Samples, values, status, messages and again of all members, mapped from files."""
        numbers = sorted({*self.chunks, *self.lost})
        if numbers[-1] > self.asked:
            raise self.other(f"it has chunks up to {numbers[-1]}, and the samples end with chunk {self.asked}")
        n = sum(len(self.lost[k]) if k in self.lost else self.length(k) for k in numbers)
        words = ["done"]
        with contextlib.ExitStack() as stack:
            files = {part: stack.enter_context(self.assembled(part)) for part in PARTS}
            for number in numbers:
                for part, table in self.whole(number, words).items():
                    if files[part].tell() == 0:
                        _header(files[part], table, n)
                    files[part].write(np.ascontiguousarray(table).tobytes())
        tables = {part: np.load(self.path / f"{part}.npy", mmap_mode="r", allow_pickle=False) for part in PARTS}
        tables["status"] = Words(tables["status"], words)
        tables["messages"] = Told(self.path, dict(self.chunks), self.size, n, frozenset(self.lost))
        say(tables["status"], tables["messages"])
        self.close("incomplete" if self.lost else "done", words)
        return tables

    def length(self, number):
        return min(self.size, self.table.n - number * self.size) if self.table.n else len(self.read(number)["samples"])

    def whole(self, number, words):
        """Arrays of one chunk for the assembled files, with codes that count in the words of the whole run."""
        found = self.lost_chunk(self.lost[number]) if number in self.lost else self.read(number)
        if found is None:
            raise RemissionError(f"a chunk of {self.path} was damaged while the sweep ran; the same call goes on")
        for word in found["about"]["words"]:
            if word not in words:
                words.append(word)
        codes = np.array([words.index(word) for word in found["about"]["words"]], dtype=np.uint8)
        return {part: codes[found[part]] if part == "status" else found[part] for part in PARTS}

    def lost_chunk(self, rows):
        n = len(rows)
        return {"samples": rows, "values": np.full((n, *self.work.shape), np.nan), "about": {"words": ["lost"]},
                "status": np.zeros(n, dtype=np.uint8), "again": np.zeros(n, dtype=bool)}  # fmt: skip

    # --- files --------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def assembled(self, part):
        """An open file that takes its name when the block ends well."""
        target = self.path / f"{part}.npy"
        with self.writing(target):
            handle, temporary = tempfile.mkstemp(dir=self.path, prefix=".writing-")
            try:
                with os.fdopen(handle, "wb") as out:
                    yield out
                os.chmod(temporary, 0o644)
                os.replace(temporary, target)
            finally:
                Path(temporary).unlink(missing_ok=True)

    def write(self, name, data):
        target = self.path / name
        with self.writing(target):
            handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".writing-")
            try:
                with os.fdopen(handle, "wb") as out:
                    out.write(data)
                os.chmod(temporary, 0o644)
                os.replace(temporary, target)
            finally:
                Path(temporary).unlink(missing_ok=True)
        return target

    @staticmethod
    @contextlib.contextmanager
    def writing(target):
        try:
            yield
        except OSError as fault:
            raise RemissionError(
                f"{target} cannot be written: {fault.strerror or fault}; what the folder holds is kept, and the same "
                "call goes on from it"
            ) from None

    def write_note(self):
        self.noted = time.monotonic()
        self.run["chunks"] = len(self.chunks)
        self.write("run.json", (json.dumps(self.run, indent=1, ensure_ascii=False) + "\n").encode())

    def close(self, status, words=None):
        """Say in run.json how it ended, and let others in."""
        try:
            self.run["status"] = self.run["runs"][-1]["status"] = status
            self.run["runs"][-1]["ended"] = _now()
            if words is not None:
                self.run["words"] = words
            self.write_note()
        finally:
            self.lock.release()


def refuse_other(path, note, asked):
    """A folder of another sweep is refused with what differs."""
    found = differences(note["asked"], asked)
    if found:
        more = f" and {len(found) - 4} more" if len(found) > 5 else ""
        shown = "; ".join(found[: 4 if more else 5])
        raise ProblemError(f"{path} holds another sweep: {shown}{more}; give another folder, or delete this one")


def _header(file, table, n):
    about = {"descr": np.lib.format.dtype_to_descr(table.dtype), "fortran_order": False, "shape": (n, *table.shape[1:])}
    np.lib.format.write_array_header_1_0(file, about)


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
