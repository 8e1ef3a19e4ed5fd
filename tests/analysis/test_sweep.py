"""Sweeps: every form of samples, any number of workers, members that fail."""

import logging
import math
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from remission.analysis import at_end, nadir, relapse_probability, sweep, time_to_progression
from remission.models import Model, Parameter, ProblemError, State, oncogene_withdrawal, sensitive_resistant
from remission.solvers import Problem, Treatment, solve

DAILY = Problem(sensitive_resistant(), t_span=(0, 600), treatment=Treatment.constant({"u": 1.0}))
OUTPUTS = ["burden", nadir("burden"), time_to_progression()]


def peak_of_resistant(solution):
    """A function of a solution, importable."""
    return float(np.max(solution["R"]))


def unlucky(solution):
    """A function that does not like small tumours."""
    if solution.problem.parameters["n0"] < 0.2:
        raise RuntimeError("too small for me")
    return 1.0


def table(n=20):
    rng = np.random.default_rng(3)
    return {"turnover": rng.uniform(0.1, 0.5, n), "f_R": 10 ** rng.uniform(-4, -1, n)}


def test_members_are_solutions():
    found = sweep(DAILY, table(), OUTPUTS, progress=False)
    assert found.values.shape == (20, 3)
    for i in (0, 7, 19):
        solution = solve(DAILY.replace(parameters={n: v[i] for n, v in table().items()}, rtol=1e-9))
        expected = [at_end(solution, "burden"), *(o(solution) for o in OUTPUTS[1:])]
        np.testing.assert_allclose(found.values[i], expected, rtol=1e-4)
    np.testing.assert_array_equal(found["burden"], found.values[:, 0])
    np.testing.assert_array_equal(found[nadir("burden")], found["nadir of burden"])
    assert not found.failed.any()


def test_all_forms_of_samples_are_one():
    columns = table(6)
    array = np.column_stack(list(columns.values()))
    rows = [dict(zip(columns, map(float, row), strict=True)) for row in array]
    results = [
        sweep(DAILY, columns, "burden", progress=False),
        sweep(DAILY, array, "burden", progress=False, names=["turnover", "f_R"]),
        sweep(DAILY, rows, "burden", progress=False),
        sweep(DAILY, array.tolist(), "burden", progress=False, names=["turnover", "f_R"]),
    ]
    for other in results[1:]:
        np.testing.assert_array_equal(other.samples, results[0].samples)
        np.testing.assert_array_equal(other.values, results[0].values)
    one_number = sweep(DAILY, {"turnover": columns["turnover"], "f_R": 0.01}, "burden", progress=False)
    np.testing.assert_array_equal(one_number.samples[:, 1], 0.01)


def test_end_values_come_by_the_fast_path_and_agree():
    """Without rules the end is sampled without dense output; the same integrator within tolerance."""
    fast = sweep(DAILY, table(), "burden", progress=False)["burden"]
    slow = sweep(DAILY, table(), OUTPUTS, progress=False)["burden"]
    np.testing.assert_allclose(fast, slow, rtol=1e-4)


def test_any_number_of_workers_gives_the_same_numbers():
    from concurrent.futures import ThreadPoolExecutor

    one = sweep(DAILY, table(40), [*OUTPUTS, peak_of_resistant], progress=False)
    two = sweep(DAILY, table(40), [*OUTPUTS, peak_of_resistant], progress=False, workers=2)
    mapped = sweep(DAILY, table(40), [*OUTPUTS, peak_of_resistant], progress=False, workers=map)
    with ThreadPoolExecutor(1) as pool:
        threads = sweep(DAILY, table(40), [*OUTPUTS, peak_of_resistant], progress=False, workers=pool)
    for other in (two, mapped, threads):
        np.testing.assert_array_equal(one.values, other.values)
    assert one.outputs[-1] == "peak_of_resistant"


def test_spawned_workers():
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = sweep(DAILY, table(3), OUTPUTS, progress=False, workers=pool)
    np.testing.assert_array_equal(found.values, sweep(DAILY, table(3), OUTPUTS, progress=False).values)


def test_failed_members_are_rows_of_nan_with_a_reason():
    """A blow-up, a value that is no number, and members that are fine."""
    r, S = Parameter("r", 0.1), State("S", 1.0)
    growing = Problem(Model("growing", rates={S: r * S**2}, observables={"burden": S}), t_span=(0, 5))
    for outputs in ("burden", ["burden", nadir("burden")]):
        found = sweep(growing, {"r": [0.1, 1.0, 0.15, math.nan]}, outputs, progress=False)
        assert found.failed.tolist() == [False, True, False, True]
        assert found.status[3] == "refused"
        assert "finite" in found.messages[3]
        assert np.isnan(found.values[1]).all()
        assert found["burden"][0] == pytest.approx(2.0, rel=1e-4)
        assert "2 failed" in str(found)


