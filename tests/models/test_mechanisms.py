"""The family of six mechanisms of resistance: closed forms, and how its members contain each other."""

import numpy as np
import pytest
from scipy.integrate import quad

from remission.models import ModelError, resistance_mechanisms
from remission.solvers import Problem, Treatment, sample, solve

NAMES = (
    "none", "pre-existing", "random", "random and pre-existing", "induced", "induced and pre-existing",
)  # fmt: skip
WEEKLY = Treatment.bolus({"D": 5}, every=7, times=6)
GAM = np.log(2) / 4.75


def problem(mechanism, **parameters):
    found = Problem(resistance_mechanisms(mechanism), t_span=(0, 40), treatment=WEEKLY, rtol=1e-10, atol=1e-10)
    return found.replace(parameters=parameters)


def drug(t):
    """Concentration right after what is given at t."""
    given = np.arange(0, 42, 7)[:6]
    return 5 * np.sum(np.exp(-GAM * (t - given[given <= t])))


def exposure(t):
    given = np.arange(0, 42, 7)[:6]
    past = given[given <= t]
    return 5 / GAM * np.sum(1 - np.exp(-GAM * (t - past)))


def test_half_life_of_the_antibody():
    assert resistance_mechanisms().symbol("gam").info.value == pytest.approx(GAM, rel=1e-15)
    assert sample(problem("none"), [4.75], ["D"]).values[0, 0] == pytest.approx(2.5, rel=1e-8)


@pytest.mark.parametrize("mechanism", NAMES)
def test_sensitive_cells_have_a_closed_form(mechanism):
    run = problem(mechanism)
    p = run.parameters
    g = p.get("g", 0.0)
    start = p["V0"] * (1 - p.get("f_R", 0.0))
    for t in (5.0, 20.0, 40.0):
        by_drug = g if mechanism.startswith("induced") else 0.0
        rate = p["r_S"] - (g if mechanism.startswith("random") else 0.0)
        wanted = start * np.exp(rate * t - (p["lam_S"] + by_drug) * exposure(t))
        assert sample(run, [t], ["S"]).values[0, 0] == pytest.approx(wanted, rel=1e-7)


@pytest.mark.parametrize("mechanism", NAMES[1:])
def test_resistant_cells_by_quadrature(mechanism):
    """Variation of constants: what was there, and what turned resistant and grew since."""
    run = problem(mechanism)
    p, t = run.parameters, 30.0
    solution = solve(run)

    def grown(s):
        return np.exp(p["r_R"] * (t - s) - p["lam_R"] * (exposure(t) - exposure(s)))

    wanted = p["V0"] * p.get("f_R", 0.0) * grown(0.0)
    if "g" in p:
        for a, b in zip((0, 7, 14, 21, 28), (7, 14, 21, 28, 30), strict=True):
            concentration = drug if mechanism.startswith("induced") else lambda s: 1.0
            wanted += quad(lambda s, c=concentration: p["g"] * c(s) * solution.at(s, "S") * grown(s), a, b)[0]
    assert solution.at(t, "R") == pytest.approx(wanted, rel=1e-5)


def test_members_contain_each_other():
    whole = problem("induced and pre-existing", f_R=0.0)
    np.testing.assert_allclose(solve(whole)["burden"], solve(problem("induced"))["burden"], rtol=1e-9)
    nothing = problem("random and pre-existing", g=0.0)
    np.testing.assert_allclose(solve(nothing)["burden"], solve(problem("pre-existing"))["burden"], rtol=1e-9)
    np.testing.assert_allclose(
        solve(problem("pre-existing", f_R=0.0))["burden"], solve(problem("none"))["burden"], rtol=1e-9
    )


@pytest.mark.parametrize("mechanism", NAMES[1:])
def test_every_mechanism_can_regress_and_regrow(mechanism):
    """One dose level does not tell them apart: all five fall below the start and come back."""
    early = {"f_R": 0.05} if "pre" in mechanism else {}
    run = problem(mechanism, **early).replace(
        t_span=(0, 150), treatment=Treatment.bolus({"D": 5}, every=7, times=21), rtol=1e-8
    )
    volume = solve(run)["burden"]
    assert volume.min() < 0.8 * volume[0]
    assert volume[-1] > 2 * volume.min()


def test_refusal_names_the_nearest():
    with pytest.raises(ModelError, match="pre-existing"):
        resistance_mechanisms("preexisting")
