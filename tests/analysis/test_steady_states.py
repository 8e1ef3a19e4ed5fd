"""Steady states of published models, continua, conserved totals, and what is refused."""

import pickle

import numpy as np
import pytest

from remission.analysis import steady_states
from remission.models import Input, Model, Parameter, ProblemError, State, sensitive_resistant
from remission.solvers import Problem, Treatment


def kuznetsov():
    """Kuznetsov et al. (1994), scaled."""
    values = {
        "sigma": 0.1181,
        "rho": 1.131,
        "eta": 20.19,
        "mu": 0.00311,
        "delta": 0.3743,
        "alpha": 1.636,
        "beta": 0.002,
    }
    k = {name: Parameter(name, value) for name, value in values.items()}
    x = State("x", 0.32, kind="immune", bounds=(0, 10))
    y = State("y", 5.0, bounds=(0, 1 / k["beta"]))
    rates = {
        x: k["sigma"] + k["rho"] * x * y / (k["eta"] + y) - k["mu"] * x * y - k["delta"] * x,
        y: k["alpha"] * y * (1 - k["beta"] * y) - x * y,
    }
    return Model("kuznetsov", rates=rates, time_unit="1")


def test_tumour_and_effector_cells():
    """Kuznetsov et al. (1994): tumour-free saddle, dormant spiral, separatrix saddle, large node.

    The dormant x follows from y as alpha (1 - beta y) = 1.609203.
    """
    found = steady_states(Problem(kuznetsov()))
    wanted = [
        (0.315522, 0, "unstable", (1.320478, -0.3743)),
        (1.609203, 8.189707, "stable", (-0.050094 + 0.576297j, -0.050094 - 0.576297j)),
        (0.759765, 267.798, "unstable", (0.324779, -1.356456)),
        (0.172977, 447.1342, "stable", (-0.452678, -1.693095)),
    ]
    assert len(found) == 4
    for state, (x, y, stability, eigenvalues) in zip(found, wanted, strict=True):
        assert state["x"] == pytest.approx(x, abs=6e-7)
        assert state["y"] == pytest.approx(y, abs=6e-4 if y > 200 else 6e-7)
        assert state.stability == stability
        np.testing.assert_allclose(state.eigenvalues, eigenvalues, atol=6e-7)
        assert state.residual < 1e-14


@pytest.mark.parametrize(
    ("sigma", "sizes"), [(0.1937, 4), (0.1938, 2), (0.612, 2), (0.613, 1)]
)  # folds at 0.193777, transcritical at 0.612355
def test_number_of_states_changes_at_the_published_folds(sigma, sizes):
    assert len(steady_states(Problem(kuznetsov(), parameters={"sigma": sigma}))) == sizes


@pytest.mark.parametrize(("delta", "wanted"), [(0.012, "0 400 1000"), (0.014, "0 ... 1000"), (0.005, "0 750 1000")])
def test_competition_window(delta, wanted):
    """S-only is stable while delta < r (1 - 1/c) = 0.01333; R-only always; bistable between (mixed saddle)."""
    r, K, c, d = Parameter("r", 0.02), Parameter("K", 1000.0), Parameter("c", 3.0), Parameter("delta", delta)
    S, R = State("S", 800.0, bounds=(0, K)), State("R", 190.0, bounds=(0, K))
    model = Model("window", rates={S: r * S * (1 - (S + R) / K) - d * S, R: r * R * (1 - (c * S + R) / K)})
    found = {(round(s["S"], 6), round(s["R"], 6)): s.stability for s in steady_states(Problem(model))}
    alone = 1000 * (1 - delta / 0.02)
    expected = {
        (0, 0): "unstable",
        (round(alone, 6), 0): "stable" if delta < 0.0133333 else "unstable",
        (0, 1000): "stable",
    }
    if delta < 0.0133333:  # 1 - delta/r = (S + R)/K and c S + R = K
        S_mixed = 1000 * (delta / 0.02) / 2
        expected[round(S_mixed, 6), round(1000 - 3 * S_mixed, 6)] = "unstable"
    assert found == expected


