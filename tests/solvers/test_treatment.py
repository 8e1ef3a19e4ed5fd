"""Treatments: what they say, what they refuse, how they combine."""

import pickle

import pytest

from remission.models import Parameter, sensitive_resistant
from remission.models.errors import KeywordError, ProblemError
from remission.solvers import Problem, Treatment, solve


def test_texts_read_like_a_protocol():
    both = Treatment.intermittent({"u": 1.0}, on=7, off=14, cycles=3) + Treatment.bolus({"S": 2}, at=[1, 5])
    assert str(both) == "u = 1 for 7 from 0, every 21, 3 times; 2 into S at 1; 2 into S at 5"
    assert str(Treatment.none()) == "no treatment"
    assert "off until burden > 1 of its start, looked at every 28" in str(
        Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1, check_every=28)
    )


def test_amounts_and_times_may_be_parameters_of_the_problem():
    dose, every = Parameter("dose", 2.0), Parameter("every", 7.0)
    problem = Problem(sensitive_resistant(), treatment=Treatment.bolus({"S": dose}, every=every, times=2))
    assert problem.parameters["dose"] == 2.0
    assert problem.parameters["every"] == 7.0
    moved = solve(problem.replace(parameters={"every": 10.0}, t_span=(0, 30)))
    assert [e.time for e in moved.events] == [0.0, 10.0]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Treatment.adaptive({"u": 1}, of="b", pause_below=1, resume_above=0.5), "pause_below must be below"),
        (lambda: Treatment.adaptive({"u": 1}, of="b", pause_below=1, resume_above=1), "pause_below must be below"),
        (lambda: Treatment.constant({"u": float("nan")}), "must be a finite number"),
        (lambda: Treatment.constant({"u": "high"}), "must be a finite number"),
        (lambda: Treatment.constant({}), "give a dictionary"),
        (lambda: Treatment.bolus({"C": 1}, times=3), "needs every="),
        (lambda: Treatment.bolus({"C": 1}, at=[1, 2], every=3), "not both"),
        (lambda: Treatment.bolus({"C": 1}, every=-1), "every must be above 0"),
        (lambda: Treatment.surgery({"T": 1.5}, at=3), "fraction from 0 to 1"),
        (lambda: Treatment.infusion({"C": 1}, duration=0), "duration must be above 0"),
        (lambda: Treatment.switch_when({"u": 1}, of="b"), "needs above= or below="),
        (lambda: Treatment.from_table([{"time": 0, "into": "u"}]), "row 1: give one of amount, rate, on"),
        (lambda: Treatment.from_table([{"time": 0, "into": "u", "on": 1}]), "needs a duration"),
    ],
)
def test_refusals_name_the_fault(make, text):
    with pytest.raises(ProblemError, match=text):
        make()


def test_misspelt_keyword_is_answered_with_the_nearest():
    with pytest.raises(KeywordError, match="did you mean 'pause_below'"):
        Treatment.adaptive({"u": 1}, of="b", pause_bellow=0.5, resume_above=1)


@pytest.mark.parametrize(
    ("treatment", "text"),
    [
        (Treatment.constant({"U": 1}), "did you mean 'u'"),
        (Treatment.constant({"S": 1}), "a state: use bolus or infusion"),
        (Treatment.bolus({"u": 1}), "among its states, has no 'u'"),
        (Treatment.adaptive({"u": 1}, of="burdn", pause_below=0.5, resume_above=1), "did you mean 'burden'"),
        (Treatment.bolus({"S": 1}, every=1e-9), "is the unit right"),
    ],
)
def test_a_treatment_must_fit_the_model(treatment, text):
    with pytest.raises(ProblemError, match=text):
        solve(Problem(sensitive_resistant(), treatment=treatment))


def test_a_table_of_doses_becomes_windows_and_jumps():
    rows = [
        {"time": 0, "into": "drug", "on": 1, "duration": 27},
        {"time": 27, "into": "drug", "on": 0, "duration": 10},
        {"time": 5, "into": "S", "amount": 0.1, "duration": ""},
        {"time": 6, "into": "S", "amount": 0.2, "duration": 2},
    ]
    treatment = Treatment.from_table(rows, into={"drug": "u"})
    solution = solve(Problem(sensitive_resistant(), t_span=(0, 40), treatment=treatment), t_eval=[1, 10, 27, 28, 40])
    assert solution["u"].tolist() == [1, 1, 1, 0, 0]
    assert [e.time for e in solution.events if e.kind == "dose"] == [5.0]


def test_equal_treatments_are_equal_and_pickle():
    make = [Treatment.intermittent({"u": Parameter("d", 1.0)}, on=7, off=7) for _ in range(2)]
    assert make[0] == make[1]
    assert hash(make[0]) == hash(make[1])
    assert pickle.loads(pickle.dumps(make[0])) == make[1]
