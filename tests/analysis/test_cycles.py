"""Branches of cycles against closed forms, published numbers, long integrations and the theory at Hopf points."""

import pickle

import numpy as np
import pytest
import sympy as sp

from remission.analysis import continue_branches, continue_cycles, plot
from remission.analysis.cycles.collocation import basis_of
from remission.analysis.cycles.multipliers import multipliers_of
from remission.analysis.plots import plot_multipliers, plot_orbit, plot_periods
from remission.models import Model, Parameter, State, kirschner_panetta, kuznetsov
from remission.models.errors import KeywordError, ProblemError
from remission.solvers import Problem, solve

CELLS = {"E": (0, 1e9), "T": (0, 1e9), "I": (0, 1e9)}


def free(name):
    return State(name, 0.0, kind="other", positive=False)


def planar(mu, rates):
    """Branches of cycles of a plane model with a Hopf point at the origin."""
    x, y = free("x"), free("y")
    model = Model("planar", rates=dict(zip((x, y), rates(x, y), strict=True)))
    return continue_cycles(continue_branches(Problem(model), mu.name, (-0.5, 6.0), start={"x": 0, "y": 0}))


def turning(growth):
    """r' = r growth(r^2), theta' = 1."""
    mu = Parameter("mu", -0.5)
    return planar(mu, lambda x, y: (x * growth(mu, x**2 + y**2) - y, y * growth(mu, x**2 + y**2) + x))


@pytest.fixture(scope="module")
def relapses():
    steady = continue_branches(Problem(kirschner_panetta()), "c", (0.02, 0.05), box=CELLS)
    return continue_cycles(steady)


def test_supercritical_normal_form():
    """r' = r (mu - r^2): radius sqrt(mu), period 2 pi, multiplier exp(-4 pi mu)."""
    (branch,) = turning(lambda mu, r2: mu - r2)
    for mu in (0.01, 0.25, 1.0, 2.0):
        (cycle,) = branch.at(mu)
        np.testing.assert_allclose(np.hypot(cycle["x"], cycle["y"]), np.sqrt(mu), rtol=1e-9)
        assert cycle.period == pytest.approx(2 * np.pi, rel=1e-12)
        assert cycle.others[0] == pytest.approx(np.exp(-4 * np.pi * mu), rel=1e-6)
        assert cycle.stable
        assert cycle.residual < 1e-8
    assert cycle.max("x") == pytest.approx(np.sqrt(2.0), rel=1e-7) == -cycle.min("x")
    assert cycle.mean("x") == pytest.approx(0, abs=1e-9)
    assert branch.end == "limit of the parameter"
    assert branch.values[-1] == pytest.approx(6.0, rel=1e-12)


def test_fold_of_cycles():
    """r' = r (mu + r^2 - r^4): unstable cycles from mu = 0 down to the fold at mu = -1/4, r^2 = 1/2, stable ones up."""
    found = turning(lambda mu, r2: mu + r2 - r2**2)
    (fold,) = found.of_kind("fold of cycles")
    assert fold.value == pytest.approx(-0.25, abs=1e-10)
    assert fold.period == pytest.approx(2 * np.pi, rel=1e-10)
    np.testing.assert_allclose(fold.orbit["x"] ** 2 + fold.orbit["y"] ** 2, 0.5, rtol=1e-6)
    np.testing.assert_allclose(fold.orbit.multipliers, 1.0, atol=1e-4)
    assert fold.orbit.stability == "undecided" or abs(fold.orbit.others[0] - 1) < 1e-4
    outer, inner = sorted(found.at(-0.1), key=lambda o: o.stable, reverse=True)
    for cycle, r2 in ((outer, (1 + np.sqrt(0.6)) / 2), (inner, (1 - np.sqrt(0.6)) / 2)):
        np.testing.assert_allclose(np.hypot(cycle["x"], cycle["y"]) ** 2, r2, rtol=1e-8)
        assert cycle.others[0] == pytest.approx(np.exp(2 * np.pi * (2 * r2 - 4 * r2**2)), rel=1e-6)
    assert outer.stability == "stable"
    assert inner.stability == "unstable"
    assert "fold of cycles at mu = -0.25" in str(found)