def test_a_function_that_fails_loses_only_its_member():
    found = sweep(DAILY, {"n0": [0.1, 0.4]}, [unlucky, "burden"], progress=False)
    assert found.status == ("error", "done")
    assert found.messages[0] == "RuntimeError: too small for me"


def test_a_member_that_cannot_be_posed_is_refused():
    low = Parameter("low", 0.5)
    rule = Treatment.adaptive({"u": 1.0}, of="burden", pause_below=low, resume_above=1.0)
    found = sweep(DAILY.replace(treatment=rule), {"low": [0.5, 1.5]}, "burden", progress=False)
    assert found.status == ("done", "refused")
    assert "never both" in found.messages[1]


def test_refusals_come_before_any_work():
    with pytest.raises(ProblemError, match="did you mean 'turnover'"):
        sweep(DAILY, {"turnovr": [0.1]}, "burden")
    with pytest.raises(ProblemError, match="did you mean 'burden'"):
        sweep(DAILY, {"turnover": [0.1]}, "burdn")
    with pytest.raises(ProblemError, match="differ in length"):
        sweep(DAILY, {"turnover": [0.1, 0.2], "f_R": [0.1, 0.2, 0.3]}, "burden")
    with pytest.raises(ProblemError, match="names="):
        sweep(DAILY, np.ones((3, 2)), "burden")
    with pytest.raises(ProblemError, match="2 names"):
        sweep(DAILY, np.ones((3, 3)), "burden", names=["r", "f_R"])
    with pytest.raises(ProblemError, match="no samples"):
        sweep(DAILY, {"r": []}, "burden")
    with pytest.raises(ProblemError, match="member 1 names"):
        sweep(DAILY, [{"r": 0.1}, {"f_R": 0.1}], "burden")
    with pytest.raises(ProblemError, match="asked for twice"):
        sweep(DAILY, {"r": [0.1]}, ["burden", at_end("burden")])
    with pytest.raises(ProblemError, match="workers is a number"):
        sweep(DAILY, {"r": [0.1]}, "burden", workers="many")
    with pytest.raises(ProblemError, match="cannot be imported by worker processes"):
        sweep(DAILY, {"r": [0.1]}, lambda solution: 1.0, workers=2)


def test_a_lambda_is_fine_in_this_process():
    found = sweep(DAILY, {"r": [0.02]}, lambda solution: solution.t[-1], progress=False)
    assert found.values.tolist() == [[600.0]]


def test_the_result_pickles():
    found = sweep(DAILY, table(3), OUTPUTS, progress=False)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.values, found.values)
    assert str(again) == str(found)


def test_an_interrupt_leaves_no_process_behind(tmp_path):
    """SIGINT to the coordinator alone, in the middle of a sweep: it ends soon and so do its workers."""
    script = tmp_path / "long_sweep.py"
    script.write_text(
        textwrap.dedent(
            """
            import multiprocessing, sys
            import numpy as np
            from remission.analysis import nadir, sweep
            from remission.models import sensitive_resistant
            from remission.solvers import Problem, Treatment

            if __name__ == "__main__":
                problem = Problem(sensitive_resistant(), t_span=(0, 600), treatment=Treatment.constant({"u": 1.0}))
                print("ready", flush=True)
                try:
                    sweep(problem, {"r": np.full(50_000, 0.02)}, nadir("burden"), workers=2, progress=False)
                except KeyboardInterrupt:
                    print("stopped with", len(multiprocessing.active_children()), "children", flush=True)
            """
        )
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(2.0)
    os.kill(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert out == "stopped with 0 children\n"
    assert process.returncode == 0


def test_remarks_on_members_are_said_once(caplog):
    """A span that ends too early for relapse: one line in the log, and the remark of each member in its row."""
    withdrawal = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})
    problem = Problem(oncogene_withdrawal(), t_span=(0, 125), treatment=withdrawal)
    with caplog.at_level(logging.WARNING, "remission"):
        found = sweep(problem, {"f_r": [1e-8, 2e-8, 3e-8]}, relapse_probability(), progress=False)
    assert len(caplog.records) == 1
    assert "on 3 of 3 members" in caplog.text
    assert all("longer t_span" in message for message in found.messages)
    assert not found.failed.any()
    assert "remarks on 3" in str(found)
