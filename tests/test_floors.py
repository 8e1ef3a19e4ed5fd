"""Imports go models <- solvers <- analysis <- remission, and nobody climbs above a floor by dots."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("models", "solvers", "analysis", "remission")
TOP = len(FLOORS) - 1


def module_name(path):
    """The importable name of a source file, and whether it is a package: models/units.py -> remission.models.units."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    parts = parts if parts[0] == "remission" else ["remission", *parts]
    is_package = parts[-1] == "__init__"
    return ".".join(parts[:-1] if is_package else parts), is_package


def level(module):
    """The floor of a module of ours, None for any other; the front door and its own rooms are the top."""
    parts = module.split(".")
    if parts[0] != "remission":
        return None
    return FLOORS.index(parts[1]) if len(parts) > 1 and parts[1] in FLOORS else TOP


def imported_modules(tree, package):
    """Yield (line, dotted module, dots) for every import, written as a statement or as import_module("...")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                kept = parts[: max(0, len(parts) - node.level + 1)]
                base = ".".join([*kept, *([node.module] if node.module else [])])
            yield node.lineno, base, node.level
            if base == "remission" or not node.module:  # the names that follow may be modules themselves
                yield from ((node.lineno, f"{base}.{alias.name}", node.level) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value, 0


def faults(text, module, is_package=False):
    """Every import in a source text that breaks the order of the floors, one sentence each."""
    package = module if is_package else module.rpartition(".")[0]
    here = level(module)
    found = []
    for line, target, dots in imported_modules(ast.parse(text), package):
        there = level(target)
        if target.split(".")[0] in FLOORS[:TOP]:
            found.append(f"{module}:{line} imports {target} as a top-level package; write remission.{target}")
        elif there is not None and there > here:
            found.append(f"{module}:{line} imports {target}, which is above it")
        elif dots and (there is None or (here < TOP and there != here)):
            found.append(
                f"{module}:{line} leaves its floor by dots, to {target or 'nowhere'}; write the absolute import"
            )
    return found


SOURCES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_imports_never_go_up(path):
    assert not faults(path.read_text(encoding="utf-8"), *module_name(path))


def test_every_floor_was_read():
    assert {level(module_name(path)[0]) for path in SOURCES} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("remission.models.model", "from remission.analysis import fit"),
        ("remission.models.model", "from remission.solvers.grid import Grid"),
        ("remission.models.model", "import remission.solvers.grid as grid"),
        ("remission.solvers.solve", "def late():\n    from remission.analysis.outcomes import nadir"),
        ("remission.solvers.solve", "from ..analysis import nadir"),
        ("remission.solvers.solve", "from .. import analysis"),
        ("remission.solvers.solve", "from ..models import Model"),
        ("remission.models.catalogue.growth", "from ...solvers import solve"),
        ("remission.models.catalogue.growth", "from .....outside import anything"),
        ("remission.analysis.fitting", "import remission"),
        ("remission.analysis.fitting", "from remission import Problem"),
        ("remission.analysis.fitting", "from remission.datasets import names"),
        ("remission.models.model", "if TYPE_CHECKING:\n    from remission.solvers import Problem"),
        ("remission.models.model", "import importlib\nimportlib.import_module('remission.analysis')"),
        ("remission.analysis.fitting", "from models import Model"),
        ("remission.command", "import solvers.solve"),
    ],
)
def test_a_climbing_import_is_named(module, text):
    found = faults(text, module)
    assert len(found) >= 1
    assert all(fault.startswith(f"{module}:") for fault in found)


@pytest.mark.parametrize(
    ("module", "text", "is_package"),
    [
        ("remission.models.catalogue.growth", "from ..symbols import State", False),
        ("remission.models.catalogue", "from .growth import gompertz_growth", True),
        (
            "remission.analysis.fitting",
            "from remission.models import Model\nfrom remission.solvers import solve",
            False,
        ),
        ("remission.analysis", "from . import outcomes", True),
        ("remission.solvers.solve", "import numpy as np\nfrom scipy.integrate import LSODA", False),
        ("remission.command", "from remission.analysis import fit\nfrom remission import datasets", False),
        ("remission", "import importlib\nfrom remission.models.errors import did_you_mean", True),
    ],
)
def test_a_lawful_import_passes(module, text, is_package):
    assert faults(text, module, is_package) == []
