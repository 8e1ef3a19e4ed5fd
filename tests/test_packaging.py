"""The wheel and the sdist hold what they should, and the wheel solves a model from another directory."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import remission

ROOT = Path(__file__).parent.parent
FLOORS = ("models", "solvers", "analysis", "remission")
KEPT = (*FLOORS, "tests", "docs", "benchmarks", "setup.cfg", "pyproject.toml", "MANIFEST.in", "LICENSE", "Makefile")
SOLVE = """
import remission as rm
import remission.models, remission.solvers
model = rm.models.sensitive_resistant()
problem = rm.Problem(model, t_span=(0, 365), treatment=rm.Treatment.constant({"u": 1.0}))
solution = rm.solve(problem).require()
print(rm.__file__, rm.models.__file__, rm.solvers.__file__, float(solution["burden"][-1]))
"""


def call(*command, cwd, **environment):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind, source, target):
    """Build a wheel or sdist with the setuptools of this environment; returns its path."""
    code = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(target)!r}))"
    return target / call(sys.executable, "-c", code, cwd=source).split()[-1]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the checkout: building in place would leave a build/ folder that feeds later wheels."""
    copy = tmp_path_factory.mktemp("source")
    for name in KEPT + tuple(path.name for path in ROOT.glob("*.md")) + ("CITATION.cff", "ruff.toml"):
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "_build", "generated")
            )
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    return build("wheel", source, tmp_path_factory.mktemp("wheel"))


def files_of(wheel):
    """Name -> bytes of everything in a wheel but its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


def expected_files():
    """Every file in the four source folders, by its name in the wheel."""
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                relative = path.relative_to(ROOT).as_posix()
                yield relative if floor == "remission" else f"remission/{relative}"


def test_every_package_is_listed_in_setup_cfg():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    found = {name.removesuffix("/__init__.py") for name in expected_files() if name.endswith("/__init__.py")}
    assert listed == {name.replace("/", ".") for name in found}


def test_wheel_holds_every_source_and_data_file(wheel):
    assert set(files_of(wheel)) == set(expected_files())


def test_wheel_metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = archive.read(name).decode()
        scripts = archive.read(name.replace("METADATA", "entry_points.txt")).decode()
        assert any(name.endswith("/LICENSE") for name in archive.namelist())
    assert f"\nVersion: {remission.__version__}\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert re.search(r"^License(-Expression)?: MIT$", metadata, re.MULTILINE)
    assert "remission = remission.command:main" in scripts


def test_unpacked_wheel_solves_from_another_directory(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "elsewhere").mkdir()
    printed = call(
        sys.executable, "-c", SOLVE, cwd=tmp_path / "elsewhere", PYTHONPATH=str(tmp_path / "site"), MPLBACKEND="Agg"
    ).split()
    assert all(str(tmp_path / "site") in path for path in printed[:3])
    assert 0 < float(printed[3]) < 1


def test_sdist_holds_tests_and_docs_and_builds_the_same_wheel(source, wheel, tmp_path):
    archive = build("sdist", source, tmp_path)
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
        tar.extractall(tmp_path, filter="data")
    for needed in ("LICENSE", "CHANGELOG.md", "CITATION.cff", "Makefile", "tests/test_packaging.py", "docs/conf.py"):
        assert needed in names
    again = build("wheel", tmp_path / archive.name.removesuffix(".tar.gz"), tmp_path)
    assert files_of(again) == files_of(wheel)


@pytest.mark.slow
def test_wheel_installs_into_an_empty_environment(wheel, tmp_path):
    """The declared dependencies are enough: nothing is borrowed from the environment of the tests."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    call(python, "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    assert "pytest" not in call(python, "-m", "pip", "list", cwd=tmp_path)
    printed = call(python, "-c", SOLVE, cwd=tmp_path, MPLBACKEND="Agg", PYTHONPATH="").split()
    assert all(str(tmp_path / "env") in path for path in printed[:3])
    assert 0 < float(printed[3]) < 1
    assert "sensitive_resistant" in call(python.parent / "remission", "models", cwd=tmp_path, PYTHONPATH="")


def test_citation_agrees_with_the_package():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    fields = dict(re.findall(r"^([a-z-]+):[ \t]*(\S.*)$", text, re.MULTILINE))
    assert fields["cff-version"] == "1.2.0"
    assert fields["version"].strip("\"'") == remission.__version__
    assert fields["license"] == "MIT"
    assert {"message", "title", "type"} <= set(fields)
    assert re.search(r"^authors:\n +- name: ", text, re.MULTILINE)
