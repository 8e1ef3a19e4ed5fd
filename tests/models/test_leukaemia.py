"""CML under an inhibitor: rest points and the published fates of single patients."""

import numpy as np
import pytest
from scipy.optimize import brentq

from remission.models import cml_immune_window
from remission.solvers import Problem, Treatment, sample, solve

# Published fits of Hahnel et al. (2020): pxy, pyx, eTKI, pz, Kz, X0, Y0, Z0, month of the stop; the rest is shared.
NAMES = ("pxy", "pyx", "eTKI", "pz", "Kz", "X0", "Y0", "Z0")
PATIENTS = {
    "1, window": ((0.0483, 0.0126, 13.9, 2210.0, 362.0, 194000.0, 742834.0, 100.0), 85.9),
    "2, no control": ((0.0452, 0.00033, 1.95, 1940.0, 508.0, 796.0, 109001.0, 101.0), 85.7),
    "3, no control": ((0.184, 0.878, 6.48, 1.5e-07, 4.29, 161000.0, 33678.0, 100.0), 72.9),
    "8, window": ((4.26e-05, 0.000215, 1.86, 696.0, 74.7, 312000.0, 61731.0, 101.0), 84.7),
    "15, control": ((0.056, 0.585, 3.62, 82600.0, 1300.0, 6270000.0, 599823.0, 107.0), 131.0),
    "20, control": ((0.0387, 0.00895, 2.38, 4420.0, 419.0, 145000.0, 628117.0, 100.0), 99.0),
}


def stopped(patient, months=60):
    values, stop = PATIENTS[patient]
    problem = Problem(
        cml_immune_window(), t_span=(0, stop + months), treatment=Treatment.constant({"u": 1}, end=stop), rtol=1e-8
    )
    return problem.replace(parameters=dict(zip(NAMES, values, strict=True))), stop


@pytest.mark.parametrize("patient", list(PATIENTS))
def test_fate_after_the_stop(patient):
    """Without control the disease is back within five years; with control it stays where it was; a window decides."""
    problem, stop = stopped(patient)
    at_stop, later = sample(problem, [stop, stop + 60], ["ratio"]).values[:, 0]
    assert at_stop < 0.01
    relapses = patient in ("1, window", "2, no control", "3, no control")
    assert later > 98 if relapses else later < 1.1 * at_stop


def test_the_defaults_are_patient_one():
    problem, _ = stopped("1, window")
    assert problem.parameters == Problem(cml_immune_window()).parameters


@pytest.mark.parametrize(("month", "back"), [(6, True), (12, False), (24, False), (85.9, True), (200, True)])
def test_a_window_can_be_missed_by_stopping_early_or_late(month, back):
    """Patient 1: too much residue in month 6, too little to keep immune cells up in month 85.9, when he stopped."""
    problem = Problem(cml_immune_window(), t_span=(0, month + 120), rtol=1e-8)
    problem = problem.replace(treatment=Treatment.constant({"u": 1}, end=month))
    ratio = sample(problem, [month + 120], ["ratio"]).values[0, 0]
    assert ratio > 98 if back else ratio == pytest.approx(0.0067, abs=1e-4)


def test_rest_points_without_the_drug():
    """X = Y pyx/pxy, and Y where growth equals the immune kill: found on the one equation, checked on the model."""
    problem = Problem(cml_immune_window()).replace(parameters=dict(zip(NAMES, PATIENTS["8, window"][0], strict=True)))
    p = problem.parameters

    def immune(Y):
        return p["rz"] / (p["az"] - p["pz"] * Y / (p["Kz"] ** 2 + Y**2))

    def balance(Y):
        return p["py"] * (1 - Y / p["Ky"]) - p["m"] * immune(Y)

    places = [brentq(balance, *bracket) for bracket in ((1, 16.84), (332, 1e5), (1e5, 1e6))]
    for Y, stable in zip(places, (True, False, True), strict=True):  # remission, threshold, disease
        state = np.array([Y * p["pyx"] / p["pxy"], Y, immune(Y)])
        assert immune(Y) > 0
        flow = problem.system.f(0.0, state, problem.p, [0.0])
        assert np.all(np.abs(flow) < 1e-6 * np.array([state[0], state[1], p["rz"]]))
        growth = np.linalg.eigvals(problem.system.jac(0.0, state, problem.p, [0.0])).real.max()
        assert (growth < 0) == stable
    free = problem.system.f(0.0, np.array([0, 0, 100.0]), problem.p, [0.0])
    assert not free.any()
    early = problem.system.jac(0.0, np.array([0, 0, 100.0]), problem.p, [0.0])[1, 1]
    assert early == pytest.approx(1.658 - 1e-4 * 100 - p["pyx"])


def test_recruitment_is_strongest_at_Kz():
    problem = Problem(cml_immune_window())
    Z = 1.0
    Y = np.linspace(50, 2000, 3901)
    recruited = [problem.system.f(0.0, np.array([0, y, Z]), problem.p, [0.0])[2] for y in Y]
    assert Y[np.argmax(recruited)] == pytest.approx(362.0, abs=0.5)
    assert max(recruited) == pytest.approx(200 - 2 + 2210 / (2 * 362), rel=1e-9)


def test_ratio_counts_two_copies_of_a_healthy_cell():
    model = cml_immune_window()
    put = dict(zip(model.states, (0, 2e5, 100), strict=True)) | {model.symbol("Ky"): 1e6}
    assert float(model.observables["ratio"].subs(put)) == pytest.approx(100 * 2 / (2 + 2 * 8))


def test_half_dose_is_half_the_kill():
    solution = solve(Problem(cml_immune_window(), t_span=(0, 3)).at_constant(u=0.5))
    full = solve(Problem(cml_immune_window(), t_span=(0, 3)).replace(parameters={"eTKI": 13.9 / 2}).at_constant(u=1))
    np.testing.assert_allclose(solution["Y"], full["Y"], rtol=1e-5)
