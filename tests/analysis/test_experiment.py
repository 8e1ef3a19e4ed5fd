"""Experiments: what does not fit is refused before any work; units, doses and time spans are put right."""

import pickle

import numpy as np
import pytest

from remission.analysis import Experiment, Scaled, Table, read_table
from remission.models import exponential_growth, sensitive_resistant
from remission.models.errors import DataError, KeywordError, ProblemError
from remission.solvers import Problem, Treatment, solve

GROWTH = Problem(exponential_growth(), t_span=(0, 1))
DRUGGED = Problem(sensitive_resistant(), t_span=(0, 50))


def volumes(unit="mm^3", time_unit="day", **more):
    columns = {"subject": ["a", "a", "b", "b"], "time": [0, 2, 0, 4], "observable": ["volume"] * 4}
    columns |= {"value": [1.0, 2.0, 3.0, 4.0], "unit": [unit] * 4, "time_unit": [time_unit] * 4}
    return Table(columns | more)


def psa(doses=None, arm=("x", "x", "y", "y")):
    columns = {"subject": ["a", "a", "b", "b"], "time": [0, 100, 0, 60], "observable": ["PSA"] * 4}
    return Table(columns | {"value": [9.0, 3.0, 8.0, 5.0], "unit": ["ng/mL"] * 4, "arm": list(arm)}, doses)


def doses(subjects=("a", "b"), **more):
    n = len(subjects)
    table = {"subject": list(subjects), "time": [10.0] * n, "into": ["abiraterone"] * n, "on": [1.0] * n}
    return table | {"duration": [20.0] * n} | more


def test_values_and_times_are_converted_to_units_of_the_model():
    experiment = Experiment(GROWTH, volumes("mL", "week"), {"volume": "V"}, Treatment.none())
    first, second = experiment.series
    assert (first.subject, first.unit) == ("a", "mm^3")
    np.testing.assert_allclose(first.value, [1000, 2000])
    np.testing.assert_allclose(second.time, [0, 28])


def test_limits_and_deviations_are_converted_with_the_values():
    table = volumes("mL", sd=[0.1] * 4, limit=[0.5, np.nan, np.nan, np.nan], censoring=["left"] + ["none"] * 3)
    series = Experiment(GROWTH, table, {"volume": "V"}, Treatment.none()).series[0]
    assert series.limit[0] == 500
    assert series.sd[1] == 100


def test_time_span_is_extended_to_the_last_value():
    experiment = Experiment(GROWTH, volumes(), {"volume": "V"}, Treatment.none())
    assert experiment.problem_of("a").t_span == (0, 2)
    assert experiment.problem_of("b").t_span == (0, 4)


def test_recorded_doses_reach_the_problem():
    experiment = Experiment(DRUGGED, psa(doses()), {"PSA": Scaled("burden")}, into={"abiraterone": "u"})
    problem = experiment.problem_of("a")
    assert str(problem.treatment) == "u = 1 for 20 from 10"
    same = DRUGGED.replace(t_span=(0, 100), treatment=Treatment.constant({"u": 1}, start=10, end=30))
    assert solve(problem)["burden"][-1] == pytest.approx(solve(same)["burden"][-1], rel=1e-9)


def test_amounts_are_converted_to_the_unit_of_the_state():
    given = {"subject": ["a", "b"], "time": [1, 1], "into": ["V"] * 2, "amount": [1, 2], "unit": ["mL"] * 2}
    table = Table(volumes().columns, given)
    experiment = Experiment(GROWTH, table, {"volume": "V"})
    assert str(experiment.problem_of("b").treatment) == "2000 into V at 1"


def test_treatment_by_arm_may_mix_recorded_and_given():
    table = psa(doses(subjects=("a",)))
    by_arm = {"x": "recorded", "y": Treatment.none()}
    experiment = Experiment(DRUGGED, table, {"PSA": Scaled("burden")}, by_arm, {"abiraterone": "u"})
    assert str(experiment.problem_of("b").treatment) == "no treatment"
    assert "u = 1" in str(experiment.problem_of("a").treatment)


def test_split_keeps_treatments_and_cuts_values():
    times = [*range(0, 100, 10), 0, 50, 100]
    table = Table({"subject": ["a"] * 10 + ["b"] * 3, "time": times, "observable": ["PSA"] * 13, "value": [1.0] * 13})
    whole = Experiment(DRUGGED, table, {"PSA": Scaled("burden")}, Treatment.constant({"u": 1}))
    early, late = whole.split(0.6, at_least=3)
    assert [len(s) for s in early.series] == [6, 3]  # 0.6 of 90 days is day 54
    assert [len(s) for s in late.series] == [4]
    assert late.subjects == ("a",)
    with pytest.raises(DataError, match="no subject has a value after its first 60% and 20"):
        whole.split(0.6, at_least=20)


