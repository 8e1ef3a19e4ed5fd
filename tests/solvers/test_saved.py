"""Problems in files: the same numbers bit for bit, without sympy and SciPy; files that are damaged or foreign."""

import concurrent.futures
import json
import multiprocessing
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from remission.models import (
    Model,
    Parameter,
    State,
    exponential_growth,
    oncogene_withdrawal,
    oral_1cpt,
    sensitive_resistant,
    t,
)
from remission.models.errors import KeywordError, ProblemError
from remission.solvers import Problem, Treatment, load_problem, sample, save_problem, solve
from remission.solvers.kernels import available

TIMES = np.linspace(0, 300, 31)
DAILY = Treatment.constant({"u": 1})
ON_OFF = Treatment.intermittent({"u": Parameter("level", 0.8)}, on=7, off=Parameter("rest", 14.0), cycles=4)
ADAPTIVE = Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0, relative_to="start")
VISITS = Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0, check_every=28, lead_in=30)


def niche(treatment, **more):
    return Problem(sensitive_resistant(), t_span=(0, 300), treatment=treatment, **more)


def pills():
    dose = Parameter("dose", 3.0)
    gut, blood = (s.name for s in oral_1cpt().states)
    treatment = Treatment.bolus({gut: dose}, every=12, times=5, lag=Parameter("lag", 0.5))
    return Problem(
        oral_1cpt(), t_span=(0, 300), treatment=treatment + Treatment.infusion({blood: 0.1}, start=30, duration=20)
    )


def seasons():
    """A right-hand side that names the time."""
    N, r = State("N", 1.0, scale=1.0), Parameter("r", 0.02)
    return Problem(Model("seasons", rates={N: r * N * (1 + t / 300) - N**2 * r}), t_span=(0, 300))


PROBLEMS = {
    "no treatment": lambda: niche(Treatment.none()),
    "always": lambda: niche(DAILY),
    "on and off": lambda: niche(ON_OFF),
    "surgery": lambda: niche(DAILY + Treatment.surgery({"S": 0.9, "R": 0.9}, at=100)),
    "rule": lambda: niche(ADAPTIVE),
    "visits": lambda: niche(VISITS),
    "doses and infusion": pills,
    "time": seasons,
    "switch": lambda: Problem(
        oncogene_withdrawal(), t_span=(0, 300),
        treatment=Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1}),
    ),
    "gate": lambda: Problem(
        oncogene_withdrawal(), t_span=(0, 300), treatment=Treatment.constant({"u": 1}), extinction_gate=True
    ),
}  # fmt: skip


def through(problem, tmp_path, **more):
    save_problem(problem, tmp_path / "problem", **more)
    return load_problem(tmp_path / "problem")


def same(a, b):
    np.testing.assert_array_equal(np.asarray(a).view(np.int64), np.asarray(b).view(np.int64))


# --- the same numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_loaded_problem_gives_the_same_bits(name, tmp_path):
    problem = PROBLEMS[name]()
    loaded = through(problem, tmp_path)
    names = [*problem.system.states, *problem.system.observables, *problem.system.inputs]
    one, two = sample(problem, TIMES, names), sample(loaded, TIMES, names)
    assert one.success
    same(one.values, two.values)
    for method in (None, "Rodas5P", "LSODA"):
        one, two = (solve(p, method, t_eval=TIMES) for p in (problem, loaded))
        assert one.method == two.method
        assert [str(e) for e in one.events] == [str(e) for e in two.events]
        for output in names:
            same(one[output], two[output])
            same(one.at(33.3, output, side="right"), two.at(33.3, output, side="right"))


