"""Object code on disk: whole or not used, never needed, safe when processes race."""

import concurrent.futures
import errno
import multiprocessing
import os
import pickle
import threading

import numpy as np
import pytest

from remission.models import Model, Parameter, State
from remission.models.expressions import model_kernel
from remission.models.spelling import spelled
from remission.solvers import Problem, Treatment, kernels, load_problem, sample, save_problem, solve
from remission.solvers.derived import functions_of
from remission.solvers.kernels import cache
from remission.solvers.kernels.build import Options, kernel


def growth_problem():
    N, r = State("N", 1.0), Parameter("r", 0.1)
    return Problem(Model("growth", rates={N: r * N}), t_span=(0, 10), rtol=1e-9)


def solved():
    return kernels.ensemble(growth_problem(), ["r"], [[0.1], [0.2]], [10], ["N"]).values[:, 0, 0]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("REMISSION_CACHE", str(tmp_path / "cache"))
    kernel.cache_clear()
    yield tmp_path / "cache"
    kernel.cache_clear()


def builder(content, counts):
    def build():
        counts.append(1)
        return content

    return build


def test_built_once_and_found_again(folder):
    counts = []
    assert [cache.cached("key", builder(b"code", counts)) for _ in range(2)] == [b"code"] * 2
    assert len(counts) == 1
    assert [p.name for p in folder.iterdir()] == ["key.o"]


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b"", lambda b: b"garbage" * 9, lambda b: b[:40] + b"!" + b[41:]]
)
def test_a_damaged_file_is_built_again(folder, damage):
    counts = []
    content = bytes(range(200))
    cache.cached("key", builder(content, counts))
    path = folder / "key.o"
    path.write_bytes(damage(path.read_bytes()))
    assert cache.cached("key", builder(content, counts)) == content
    assert len(counts) == 2
    assert cache.cached("key", builder(content, counts)) == content
    assert len(counts) == 2


def test_switched_off(monkeypatch, tmp_path):
    monkeypatch.setenv("REMISSION_CACHE", "off")
    monkeypatch.setenv("HOME", str(tmp_path))
    counts = []
    for _ in range(2):
        cache.cached("key", builder(b"code", counts))
    assert len(counts) == 2
    assert not list(tmp_path.iterdir())


def test_no_home_and_a_folder_that_cannot_be_made(monkeypatch, tmp_path):
    monkeypatch.delenv("REMISSION_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", classmethod(lambda cls: (_ for _ in ()).throw(RuntimeError("no home"))))
    assert cache.cache_folder() is None
    assert cache.cached("key", lambda: b"code") == b"code"
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("REMISSION_CACHE", str(tmp_path / "file" / "cache"))
    assert cache.cached("key", lambda: b"code") == b"code"


def test_a_folder_that_is_read_only(folder, monkeypatch):
    """As root any folder can be written, so the refusal is raised where it would come from."""
    folder.mkdir()

    def refused(*args, **kwargs):
        raise PermissionError("read-only")

    monkeypatch.setattr(cache.tempfile, "mkstemp", refused)
    assert cache.cached("key", lambda: b"code") == b"code"
    assert not list(folder.iterdir())


@pytest.mark.parametrize("call", ["write", "flush", "replace"])
def test_a_full_disk_costs_compilation_only(folder, monkeypatch, call):
    """The disk may turn out to be full while the file is written, when it is closed, or when it gets its name."""

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    if call == "replace":
        monkeypatch.setattr(cache.os, "replace", full)
    else:
        opened = os.fdopen

        class Short:
            def __init__(self, handle, mode):
                self.file = opened(handle, mode)

            def __enter__(self):
                return self

            def write(self, content):
                self.file.write(content[:10])
                if call == "write":
                    full()

            def __exit__(self, *fault):
                self.file.close()
                if call == "flush" and not fault[0]:
                    full()

        monkeypatch.setattr(cache.os, "fdopen", Short)
    assert cache.cached("key", lambda: b"code" * 100) == b"code" * 100
    assert not list(folder.iterdir())
    monkeypatch.undo()


def test_derived_sources_are_kept_and_checked(folder):
    """The functions of a model come from the file, and from sympy again where the file is damaged."""
    model = growth_problem().model
    first = functions_of(model)
    assert first.source == model_kernel(model).source
    assert (first.tangent_at, first.observe_at) == (model_kernel(model).tangent_at, model_kernel(model).observe_at)
    (path,) = folder.glob("*.json")
    made = path.stat().st_mtime_ns
    assert functions_of(model) == first
    assert path.stat().st_mtime_ns == made
    path.write_bytes(path.read_bytes()[:50])
    assert functions_of(model) == first
    assert path.stat().st_size > 50


def test_the_key_sees_equations_and_not_remarks():
    model = growth_problem().model
    (N,), (r,) = model.states, model.parameters
    assert spelled(model.replace(about="a remark", name="other")) == spelled(model)
    assert spelled(model.replace(rates={N: r * N**2})) != spelled(model)
    assert spelled(model.replace(observables={"double": 2 * N})) != spelled(model)
    assert spelled(model.replace(rates={N: r * N * 1.0000000000000002})) != spelled(
        model.replace(rates={N: 1.0 * r * N})
    )
    other = State("M", 1.0)
    assert spelled(model.replace(rates={other: r * other})) != spelled(model)