def test_normal_tumour_and_immune_cells():
    """de Pillis and Radunskaya (2003), five states."""
    N = State("N", 1.0, kind="other", bounds=(0, 2))
    T, I = State("T", 0.25, bounds=(0, 2)), State("I", 0.15, kind="immune", bounds=(0, 3))
    k = {n: Parameter(n, v) for n, v in {"r1": 1.5, "c2": 0.5, "d1": 0.2, "s": 0.33, "rho": 0.01, "alpha": 0.3}.items()}
    rates = {
        N: N * (1 - N) - T * N,
        T: k["r1"] * T * (1 - T) - k["c2"] * I * T - T * N,
        I: k["s"] + k["rho"] * I * T / (k["alpha"] + T) - I * T - k["d1"] * I,
    }
    found = steady_states(Problem(Model("immune", rates=rates)))
    table = [([s["N"], s["T"], s["I"]], s.stability) for s in found]
    wanted = [
        ([0, 0, 1.65], "unstable"),
        ([1, 0, 1.65], "stable"),
        ([0.763197, 0.236803, 0.763197], "unstable"),
        ([0.435204, 0.564796, 0.435204], "stable"),
        ([0, 0.899244, 0.302268], "unstable"),
    ]
    assert [s for _, s in table] == [s for _, s in wanted]
    np.testing.assert_allclose([v for v, _ in table], [v for v, _ in wanted], atol=6e-7)
    np.testing.assert_allclose(found[1].eigenvalues, [-0.2, -0.325, -1], atol=1e-12)
    assert found[2].eigenvalues[0].real == pytest.approx(0.0515, abs=1e-4)


def test_one_niche_at_full_dose():
    """Strobl et al.: S dies at full dose, R alone rests at 1 - turnover; S alone has no room at u = 1."""
    daily = Problem(sensitive_resistant(), treatment=Treatment.constant({"u": 1.0}))
    found = steady_states(daily, box={"S": (0, 1), "R": (0, 1)})
    table = [(round(s["S"], 9), round(s["R"], 9), s.stability) for s in found]
    assert (0, 0, "unstable") in table
    assert (0, 0.75, "stable") in table
    assert found.box_from == "argument" or "argument" in found.box_from


def test_without_a_cost_both_clones_share_the_niche_in_any_proportion():
    """At u = 0 and cost = 0 every (S, R) with S + R = 1 - turnover rests: one family, attracting but undecided."""
    found = steady_states(Problem(sensitive_resistant()), box={"S": (0, 1), "R": (0, 1)})
    families = [s for s in found if s.family]
    assert len(families) == 1
    assert families[0]["S"] + families[0]["R"] == pytest.approx(0.75, abs=1e-12)
    assert families[0].stability == "undecided"
    assert [(s["S"], s["R"], s.stability) for s in found if not s.family] == [(0, 0, "unstable")]


def test_a_line_of_rest_points():
    """S' = -a S R, R' = a S R - d R - S R^2: without R every S rests."""
    S, R = State("S", 0.5, bounds=(0, 1)), State("R", 0.1, bounds=(0, 1))
    a, d = Parameter("a", 0.4), Parameter("d", 1.0)
    model = Model("line", rates={S: -a * S * R, R: a * S * R - d * R - S * R**2})
    (only,) = steady_states(Problem(model))
    assert only.family
    assert only["R"] == 0


