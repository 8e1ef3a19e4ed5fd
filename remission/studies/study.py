"""Run a study: a declarative TOML file becomes a run folder with numbers, tables, figures and a report."""

import hashlib
import importlib
import json
import logging
import os
import platform
import time
import tomllib
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from remission.models.errors import RemissionError, did_you_mean, refuse_unknown_keywords

from .chapter import Chapter
from .folder import RunFolder

__all__ = ["KINDS", "StudyResult", "read_study", "run_study"]

logger = logging.getLogger("remission")

BUDGETS = ("small", "full")
# Kind of chapter in the study file -> module of this package with `run(spec, folder, budget, progress) -> Chapter`
# and `OPTIONS`, the names that its table may hold.
KINDS = {
    "resistance": "resistance",
    "instability": "instability",
    "inflammation": "inflammation",
    "thresholds": "thresholds",
    "sensitivity": "sensitivities",
}


@dataclass(frozen=True)
class StudyResult:
    """Where a study was written and what it holds.

    Attributes
    ----------
    path : Path
        The run folder.
    chapters : tuple of Chapter
        Those that are done.
    failed : dict
        Chapter name -> reason.
    interrupted : bool
        Whether Ctrl-C ended it.
    """

    path: Path
    chapters: tuple
    failed: dict = field(default_factory=dict)
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether every chapter is there."""
        return not self.failed and not self.interrupted

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.path / "report.html"


def read_study(path=None) -> dict:
    """Read and check a study file.

    Parameters
    ----------
    path : str or Path, optional
        A TOML file; the default study of the package if not given.

    Returns
    -------
    dict
        `title`, `about`, `seed` and a list `chapter` of tables with `name`, `kind`, `title`, options, and `after`:
        names of chapters before it whose files it reads.

    Raises
    ------
    RemissionError
        If the file is missing or not TOML, or a chapter has an unknown kind or option, or comes after one that does
        not come before it.

    Examples
    --------
    >>> [c["kind"] for c in read_study()["chapter"]]
    ['resistance', 'instability', 'inflammation', 'thresholds', 'sensitivity']
    """
    where = "the default study" if path is None else str(path)
    try:
        text = (
            resources.files(__package__).joinpath("default.toml").read_text()
            if path is None
            else Path(path).read_text()
        )
        study = tomllib.loads(text)
    except OSError as fault:
        raise RemissionError(f"the study file {where} cannot be read: {fault.strerror or fault}") from None
    except tomllib.TOMLDecodeError as fault:
        raise RemissionError(f"{where} is not TOML: {fault}") from None
    _check(study, where)
    return study


def _check(study, where):
    known = ("title", "about", "seed", "chapter")
    for name in study:
        if name not in known:
            raise RemissionError(f"{where}: unknown entry {name!r}; {did_you_mean(name, known)}")
    if not study.get("chapter"):
        raise RemissionError(f"{where}: no [[chapter]]; each needs name, kind and title")
    seen = set()
    for number, chapter in enumerate(study["chapter"], 1):
        place = f"{where}, chapter {number}"
        for name in ("name", "kind", "title"):
            if not isinstance(chapter.get(name), str):
                raise RemissionError(f"{place}: {name} is missing")
        if chapter["kind"] not in KINDS:
            raise RemissionError(f"{place}: unknown kind {chapter['kind']!r}; {did_you_mean(chapter['kind'], KINDS)}")
        if chapter["name"] in seen or not chapter["name"].replace("-", "_").isidentifier():
            raise RemissionError(f"{place}: the name {chapter['name']!r} is taken or not a plain word")
        after = chapter.get("after", [])
        if not (isinstance(after, list) and all(isinstance(name, str) and name in seen for name in after)):
            raise RemissionError(f"{place}: after is a list of names of chapters before it, got {after!r}")
        seen.add(chapter["name"])
        options = (*_module(chapter["kind"]).OPTIONS, "name", "kind", "title", "after")
        for name in chapter:
            if name not in options:
                raise RemissionError(
                    f"{place} ({chapter['name']}): unknown option {name!r}; {did_you_mean(name, options)}"
                )


@refuse_unknown_keywords
def run_study(path=None, out=None, *, budget="small", progress=True, resume=True, workers=None) -> StudyResult:
    """Run a study into a folder; chapters that are already there and unchanged are kept.

    Parameters
    ----------
    path : str or Path, optional
        Study file; the default study if not given.
    out : str or Path, optional
        Run folder; `runs/<name of the study>-<budget>` if not given.
    budget : {"small", "full"}
        How many samples and starts are spent.
    progress : bool
        Show progress bars.
    resume : bool
        Keep finished chapters of an earlier run with the same settings and version.
    workers : int, optional
        Processes; the number of processors if not given.

    Returns
    -------
    StudyResult
        After Ctrl-C the folder holds what was finished, a report of it included.

    Raises
    ------
    RemissionError
        If the study file or the folder cannot be used.
    """
    if budget not in BUDGETS:
        raise RemissionError(f"budget {budget!r} is not known; {did_you_mean(budget, BUDGETS)}")
    study = read_study(path)
    workers = workers or os.cpu_count() or 1
    name = "default" if path is None else Path(path).stem
    folder = RunFolder(out or Path("runs") / f"{name}-{budget}")
    done, failed, interrupted = [], {}, False
    for spec in study["chapter"]:
        try:
            done.append(_chapter(spec, study, folder, budget, progress, resume, workers))
        except KeyboardInterrupt:
            interrupted = True
            break
        except RemissionError as fault:
            logger.warning("chapter %s failed: %s", spec["name"], fault)
            failed[spec["name"]] = str(fault)
        _write(study, folder, budget, done, failed, interrupted)
    _write(study, folder, budget, done, failed, interrupted)
    return StudyResult(folder.path, tuple(done), failed, interrupted)


def _module(kind):
    return importlib.import_module(f"{__package__}.{KINDS[kind]}")


def _chapter(spec, study, folder, budget, progress, resume, workers) -> Chapter:
    from remission import __version__

    read = [(folder.read_json(f"chapters/{name}.json") or {}).get("key") for name in spec.get("after", [])]
    asked = json.dumps([spec, study.get("seed", 0), budget, __version__, *read], sort_keys=True)
    key = hashlib.sha256(asked.encode()).hexdigest()
    file = f"chapters/{spec['name']}.json"
    kept = folder.read_json(file) if resume else None
    if kept and kept.get("key") == key and _files_are_there(folder, kept["chapter"]):
        return Chapter.from_dict(kept["chapter"])
    begin = time.perf_counter()
    settings = {"budget": budget, "progress": progress, "workers": workers, "seed": study.get("seed", 0)}
    chapter = _module(spec["kind"]).run(spec, folder, **settings)
    chapter = replace(chapter, seconds=time.perf_counter() - begin)
    for table in chapter.tables:
        folder.write_table(table)
    folder.write_json(file, {"key": key, "chapter": chapter.to_dict()})
    return chapter


def _files_are_there(folder, chapter):
    names = [f"figures/{f['name']}.png" for f in chapter["figures"]] + [
        f"tables/{t['name']}.csv" for t in chapter["tables"]
    ]
    return all((folder.path / n).exists() for n in names)


def _write(study, folder, budget, done, failed, interrupted):
    """Numbers, provenance and report of what is there so far."""
    from .report import write_report

    folder.write_json("numbers.json", {c.name: {n.name: _number(n) for n in c.numbers} for c in done})
    state = (
        "interrupted"
        if interrupted
        else "failed"
        if failed
        else "done"
        if len(done) == len(study["chapter"])
        else "partial"
    )
    run = {
        "title": study.get("title", ""),
        "state": state,
        "budget": budget,
        "seed": study.get("seed", 0),
        "study": study,
        "versions": _versions(),
        "chapters": {c.name: {"seconds": round(c.seconds, 2)} for c in done},
        "failed": failed,
    }
    folder.write_json("run.json", run)
    write_report(folder, study, done, run)


def _number(number):
    parts = {"value": number.value, "unit": number.unit, "low": number.low, "high": number.high}
    return parts | {"interval": number.interval, "label": number.label, "note": number.note}


def _versions():
    from importlib.metadata import PackageNotFoundError, version

    from remission import __version__

    found = {"remission": __version__, "python": platform.python_version()}
    for name in ("numpy", "scipy", "sympy", "matplotlib", "llvmlite", "numba", "python-flint"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found