@pytest.mark.parametrize("name", ["on and off", "doses and infusion", "surgery"])
def test_changed_numbers_enter_model_treatment_and_initial_values(name, tmp_path):
    problem = PROBLEMS[name]()
    loaded = through(problem, tmp_path)
    values = {k: 1.25 * v for k, v in problem.parameters.items()}
    one, two = (p.replace(parameters=values, t_span=(0, 280), rtol=1e-8, atol=1e-12) for p in (problem, loaded))
    assert dict(one.parameters) == dict(two.parameters)
    assert one.initial_values() == two.initial_values()
    output = problem.system.states[0]
    same(sample(one, [50.0, 280.0], [output]).values, sample(two, [50.0, 280.0], [output]).values)
    assert sample(loaded, [50.0], [output]).values[0, 0] != sample(two, [50.0], [output]).values[0, 0]


def test_low_accuracy_is_the_same_too(tmp_path):
    problem = niche(ON_OFF)
    loaded = through(problem, tmp_path)
    one, two = (sample(p.replace(rtol=1e-3), TIMES, ["S"]).values for p in (problem, loaded))
    same(one, two)


@pytest.mark.optional
@pytest.mark.parametrize(
    ("name", "carried"), [("on and off", ["r", "level", "rest"]), ("doses and infusion", ["dose", "lag"])]
)
def test_sensitivities_are_the_same_bits(name, carried, tmp_path):
    pytest.importorskip("llvmlite")
    problem = PROBLEMS[name]()
    loaded = through(problem, tmp_path, sensitivities=carried)
    output = problem.system.states[0]
    one, two = (sample(p, TIMES, [output], carried) for p in (problem, loaded))
    same(one.gradients, two.gradients)
    one, two = (solve(p, "Rodas5P", t_eval=TIMES, sensitivities=carried) for p in (problem, loaded))
    for parameter in carried:
        same(one.sensitivity(output, parameter), two.sensitivity(output, parameter))


def test_sensitivities_that_were_not_saved_come_from_scipy(tmp_path):
    problem = niche(ON_OFF)
    loaded = through(problem, tmp_path, sensitivities=["r"])
    if available():
        with pytest.raises(ProblemError, match=r"no kernel for these sensitivities.*LSODA"):
            sample(loaded, TIMES, ["S"], ["cost"])
    one, two = (solve(p, "LSODA", sensitivities=["level"], rtol=1e-9) for p in (problem, loaded))
    np.testing.assert_allclose(one.sensitivity("S", "level"), two.sensitivity("S", "level"), rtol=1e-5, atol=1e-9)


# --- without sympy ----------------------------------------------------------------------------------------------------

LIGHT = """
import sys, numpy as np, remission as rm
problem = rm.load_problem(sys.argv[1])
assert not {"sympy", "scipy"} & set(sys.modules), "loading"
values = rm.sample(problem.replace(parameters={"r": 0.03}), [0.0, 100.0, 300.0], ["S", "burden", "u"]).values
assert not {"sympy", "scipy"} & set(sys.modules), "sampling"
solution = rm.solve(problem)
assert not {"sympy", "scipy"} & set(sys.modules), "solving"
print(values.tobytes().hex(), solution["burden"].tobytes().hex(), solution.method)
"""