def test_van_der_pol():
    """x'' - (mu - x^2) x' + x = 0 at mu = 1 is van der Pol's own: period 6.6632868593231301."""
    mu = Parameter("mu", -0.5)
    (branch,) = planar(mu, lambda x, y: (y, (mu - x**2) * y - x))
    (cycle,) = branch.at(1.0)
    assert cycle.period == pytest.approx(6.6632868593231301, rel=1e-11)
    assert cycle.max("x") == pytest.approx(2.008619860874843, rel=1e-6)
    # Liouville: the product of the multipliers is exp of the integral of the trace, mu - x^2
    trace = cycle.period * (1 - cycle.weights @ cycle["x"] ** 2)
    assert np.prod(cycle.multipliers).real == pytest.approx(np.exp(trace), rel=1e-6)


def test_kirschner_panetta_cycles(relapses):
    """Period 107.05 d and tumour 2.19e3 to 6.88e4 at c = 0.03; 150.7 d and 19 to 1.66e5 at c = 0.025."""
    (branch,) = relapses
    assert branch.origin.value == pytest.approx(0.0324644, abs=5e-8)
    assert branch.periods[0] == pytest.approx(93.70, abs=0.005)
    for c, period, low, high in ((0.03, 107.05, 2.19e3, 6.88e4), (0.025, 150.7, 19, 1.66e5)):
        (cycle,) = branch.at(c)
        assert cycle.period == pytest.approx(period, abs=0.05)
        assert cycle.min("T") == pytest.approx(low, rel=3e-3)
        assert cycle.max("T") == pytest.approx(high, rel=3e-3)
        assert cycle.stable
        assert cycle.residual < 1e-6
    assert branch.stable.all()
    assert not relapses.points
    assert len(branch) < 80


@pytest.mark.parametrize("method", ["Rodas5P", "Radau"])
def test_a_cycle_is_what_two_integrators_make_of_it(relapses, method):
    (cycle,) = relapses.at(0.025)
    problem = cycle.problem.replace(rtol=1e-10, atol=1e-8, t_span=(0, 2 * cycle.period))
    solution = solve(problem, method, t_eval=np.concatenate([cycle.t, cycle.period + cycle.t[1:]]))
    twice = np.concatenate([cycle["T"], cycle["T"][1:]])
    np.testing.assert_allclose(solution["T"], twice, rtol=1e-6)


def test_multipliers_are_those_of_carried_sensitivities(relapses):
    (cycle,) = relapses.at(0.03)
    names = cycle.problem.system.states
    problem = cycle.problem.replace(rtol=1e-11, atol=1e-9)
    solution = solve(problem, t_eval=[cycle.period], sensitivities=[f"{s}(0)" for s in names])
    monodromy = np.array([[solution.sensitivity(a, f"{b}(0)")[-1] for b in names] for a in names])
    values = np.linalg.eigvals(monodromy)
    values = values[np.argsort(-np.abs(values))]
    np.testing.assert_allclose(values[:2], cycle.multipliers[:2], rtol=1e-6)


def test_amplitude_near_the_hopf_point_follows_its_normal_form(relapses):
    """|w|^2 = -crossing (c - c0) / (omega l1), x = x0 + 2 Re(q w): the half swing of T is 2 |q_T| |w|."""
    (branch,) = relapses
    point, problem = branch.origin, branch.problem
    l1, crossing = point.coefficients["l1"], point.coefficients["crossing"]
    at = problem.replace(parameters={"c": point.value})
    y = np.array([point.values[name] for name in problem.system.states])
    jacobian = np.asarray(at.system.jac(0.0, y, at.p, np.array(list(at.inputs().values()))), dtype=float)
    values, vectors = np.linalg.eig(jacobian)
    q = vectors[:, np.argmax(values.imag)]
    ratios = []
    for below in (1e-4, 1e-5):
        (cycle,) = branch.at(point.value * (1 - below))
        size = np.sqrt(crossing * point.value * below / (point.frequency * l1))
        ratios.append((cycle.max("T") - cycle.min("T")) / 2 / (2 * abs(q[1]) * size))
    assert abs(ratios[1] - 1) < 1e-3
    assert abs(ratios[1] - 1) < 0.2 * abs(ratios[0] - 1)