def test_an_experiment_pickles():
    experiment = Experiment(DRUGGED, psa(doses()), {"PSA": Scaled("burden")}, into={"abiraterone": "u"})
    again = pickle.loads(pickle.dumps(experiment))
    assert again.subjects == experiment.subjects
    assert again.problem_of("b").treatment == experiment.problem_of("b").treatment
    assert str(again) == "sensitive_resistant beside 4 values of 2 subjects\n  PSA is proportional to burden"


NONE, U = Treatment.none(), {"abiraterone": "u"}
FAULTS = [
    (DataError, "no observable 'volum'; did you mean 'volume'", GROWTH, volumes, {"volum": "V"}, NONE, {}),
    (ProblemError, "no output 'burdn'; did you mean 'burden'", GROWTH, volumes, {"volume": "burdn"}, NONE, {}),
    (ProblemError, "the table has: volume; exponential_growth has: V, burden", GROWTH, volumes, {}, NONE, {}),
    (DataError, "'ng/mL'.*does not convert to 'mm", GROWTH, lambda: volumes("ng/mL"), {"volume": "V"}, NONE, {}),
    (DataError, r"write Scaled\('V'\)", GROWTH, lambda: volumes("ng/mL"), {"volume": "V"}, NONE, {}),
    (DataError, "the table holds no doses; write treatment=Treatment.none", DRUGGED, psa, {"PSA": Scaled("burden")},
     "recorded", {}),
    (DataError, "no doses are recorded for b; write", DRUGGED, lambda: psa(doses(["a"])), {"PSA": Scaled("burden")},
     "recorded", U),
    (DataError, "no treatment for arm 'y'; there is: x", DRUGGED, psa, {"PSA": Scaled("burden")}, {"x": NONE}, {}),
    (ProblemError, "no input or state 'abiraterone'.*write into=", DRUGGED, lambda: psa(doses()),
     {"PSA": Scaled("burden")}, "recorded", {}),
    (DataError, "into names 'abirateron', which is not in the doses; did you mean 'abiraterone'", DRUGGED,
     lambda: psa(doses()), {"PSA": Scaled("burden")}, "recorded", {"abirateron": "u"}),
    (ProblemError, "treatment is 'recorded', a Treatment or a dictionary by arm, got 'record'", DRUGGED, psa,
     {"PSA": Scaled("burden")}, "record", {}),
    (DataError, "subject 'a' has 'volume' at 0, before the problem starts at 1", GROWTH.replace(t_span=(1, 2)), volumes,
     {"volume": "V"}, NONE, {}),
    (ProblemError, "data must be a Table, got 'file.csv'", GROWTH, lambda: "file.csv", {"volume": "V"}, NONE, {}),
]  # fmt: skip


@pytest.mark.parametrize(("error", "text", "problem", "table", "observe", "treatment", "into"), FAULTS)
def test_what_does_not_fit_is_refused(error, text, problem, table, observe, treatment, into):
    with pytest.raises(error, match=text):
        Experiment(problem, table(), observe, treatment, into)


def test_a_dose_before_the_problem_starts_is_not_forgotten():
    columns = {"subject": ["a"], "time": [5.0], "observable": ["volume"], "value": [1.0]}
    dosed = Table(columns, {"subject": ["a"], "time": [0.0], "into": ["V"], "amount": [2.0]})
    with pytest.raises(DataError, match="subject 'a' has a dose at 0, before the problem starts at 1"):
        Experiment(GROWTH.replace(t_span=(1, 2)), dosed, {"volume": "V"})


def test_misspelt_names_get_the_nearest_match():
    with pytest.raises(ProblemError, match="did you mean 'maximum'"):
        Scaled("burden", by="maximun")
    with pytest.raises(KeywordError, match="did you mean 'observe'"):
        Experiment(GROWTH, volumes(), observ={"volume": "V"})
    experiment = Experiment(GROWTH, volumes(), {"volume": "V"}, NONE)
    with pytest.raises(DataError, match="no subject 'c'; there is: a, b"):
        experiment.series_of("c")


def test_rows_of_other_observables_are_left_alone():
    rows = [{"subject": "a", "time": t, "observable": o, "value": 1.0} for t in (0, 1) for o in ("volume", "weight")]
    experiment = Experiment(GROWTH, read_table(rows), {"volume": "V"}, NONE)
    assert [s.observable for s in experiment.series] == ["volume"]