@pytest.mark.optional
def test_a_new_process_solves_without_sympy_and_scipy(tmp_path):
    pytest.importorskip("llvmlite")
    problem = niche(ON_OFF)
    save_problem(problem, tmp_path / "problem")
    run = subprocess.run(
        [sys.executable, "-c", LIGHT, str(tmp_path / "problem")], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    values, burden, method = run.stdout.split()
    wanted = sample(problem.replace(parameters={"r": 0.03}), [0.0, 100.0, 300.0], ["S", "burden", "u"]).values
    assert (values, burden) == (wanted.tobytes().hex(), solve(problem)["burden"].tobytes().hex())
    assert method == solve(problem).method


def test_without_llvmlite_scipy_solves_what_was_saved(tmp_path, monkeypatch):
    loaded = through(niche(ON_OFF), tmp_path)
    monkeypatch.setattr("remission.solvers.kernels.single.available", lambda: False)
    fine = sample(loaded, TIMES, ["burden"]).values
    assert "LSODA (not Rodas5P" in solve(loaded, "Rodas5P").method
    np.testing.assert_allclose(fine, sample(niche(ON_OFF), TIMES, ["burden"]).values, rtol=1e-4)


# --- values -----------------------------------------------------------------------------------------------------------


def _burden(problem):
    return sample(problem, TIMES, ["burden"]).values


@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_loaded_problems_and_solutions_cross_a_process_border(start, tmp_path):
    loaded = through(niche(ON_OFF), tmp_path).replace(parameters={"rest": 10.0})
    solution = solve(loaded, "Rodas5P")
    again = pickle.loads(pickle.dumps(solution))
    same(again["S"], solution["S"])
    assert dict(again.problem.parameters) == dict(loaded.parameters)
    assert pickle.loads(pickle.dumps(loaded.system)).states == loaded.system.states
    context = multiprocessing.get_context(start)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        same(pool.submit(_burden, loaded).result(timeout=120), _burden(loaded))


def test_it_says_what_it_is(tmp_path):
    loaded = through(niche(ON_OFF), tmp_path)
    assert repr(loaded).startswith("<Problem sensitive_resistant, t from 0 to 300: u = level for 7")
    assert loaded.parameters == dict(niche(ON_OFF).parameters)
    assert [s.info.unit for s in loaded.model.states] == [s.info.unit for s in sensitive_resistant().states]
    assert loaded.model.source == sensitive_resistant().source
    assert str(solve(loaded, "Rodas5P")) == str(solve(niche(ON_OFF), "Rodas5P"))


def test_what_needs_equations_says_so(tmp_path):
    loaded = through(niche(ON_OFF), tmp_path)
    for ask in (
        lambda: loaded.model.lineages,
        lambda: loaded.at_constant(u=1.0),
        lambda: loaded.model.observables["burden"].expand(),
        lambda: sum(loaded.model.states),
    ):
        with pytest.raises(ProblemError, match=r"came from a file.*declared problem"):
            ask()
    assert not hasattr(loaded, "no such thing")


def test_what_cannot_be_changed_is_refused(tmp_path):
    loaded = through(niche(ON_OFF), tmp_path)
    with pytest.raises(ProblemError, match=r"'treatment' is fixed.*parameters, t_span"):
        loaded.replace(treatment=DAILY)
    with pytest.raises(ProblemError, match="did you mean 'turnover'"):
        loaded.replace(parameters={"turnovr": 1})
    with pytest.raises(ProblemError, match="must be finite"):
        loaded.replace(parameters={"r": float("nan")})
    with pytest.raises(ProblemError, match="rtol must lie"):
        loaded.replace(rtol=2.0)
    with pytest.raises(ProblemError, match="run forward"):
        loaded.replace(t_span=(3, 1))
    with pytest.raises(ProblemError, match="copy the file"):
        save_problem(loaded, tmp_path / "again")
    with pytest.raises(ProblemError, match="must be a declared Problem"):
        save_problem("problem", tmp_path / "again")
    with pytest.raises(ProblemError, match="did you mean 'cost'"):
        save_problem(niche(DAILY), tmp_path / "again", sensitivities=["costs"])
    with pytest.raises(KeywordError, match="sensitivities"):
        save_problem(niche(DAILY), tmp_path / "again", sensitivity=["cost"])


@pytest.mark.optional
def test_a_longer_span_with_another_infusion_is_refused(tmp_path):
    pytest.importorskip("llvmlite")
    gut, blood = (s.name for s in oral_1cpt().states)
    treatment = Treatment.bolus({gut: 1.0}, at=0) + Treatment.infusion({blood: 0.1}, start=400, duration=20)
    loaded = through(Problem(oral_1cpt(), t_span=(0, 300), treatment=treatment), tmp_path)
    with pytest.raises(ProblemError, match=r"other infusions.*longer t_span"):
        sample(loaded.replace(t_span=(0, 500)), [500.0], [blood])


@pytest.mark.optional
def test_what_is_saved_without_llvmlite_says_so_where_it_is_loaded(tmp_path, monkeypatch):
    pytest.importorskip("llvmlite")
    with monkeypatch.context() as without:
        without.setattr("remission.solvers.kernels.single.available", lambda: False)
        loaded = through(niche(ON_OFF), tmp_path)
    assert solve(loaded).method.startswith("LSODA (not compiled: when the file was written: llvmlite is not installed")
    same(solve(loaded)["S"], solve(niche(ON_OFF), "LSODA")["S"])


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    file = tmp_path_factory.mktemp("saved") / "problem"
    save_problem(Problem(exponential_growth(), t_span=(0, 10)), file)
    return file.read_bytes()


def test_a_file_is_plain_text_in_lines(content):
    head, problem, *kernels = [json.loads(line) for line in content.decode("ascii").splitlines()]
    assert (head["format"], head["version"]) == ("remission problem", 1)
    assert problem["values"] == dict(Problem(exponential_growth()).parameters)
    if available():
        assert all(k["text"].startswith("; ModuleID") and 'target triple = "unknown' in k["text"] for k in kernels)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda c: b"", "is empty"),
        (lambda c: b"PK\x03\x04 a zip file", "not a problem saved by remission.*begins with 'PK"),
        (lambda c: b'{"cells": [], "nbformat": 4}\n', "not a problem saved by remission"),
        (lambda c: b"[1, 2]\n", "not a problem saved by remission"),
        (lambda c: c[: len(c) // 2], "damaged.*cut off"),
        (lambda c: c[:-1], "damaged.*cut off"),
        (lambda c: c + b"more\n", "damaged.*something follows"),
        (lambda c: c.replace(b'"values":{', b'"values": ', 1), "damaged: line 2 .* checksum"),
        (lambda c: c[:-20] + b"X" + c[-19:], r"damaged: line \d+ .* checksum"),
        (lambda c: c.replace(b'"version": 1', b'"version": 9', 1), r"version 9 of the format.*reads version 1.*update"),
        (lambda c: c.replace(b'"version": 1', b'"version": "x"', 1), "version x of the format"),
        (lambda c: c.replace(b'"lines"', b'"parts"', 1), "damaged: its first line"),
    ],
)
def test_a_bad_file_says_what_is_wrong(damage, says, content, tmp_path):
    (tmp_path / "bad").write_bytes(damage(content))
    with pytest.raises(ProblemError, match=says) as found:
        load_problem(tmp_path / "bad")
    assert "bad" in str(found.value)