def test_logarithms_and_states_give_the_same_orbits(relapses):
    (cycle,) = continue_cycles(relapses.steady, (0.028, 0.05), logarithms=False).at(0.029)
    (other,) = relapses.at(0.029)
    assert cycle.period == pytest.approx(other.period, rel=1e-8)
    assert cycle.min("T") == pytest.approx(other.min("T"), rel=1e-4)
    assert cycle.others[0] == pytest.approx(other.others[0], rel=1e-5)


def stirred_reactor(p2):
    """AUTO's demo `ab`, p3 = 3."""
    u1, u2 = free("u1"), free("u2")
    p1, b, p3 = Parameter("p1", 0.0), Parameter("p2", p2), Parameter("p3", 3.0)
    made = p1 * (1 - u1) * sp.exp(u2)
    problem = Problem(Model("ab", rates={u1: -u1 + made, u2: -u2 + b * made - p3 * u2}))
    return continue_branches(problem, "p1", (0, 0.4), start={"u1": 0, "u2": 0})


def test_a_branch_joins_two_hopf_points():
    found = continue_cycles(stirred_reactor(14))
    (branch,) = found
    assert branch.end.startswith("Hopf point at p1 = 0.336550")
    (fold,) = found.of_kind("fold of cycles")
    assert fold.located
    assert fold.value == pytest.approx(0.16169613, abs=1e-8)
    fixed = continue_cycles(found.steady, ntst=100).of_kind("fold of cycles")[0]
    assert fold.value == pytest.approx(fixed.value, rel=1e-9)
    stable, unstable = sorted(found.at(0.163), key=lambda o: -o.max("u2"))
    assert stable.stability == "stable"
    assert unstable.stability == "unstable"


def test_a_branch_that_meets_a_saddle_ends_with_a_long_period():
    branches = continue_cycles(stirred_reactor(17))
    assert any("period grows" in b.end or "no longer resolves" in b.end for b in branches)
    assert all(np.max(b.residuals) < 1e-2 for b in branches)


def test_lorenz_cycles_end_in_the_homoclinic_orbit():
    """Subcritical Hopf point at s (s + b + 3) / (s - b - 1) = 470/19; the saddle's loop at r = 13.926557."""
    x, y, z, r = free("x"), free("y"), free("z"), Parameter("r", 5.0)
    model = Model("lorenz", rates={x: 10 * (y - x), y: r * x - y - x * z, z: x * y - sp.Rational(8, 3) * z})
    rest = {"x": np.sqrt(32 / 3), "y": np.sqrt(32 / 3), "z": 4.0}
    (branch,) = continue_cycles(continue_branches(Problem(model), "r", (2, 40), start=rest))
    assert branch.values[0] == pytest.approx(470 / 19, rel=1e-12)
    assert branch.values[-1] == pytest.approx(13.926557, abs=2e-6)
    assert branch.periods[-1] > 10 * branch.periods[0]
    assert "period grows" in branch.end
    assert not branch.stable[1:].any()


