"""The front door is light and complete."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import remission

ROOT = Path(__file__).parent.parent
HEAVY = ("sympy", "scipy", "scipy.integrate", "matplotlib", "pandas", "xarray", "numba", "llvmlite", "flint", "tqdm")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def run(code, cwd):
    """Run a text in a new interpreter away from the checkout; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def code_blocks(text):
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_import_loads_nothing_heavy(tmp_path):
    loaded = run("import sys, remission; print(*sys.modules)", tmp_path).split()
    assert "remission" in loaded
    assert not set(HEAVY) & set(loaded)
    assert not {"remission.models", "remission.solvers", "remission.analysis"} & set(loaded)


def test_floors_are_no_top_level_packages(tmp_path):
    code = "import sys; from remission import models, solvers, analysis, datasets; print(*sys.modules)"
    loaded = run(code, tmp_path).split()
    assert {"remission.models", "remission.solvers", "remission.analysis", "remission.datasets"} <= set(loaded)
    assert not {"models", "solvers", "analysis"} & set(loaded)


@pytest.mark.parametrize("name", remission.__all__)
def test_every_name_opens(name):
    value = getattr(remission, name)
    assert inspect.ismodule(value) == (name in remission._ROOMS), f"{name} is {value!r}"
    assert name in dir(remission)


def test_no_room_hides_a_verb_of_the_same_name(tmp_path):
    """Importing `remission.solvers.solve` sets the attribute `solve` of its package to the module."""
    code = """
        import importlib, inspect, pkgutil, remission
        for floor in ("models", "solvers", "analysis"):
            package = importlib.import_module(f"remission.{floor}")
            for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
                try:
                    importlib.import_module(found.name)
                except ModuleNotFoundError as missing:  # rooms of the compiled path; everything works without them
                    if missing.name.split(".")[0] not in ("llvmlite", "numba", "flint"):
                        raise
        for name, home in remission._HOME.items():
            value = getattr(remission, name)
            inner = getattr(importlib.import_module(home), name)
            print(name, inspect.ismodule(value) or inspect.ismodule(inner) or value is not inner)
    """
    lines = run(inspect.cleandoc(code), tmp_path).split("\n")
    assert [line for line in lines if line.endswith("True")] == []
    assert len(lines) > len(remission._HOME)


def test_unknown_name_gets_the_nearest_match():
    with pytest.raises(AttributeError, match=r"remission has no attribute 'Problm'; did you mean 'Problem'\?"):
        _ = remission.Problm
    with pytest.raises(ImportError):
        exec("from remission import solv")


def test_a_probe_for_a_protocol_loads_no_floor(tmp_path):
    code = "import sys, remission; print(hasattr(remission, '__wrapped__'), 'remission.models' in sys.modules)"
    assert run(code, tmp_path).split() == ["False", "False"]


def test_readme_is_short_and_names_both_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 90
    assert "make study" in text
    assert "make test" in text
    assert code_blocks(text)


def test_relative_links_lead_somewhere():
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_changelog_opens_with_unreleased():
    headings = re.findall(r"^#+ .*$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    expected = ["## Unreleased", "### Added", "### Changed", "### Fixed", "### Numbers that changed"]
    assert headings[1:6] == expected