def test_writers_that_race_leave_one_whole_file(folder):
    content = os.urandom(300_000)
    threads = [threading.Thread(target=cache.cached, args=("key", lambda: content)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.cached("key", lambda: b"not this") == content
    assert [p.name for p in folder.iterdir()] == ["key.o"]


@pytest.mark.optional
def test_a_kernel_comes_from_the_file_and_survives_its_damage(folder):
    pytest.importorskip("llvmlite")
    expected = np.exp([1.0, 2.0])
    np.testing.assert_allclose(solved(), expected, rtol=1e-8)
    (path,) = folder.glob("*.o")
    made = path.stat().st_mtime_ns
    kernel.cache_clear()
    np.testing.assert_allclose(solved(), expected, rtol=1e-8)
    assert path.stat().st_mtime_ns == made
    path.write_bytes(path.read_bytes()[:100])
    kernel.cache_clear()
    np.testing.assert_allclose(solved(), expected, rtol=1e-8)


@pytest.mark.optional
def test_a_whole_file_that_is_no_code_is_built_again(folder):
    pytest.importorskip("llvmlite")
    solved()
    (path,) = folder.glob("*.o")
    path.unlink()
    cache.cached(path.stem, lambda: b"this is no object code at all")
    kernel.cache_clear()
    np.testing.assert_allclose(solved(), np.exp([1.0, 2.0]), rtol=1e-8)


@pytest.mark.optional
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_two_processes_race_and_problems_travel(folder, method):
    pytest.importorskip("llvmlite")
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        sent = pickle.dumps(growth_problem()), os.environ["REMISSION_CACHE"]
        found = [f.result() for f in [pool.submit(solve_pickled, *sent) for _ in range(2)]]
    np.testing.assert_allclose(found, [np.exp([1.0, 2.0])] * 2, rtol=1e-8)
    assert len(list(folder.glob("*.o"))) == 1
    assert not list(folder.glob("*.part"))


def _answers(content, cache):
    """What a worker makes of a model, a problem, a treatment, a solution and a saved problem that were sent to it."""
    os.environ["REMISSION_CACHE"] = cache
    model, problem, treatment, solution, loaded = pickle.loads(content)
    times = [2.5, 10.0]
    fresh = Problem(model, t_span=(0, 10), rtol=1e-9, treatment=treatment)
    return [
        sample(fresh, times, ["N"], ["r"]).gradients[:, 0, 0].tolist(),
        sample(problem, times, ["N"]).values[:, 0].tolist(),
        solution.at(times, "N").tolist(),
        solve(problem, t_eval=times)["N"].tolist(),
        sample(loaded, times, ["N"]).values[:, 0].tolist(),
    ]


@pytest.mark.optional
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_everything_travels_while_four_processes_race_on_an_empty_cache(folder, tmp_path, method):
    pytest.importorskip("llvmlite")
    treatment = Treatment.bolus({"N": 0.5}, at=[2.0, 5.0])
    problem = growth_problem().replace(treatment=treatment)
    save_problem(problem, tmp_path / "problem")
    sent = problem.model, problem, treatment, solve(problem, "Rodas5P"), load_problem(tmp_path / "problem")
    for path in folder.iterdir():
        path.unlink()
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(4, mp_context=context) as pool:
        tasks = [pool.submit(_answers, pickle.dumps(sent), str(folder)) for _ in range(4)]
        found = [task.result(timeout=300) for task in tasks]
    assert found[0] == found[1] == found[2] == found[3]
    assert found[0][1] == found[0][4]
    t = np.array([2.5, 10.0])
    value = np.exp(0.1 * t) + 0.5 * (np.exp(0.1 * (t - 2)) + (t > 5) * np.exp(0.1 * (t - 5)))
    slope = t * np.exp(0.1 * t) + 0.5 * ((t - 2) * np.exp(0.1 * (t - 2)) + (t > 5) * (t - 5) * np.exp(0.1 * (t - 5)))
    np.testing.assert_allclose(found[0], [slope, value, value, value, value], rtol=1e-7)
    assert not list(folder.glob("*.part"))


def solve_pickled(content, cache):
    os.environ["REMISSION_CACHE"] = cache  # a fork server keeps the environment of the test that started it
    from remission.solvers import kernels as fresh

    return fresh.ensemble(pickle.loads(content), ["r"], [[0.1], [0.2]], [10], ["N"]).values[:, 0, 0]


@pytest.mark.optional
def test_options_and_models_have_kernels_of_their_own(folder):
    pytest.importorskip("llvmlite")
    model = growth_problem().model
    assert kernel(model, Options()) is kernel(model, Options())
    assert kernel(model, Options()) is not kernel(model, Options(lanes=4))