def test_a_torus_is_told_where_two_multipliers_cross_the_circle():
    """r' = (z - b) r, z' = c + a z - z^3/3 - r^2, turning at rate d: the pair has modulus 1 at b^2 = a."""
    x, y, z, b = free("x"), free("y"), free("z"), Parameter("b", 2.2)
    a, c, d = 0.5, 0.6, 3.5
    model = Model("langford", rates={
        x: (z - b) * x - d * y, y: d * x + (z - b) * y, z: c + a * z - z**3 / 3 - x**2 - y**2,
    })  # fmt: skip
    rest = float(max(np.roots([-1 / 3, 0, a, c]).real))
    found = continue_cycles(continue_branches(Problem(model), "b", (0.1, 2.5), start={"x": 0, "y": 0, "z": rest}))
    (torus,) = found.of_kind("torus")
    assert torus.value == pytest.approx(np.sqrt(a), rel=1e-7)
    assert torus.period == pytest.approx(2 * np.pi / d, rel=1e-9)
    (cycle,) = found.at(1.0)
    r2 = c + a - 1 / 3
    pair = np.linalg.eigvals([[0, np.sqrt(r2)], [-2 * np.sqrt(r2), a - 1]])
    np.testing.assert_allclose(np.sort_complex(cycle.others), np.sort_complex(np.exp(pair * 2 * np.pi / d)), rtol=1e-8)


def test_a_branch_point_is_told_where_another_cycle_crosses():
    """z' = z (mu - 1 - z^2) beside the normal form: at mu = 1 the multiplier of z is 1."""
    x, y, z, mu = free("x"), free("y"), free("z"), Parameter("mu", -0.5)
    grows = mu - x**2 - y**2
    model = Model("pitchfork", rates={x: x * grows - y, y: y * grows + x, z: z * (mu - 1 - z**2)})
    steady = continue_branches(Problem(model), "mu", (-0.5, 2.0), start={"x": 0, "y": 0, "z": 0})
    (point,) = continue_cycles(steady).points
    assert (point.kind, round(point.value, 7)) == ("branch point", 1.0)


def test_period_doubling_of_roessler():
    """Where -1 is a multiplier of sensitivities carried by the integrator, too."""
    x, y, z, a = free("x"), free("y"), free("z"), Parameter("a", 0.0)
    model = Model("roessler", rates={x: -y - z, y: x + a * y, z: 2 + z * (x - 4)})
    steady = continue_branches(Problem(model), "a", (0.0, 0.36), start={"x": 0.5, "y": -0.5, "z": 0.5})
    (point,) = continue_cycles(steady).of_kind("period doubling")
    orbit = point.orbit
    assert np.min(np.abs(orbit.multipliers + 1)) < 1e-6
    names = orbit.problem.system.states
    run = solve(
        orbit.problem.replace(rtol=1e-11, atol=1e-11), t_eval=[orbit.period], sensitivities=[f"{s}(0)" for s in names]
    )
    monodromy = np.array([[run.sensitivity(i, f"{j}(0)")[-1] for j in names] for i in names])
    assert np.min(np.abs(np.linalg.eigvals(monodromy) + 1)) < 1e-5


def test_an_input_is_followed_as_well(relapses):
    """Effector cells given (s1) still the relapses of c = 0.03; at s1 = 0 they are those of the branch over c."""
    problem = Problem(kirschner_panetta(), parameters={"c": 0.03}).at_constant(s1=0.0)
    found = continue_cycles(continue_branches(problem, "s1", (0.0, 500.0), box=CELLS))
    (cycle,) = found.at(1e-9)
    (other,) = relapses.at(0.03)
    assert cycle.period == pytest.approx(other.period, rel=1e-9)
    assert cycle.max("s1") == pytest.approx(1e-9)


def test_multipliers_far_apart_keep_their_digits():
    rng = np.random.default_rng(3)
    wanted = np.array([1e20, 1.0, 1e-20])
    turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    steps = np.stack([turned @ np.diag(wanted**0.1) @ turned.T] * 10)
    values, error = multipliers_of(steps)
    np.testing.assert_allclose(values.real, wanted, rtol=1e-9)
    assert error < 1e-9
    angle = np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    np.testing.assert_allclose(np.abs(multipliers_of(0.5 * angle[None])[0]), 0.5, rtol=1e-14)


@pytest.mark.parametrize("m", [2, 4, 6])
def test_basis(m):
    basis = basis_of(m)
    np.testing.assert_allclose(basis.values @ basis.nodes**m, basis.gauss**m, atol=1e-12)
    np.testing.assert_allclose(basis.slopes @ basis.nodes**m, m * basis.gauss ** (m - 1), atol=1e-11)
    assert basis.mean @ basis.nodes**m == pytest.approx(1 / (m + 1), rel=1e-12)