def test_a_conserved_total_is_kept():
    """S <-> R at rates k and l: S + R stays, the ratio is l / k, one eigenvalue -(k + l) is left."""
    S, R = State("S", 2.0, bounds=(0, 5)), State("R", 1.0, bounds=(0, 5))
    k, l = Parameter("k", 0.3), Parameter("l", 0.1)
    model = Model("switching", transfers={(S, R): k * S, (R, S): l * R})
    (only,) = steady_states(Problem(model))
    assert (only["S"], only["R"]) == pytest.approx((0.75, 2.25), rel=1e-12)
    np.testing.assert_allclose(only.eigenvalues, [-0.4])
    assert only.stability == "stable"
    assert not only.family
    (other,) = steady_states(Problem(model, initial={"S": 3.0}))
    assert other["R"] == pytest.approx(3.0, rel=1e-12)


def test_a_constant_state_is_a_conserved_total():
    S, R = State("S", 0.3, bounds=(0, 1)), State("R", 0.1, bounds=(0, 1))
    model = Model("still", rates={S: 0, R: R * (1 - R - S)})
    found = steady_states(Problem(model))
    assert [(s["S"], round(s["R"], 12)) for s in found] == [(0.3, 0.0), (0.3, 0.7)]
    assert not any(s.family for s in found)


def test_cells_in_billions_are_no_harder():
    """The same model counted in cells: states scale, stability and eigenvalues do not."""
    values = {"s": 1.3e4, "p": 0.1245, "g": 2.019e7, "m": 3.422e-10, "d": 0.0412, "a": 0.18, "b": 2e-9, "n": 1.101e-7}
    k = {name: Parameter(name, value) for name, value in values.items()}
    E, T = State("E", 3.2e5, kind="immune", bounds=(0, 1e7)), State("T", 5e6, bounds=(0, 1 / k["b"]))
    rates = {
        E: k["s"] + k["p"] * E * T / (k["g"] + T) - k["m"] * E * T - k["d"] * E,
        T: k["a"] * T * (1 - k["b"] * T) - k["n"] * E * T,
    }
    found = steady_states(Problem(Model("cells", rates=rates)))
    wanted = [(3.15534e5, 0), (1.60811e6, 8.186382e6), (7.58509e5, 2.680227e8), (1.73213e5, 4.470258e8)]
    np.testing.assert_allclose([(s["E"], s["T"]) for s in found], wanted, rtol=3e-6)
    assert [s.stability for s in found] == ["unstable", "stable", "unstable", "stable"]


def test_the_result_is_a_repeatable_value():
    problem = Problem(kuznetsov())
    one, other = steady_states(problem), steady_states(problem)
    assert [s.values for s in one] == [s.values for s in other]
    assert [s.values for s in pickle.loads(pickle.dumps(one))] == [s.values for s in one]
    assert len(one.stable) == 2
    assert "separatrix" not in str(one)
    assert str(one).count("\n") == 5
    with pytest.raises(ProblemError, match="there is: x, y"):
        one[0]["burden"]


def test_refusals():
    problem = Problem(sensitive_resistant()).at_constant(u=1.0)  # above capacity the drug feeds the tumour
    with pytest.raises(ProblemError, match=r"no bounds of S, R.*S could grow.*box="):
        steady_states(problem)
    with pytest.raises(ProblemError, match="no bounds of R"):
        steady_states(problem, box={"S": (0, 1)})
    with pytest.raises(ProblemError, match="finite"):
        steady_states(problem, box={"S": (0, 1), "R": (0, np.inf)})
    with pytest.raises(ProblemError, match="box names 'T'"):
        steady_states(problem, box={"T": (0, 1)})
    box = {"S": (0, 1), "R": (0, 1)}
    for treatment in (
        Treatment.intermittent({"u": 1}, on=7, off=7),
        Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1),
    ):
        with pytest.raises(ProblemError, match="at_constant"):
            steady_states(problem.replace(treatment=treatment), box=box)
    from remission.models import t

    S, u = State("S", 1.0, bounds=(0, 2)), Input("u")
    with pytest.raises(ProblemError, match="time appears in the equation of S"):
        steady_states(Problem(Model("seasons", rates={S: S * (1 - S) * t - u * S})))
