"""Run folder of a study: every file written under a temporary name and renamed, so a killed run leaves no half file."""

import csv
import io
import json
import math
import os
import tempfile
from pathlib import Path

from remission.models.errors import RemissionError

__all__ = ["RunFolder"]


class RunFolder:
    """A folder that a study writes into: `run.json`, `numbers.json`, `tables/`, `figures/`, `chapters/`, `report.html`.

    Parameters
    ----------
    path : str or Path
        Made if it is not there.
    parts : tuple of str
        Folders made inside.

    Raises
    ------
    RemissionError
        If the folder cannot be made or written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = RunFolder(place)
    ...     _ = folder.write_json("numbers.json", {"a": float("inf")})
    ...     folder.read_json("numbers.json")
    {'a': 'inf'}
    """

    def __init__(self, path, parts=("tables", "figures", "chapters")):
        self.path = Path(path)
        try:
            for part in ("", *parts):
                (self.path / part).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as fault:
            raise RemissionError(f"the run folder {self.path} cannot be written: {fault.strerror or fault}") from None

    def write_text(self, name, text) -> Path:
        """Write a text file atomically."""
        return self.write_bytes(name, text.encode())

    def write_bytes(self, name, data) -> Path:
        """Write a file atomically."""
        target = self.path / name
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".writing-")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(data)
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        except OSError as fault:
            Path(temporary).unlink(missing_ok=True)
            raise RemissionError(f"{target} could not be written: {fault.strerror or fault}") from None
        return target

    def write_json(self, name, content) -> Path:
        """Write JSON; numbers that are not finite become the texts "inf", "-inf" and "nan"."""
        return self.write_text(name, json.dumps(_plain(content), indent=1, ensure_ascii=False) + "\n")

    def read_json(self, name):
        """Content of a JSON file of the folder, or None where it is missing or damaged."""
        try:
            return json.loads((self.path / name).read_text())
        except (OSError, ValueError):
            return None

    def write_table(self, table, name=None) -> Path:
        """Write a `TableOut` as CSV, `tables/<its name>.csv` if not said otherwise; units stand in the header."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([f"{name} [{unit}]" if unit not in ("", "1") else name for name, unit in table.columns])
        writer.writerows(table.rows)
        return self.write_text(name or f"tables/{table.name}.csv", text.getvalue())

    def write_figure(self, figure, name, into="figures"):
        """Write a matplotlib figure as PNG and PDF and close it."""
        from remission.analysis.plots.style import save

        save(figure, self.path / into / name)


def _plain(value):
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        value = value.item()
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