def test_results_print_pickle_and_export(relapses):
    (branch,) = relapses
    again = pickle.loads(pickle.dumps(relapses))
    assert again.at(0.03)[0].period == pytest.approx(relapses.at(0.03)[0].period, rel=1e-12)
    table = branch.to_pandas()
    assert {"c", "period", "T min", "T max", "burden mean", "stable"} <= set(table.columns)
    assert len(table) == len(branch) == len(relapses.to_pandas())
    cycle = branch[len(branch) // 2]
    assert cycle.value == branch.values[len(branch) // 2]
    assert "cycle of kirschner_panetta at c" in str(cycle)
    assert "period" in repr(cycle)
    assert set(cycle.to_pandas().columns) == {"t", "E", "T", "I", "burden", "s1", "s2"}
    np.testing.assert_array_equal(cycle["burden"], cycle["T"])
    assert "from the Hopf point at c = 0.03246" in str(relapses)


def test_figures(relapses):
    ax = plot(relapses, scale="log", name="E")
    assert ax.get_ylim()[0] < relapses[0].min("E").min()
    assert ax.get_yscale() == "log"
    assert "effector" in ax.get_ylabel()
    assert len(ax.texts) == 1
    assert "period" in plot_periods(relapses).get_ylabel()
    cycle = relapses.at(0.025)[0]
    assert plot(cycle, names=["T"]).get_xlim()[1] == pytest.approx(2 * cycle.period)
    assert plot_orbit(cycle, plane=True, names=["E", "T"], scale="log").get_xscale() == "log"
    assert plot_multipliers(cycle).get_legend_handles_labels()[1][0] == "inside"
    with pytest.raises(ProblemError, match="two names"):
        plot(cycle, plane=True, names=["T"])


def test_what_cannot_be_done_is_said(relapses):
    none = continue_branches(Problem(kuznetsov(scaled=True)), "sigma", (0, 0.8), box={"E": (0, 50), "T": (0, 1000)})
    with pytest.raises(ProblemError, match="no Hopf point"):
        continue_cycles(none)
    with pytest.raises(ProblemError, match="hopf=point"):
        continue_cycles(relapses[0].origin)
    with pytest.raises(ProblemError, match="outside the span"):
        continue_cycles(relapses.steady, (0.01, 0.02))
    with pytest.raises(KeywordError, match="ntst"):
        continue_cycles(relapses.steady, nstt=20)
    with pytest.raises(ProblemError, match="did you mean"):
        relapses[0].max("Tu")
    assert relapses.at(0.04) == []


def test_a_conserved_total_is_left_out_and_comes_back():
    """Cells that change between two forms, in the rhythm of a cycle: their sum stays, and is no multiplier."""
    x, y, mu = free("x"), free("y"), Parameter("mu", -0.5)
    A, B = State("A", 0.7, kind="other"), State("B", 0.3, kind="other")
    grows = mu - x**2 - y**2
    there = Parameter("k", 0.4) * (1 + x**2) * A
    model = Model("switching", rates={x: x * grows - y, y: y * grows + x}, transfers={(A, B): there, (B, A): 0.6 * B})
    steady = continue_branches(Problem(model), "mu", (-0.5, 1.0), start={"x": 0, "y": 0, "A": 0.6, "B": 0.4})
    (cycle,) = continue_cycles(steady).at(0.25)
    np.testing.assert_allclose(cycle["A"] + cycle["B"], 1.0, rtol=1e-12)
    assert len(cycle.multipliers) == 3
    run = solve(cycle.problem.replace(rtol=1e-10, atol=1e-12), t_eval=cycle.t)
    np.testing.assert_allclose(run["A"], cycle["A"], rtol=1e-6)
    assert cycle.mean("B") == pytest.approx(1 - cycle.mean("A"), rel=1e-12)