@pytest.mark.optional
def test_kernels_of_another_version_are_not_called(content, tmp_path):
    """A record of other fields would be read at wrong places: such kernels must never run."""
    pytest.importorskip("llvmlite")
    _, problem, *kernels = content.splitlines()
    from remission.solvers.saved_file import write_lines

    plain = json.loads(problem)
    plain["call"]["fields"].insert(0, "something new")
    write_lines(tmp_path / "other", [plain, *map(json.loads, kernels)])
    loaded = load_problem(tmp_path / "other")
    solution = solve(loaded, "Rodas5P")
    assert "LSODA" in solution.method
    assert "save it again" in solution.method
    V0, r = (loaded.parameters[n] for n in ("V0", "r"))
    assert solution["V"][-1] == pytest.approx(V0 * np.exp(10 * r), rel=1e-4)


def test_a_save_that_fails_leaves_what_was_there(content, tmp_path, monkeypatch):
    file = tmp_path / "problem"
    file.write_bytes(content)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("remission.solvers.saved_file.os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        save_problem(Problem(exponential_growth(), t_span=(0, 20)), file)
    assert file.read_bytes() == content
    assert os.listdir(tmp_path) == ["problem"]
    with pytest.raises(FileNotFoundError):
        load_problem(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        save_problem(Problem(exponential_growth()), tmp_path / "no" / "folder")
