"""Our model family: limits of one model in another, what each option does, and sane runs over the plausible range."""

import functools

import numpy as np
import pytest
import sympy as sp

from remission import models
from remission.models import KeywordError, ModelError, derive
from remission.solvers import Problem, Treatment, kernels, sample


def plain(expression):
    """Letters as bare names, so that models may be compared whose letters differ in unit or default."""
    return sp.sympify(expression).xreplace({s: sp.Symbol(s.name) for s in sp.sympify(expression).free_symbols})


def same(left, right, **put):
    """Whether two expressions agree once the names in `put` are replaced in the first."""
    swap = {sp.Symbol(name): sp.sympify(value) for name, value in put.items()}
    return sp.simplify(plain(left).subs(swap) - plain(right)) == 0


def equation(model, name):
    return model.equations[model.symbol(name)]


# --- clones and inflammation ------------------------------------------------------------------------------------------


def test_without_clones_it_is_the_paracrine_loop():
    """m = 0 and A = R = 0 in clonal_inflammation: every equation of paracrine_loop, r = b_S - d_S, kap = kap_S."""
    both, loop = models.clonal_inflammation(), models.paracrine_loop()
    r, kap, T = sp.symbols("r kap T")
    put = {"p_on": 0, "p_off": 0, "A": 0, "R": 0, "u": 0, "b_S": r + sp.Symbol("d_S"), "kap_S": kap, "S": T}
    assert same(equation(both, "S"), equation(loop, "T"), **put)
    assert plain(equation(both, "A")).subs({sp.Symbol(k): v for k, v in put.items()}) == 0
    for name in "FXMP":
        assert same(equation(both, name), equation(loop, name), **put)


def test_without_shelter_and_natural_death_it_is_oncogene_withdrawal():
    """rho = da = 0 in clonal_inflammation: the clones of oncogene_withdrawal with u = e; so too with e = da = 0."""
    both, clones = models.clonal_inflammation(), models.oncogene_withdrawal()
    u = sp.Symbol("u")
    for name in "SAR":
        assert same(equation(both, name), equation(clones, name).xreplace({clones.symbol("u"): sp.Symbol("e")}),
                    rho=0, da=0, u=0)  # fmt: skip
        off = {f"off_{clone}": sp.Symbol(f"kap_{clone}") for clone in "SAR"}
        assert same(equation(both, name), equation(clones, name), e=0, da=0, u=u, **off)


@pytest.mark.optional
def test_the_limits_are_met_by_trajectories():
    """The same two limits by numbers, solved as different problems; units differ by a million."""
    pytest.importorskip("llvmlite")
    both = Problem(models.clonal_inflammation(), t_span=(0, 60), rtol=1e-10, atol=1e-13)
    loop = Problem(models.paracrine_loop(), t_span=(0, 60), rtol=1e-10, atol=1e-13).at_constant(e=0.6, B=10)
    start = {"S": 100, "X": 10}
    values = {"p_on": 0, "p_off": 0, "b_S": 0.5, "d_S": 0.35, "kap_S": 0.3, "rho": 0.8}
    found = sample(both.at_constant(e=0.6, B=10).replace(parameters=values, initial=start), [14, 60], ["S", "P"])
    np.testing.assert_allclose(found.values, sample(loop, [14, 60], ["T", "P"]).values, rtol=1e-8)
    clones = Problem(models.oncogene_withdrawal(), t_span=(0, 60), rtol=1e-10, atol=1e-9).at_constant(u=1, cin=1)
    cells = {"S": 5e7, "A": 4e7, "R": 100.0}
    wanted = sample(clones.replace(initial=cells), [14, 60], ["S", "A", "R"]).values
    values = {"rho": 0, "da": 0, "d_R": 0.15, "kap_S": 0.55, "kap_A": 0.42, "kap_R": 0.07}
    unit = both.at_constant(e=1, cin=1).replace(parameters=values, initial={k: v / 1e6 for k, v in cells.items()})
    np.testing.assert_allclose(sample(unit, [14, 60], ["S", "A", "R"]).values * 1e6, wanted, rtol=1e-8)


def test_it_is_composed_of_the_signals():
    """The four signal equations are those of the module, with the clones in place of the input."""
    both, signals = models.clonal_inflammation(), models.inflammation_signals()
    released = plain(both.observables["releasing"])
    for name in "FXMP":
        assert same(equation(signals, name), equation(both, name), L=released)
    assert {s.name for s in signals.inputs} - {s.name for s in both.inputs} == {"L"}


def test_withdrawal_does_not_drive_tnf():
    both = models.clonal_inflammation()
    for name in "FXMP":
        assert not equation(both, name).has(both.symbol("u"))


def test_clones_that_compete_are_not_cooperative():
    both = models.clonal_inflammation()
    J = derive.jacobian(both)
    numbers = {p: p.info.value for p in both.parameters} | dict.fromkeys(both.inputs, 0.5)
    state = dict(zip(both.states, (300.0, 100.0, 1.0, 0.5, 20.0, 0.8, 1.6), strict=True))
    values = np.array(J.xreplace({k: sp.Float(v) for k, v in (numbers | state).items()})).astype(float)
    assert values[0, 1] < 0  # A crowds S
    assert values[0, 6] > 0  # P shelters S


# --- options of the paracrine loop ------------------------------------------------------------------------------------


def least_jacobian(model, e=0.6, B=3.0, n=40, seed=1, **changes):
    """Smallest value of each entry of the Jacobian over states within the bounds."""
    J, put = derive.jacobian(model), {p: sp.Float(changes.get(p.name, p.info.value)) for p in model.parameters}
    J = J.xreplace(put | dict(zip(model.inputs, (sp.Float(B), sp.Float(e)), strict=True)))
    call = sp.lambdify(list(model.states), J, "numpy")
    box = [float(s.info.bounds[1].xreplace(put)) for s in model.states]
    draws = np.random.default_rng(seed).uniform(0, box, (n, len(box)))
    return np.min([np.asarray(call(*y), float) for y in draws], axis=0)


@pytest.mark.parametrize(
    ("options", "broken"),
    [
        ({}, []),
        ({"tnf": "stroma"}, []),
        ({"neutrophils": "kill"}, [("T", "M")]),
        ({"neutrophils": "both"}, [("T", "M")]),
        ({"uptake": True}, [("X", "M")]),
        ({"tnf": "killing"}, [("F", "P")]),
        ({"dilution": True}, [("X", "P")]),
    ],
)
def test_which_variants_stay_cooperative(options, broken):
    """Where no state lowers the rate of another there is no oscillation; some variants lose that."""
    model = models.paracrine_loop(**options)
    least, names = least_jacobian(model), [s.name for s in model.states]
    negative = [(names[i], names[j]) for i, j in np.argwhere(least < -1e-12) if i != j]
    assert [pair for pair in negative if pair in broken] == broken
    assert bool(negative) == bool(broken)


def test_chemotherapy_that_kills_myeloid_cells_keeps_it_cooperative():
    model = models.paracrine_loop()
    least = least_jacobian(model, kM=0.3)
    assert np.all(least[~np.eye(5, dtype=bool)] >= 0)


@pytest.mark.parametrize(
    ("options", "change"),
    [
        ({"neutrophils": "both"}, {"kN": 0.0}),
        ({"uptake": True}, {"kU": 0.0}),
        ({"dilution": True}, {"T_V": 1e14}),
        ({"tnf": "stroma"}, {"kZ": 0.0}),
    ],
)
def test_a_variant_without_its_term_is_the_loop(options, change):
    days, outputs = [5, 30, 90], ["T", "X", "M", "P"]
    problem = Problem(models.paracrine_loop(), t_span=(0, 90), rtol=1e-10, atol=1e-12).at_constant(e=0.6, B=2)
    variant = problem.replace(model=models.paracrine_loop(**options)).replace(parameters=change)
    np.testing.assert_allclose(sample(variant, days, outputs).values, sample(problem, days, outputs).values, rtol=1e-7)


def test_dilution_keeps_the_amount():
    """Without production and loss the amount X V, V = 1 + T/T_V, does not change while the tumour grows and shrinks."""
    problem = Problem(models.paracrine_loop(dilution=True), t_span=(0, 60), rtol=1e-10, atol=1e-12,
                      parameters={"gX": 0.0}, treatment=Treatment.constant({"e": 1}, start=20))  # fmt: skip
    T, X = sample(problem, np.linspace(0, 60, 13), ["T", "X"]).values.T
    amount = X * (1 + T / 100)
    np.testing.assert_allclose(amount, amount[0], rtol=1e-7)
    assert T.max() > 3 * T.min()


def test_killing_tnf_follows_the_dying_tumour():
    """F settles at e (1 - rho theta) T / T_F."""
    model = models.paracrine_loop(tnf="killing")
    (F,) = sp.solve(equation(model, "F"), model.symbol("F"))
    e, rho, T, T_F, P = (model.symbol(n) for n in ("e", "rho", "T", "T_F", "P"))
    assert sp.simplify(F - e * (1 - rho * P**2 / (1 + P**2)) * T / T_F) == 0


def test_stroma_that_chemotherapy_takes_releases_less():
    """Z settles at gZ/(gZ + kZ e), and so does F/e."""
    problem = Problem(models.paracrine_loop(tnf="stroma"), t_span=(0, 400), rtol=1e-9).at_constant(e=0.8)
    Z, F = sample(problem, [400], ["Z", "F"]).values[0]
    assert pytest.approx(0.05 / (0.05 + 0.05 * 0.8), rel=1e-7) == Z
    assert pytest.approx(0.8 * Z, rel=1e-6) == F


def test_options_are_checked():
    with pytest.raises(ModelError, match="did you mean 'stroma'"):
        models.paracrine_loop(tnf="strom")
    with pytest.raises(KeywordError, match="no keyword 'uptak'; did you mean 'uptake'"):
        models.paracrine_loop(uptak=True)
    with pytest.raises(KeywordError, match="did you mean 'founder'"):
        models.oncogene_withdrawal(foundr=True)


def test_variants_say_what_they_are():
    assert models.paracrine_loop().about == models.paracrine_loop(neutrophils="protect").about
    text = models.paracrine_loop(neutrophils="kill", tnf="stroma").about
    assert "(variant: myeloid cells kill the tumour, TNF-alpha from the stroma that is left)" in text
    assert "protection" not in models.paracrine_loop(neutrophils="kill").observables
    assert set(models.paracrine_loop(neutrophils="both").observables) == {"burden", "myeloid_kill", "protection"}


# --- options of oncogene withdrawal -----------------------------------------------------------------------------------


def test_options_that_are_off_leave_the_model_as_it_is():
    off = models.oncogene_withdrawal(mad2_bonus=False, unstable_drug=False, founder=False)
    assert off == models.oncogene_withdrawal()
    every = models.oncogene_withdrawal(mad2_bonus=True, unstable_drug=True, founder=True)
    for name in "SAR":
        assert same(equation(every, name), equation(off, name), bonus=0, v=0)
    assert set(every.observables) - set(off.observables) == {"founder_survival"}
    assert {p.name for p in every.parameters} - {p.name for p in off.parameters} == {"bonus", "kap_v", "w_v"}


def test_the_drug_against_unstable_cells_spares_stable_ones():
    model = models.oncogene_withdrawal(unstable_drug=True)
    v, kap_v, w_v, A, R = (model.symbol(n) for n in ("v", "kap_v", "w_v", "A", "R"))
    assert sp.diff(equation(model, "S"), v) == 0
    assert sp.simplify(sp.diff(equation(model, "A"), v) + kap_v * A) == 0
    assert sp.simplify(sp.diff(equation(model, "R"), v) + w_v * kap_v * R) == 0


def extinction(p, f_v=0.8, b_S=0.5, b_A=0.47, d=0.3, n=40):
    """Chance that the descent of one S cell dies out, by iterating the generating functions from 0."""
    m, q_S, q_A = 1 - (1 - p) ** n, 0.0, 0.0
    for _ in range(200_000):
        dead = (1 - f_v + f_v * q_A) ** 2
        old = q_S, q_A
        q_S = (b_S * ((1 - m) * q_S**2 + m * dead) + d) / (b_S + d)
        q_A = (b_A * ((1 - m) * q_A**2 + m * dead) + d) / (b_A + d)
        if abs(q_S - old[0]) + abs(q_A - old[1]) < 1e-16:
            break
    return q_S


def founder_survival(**changes):
    problem = Problem(models.oncogene_withdrawal(founder=True), t_span=(0, 1), parameters=changes)
    return sample(problem.at_constant(cin=1), [0.0], ["founder_survival"]).values[0, 0]


@pytest.mark.parametrize("p", [1e-4, 2.5e-3, 1e-2, 3e-2, 5e-2])
def test_founder_survival_is_that_of_the_branching_process(p):
    """Least fixed point of the generating functions of the two types; at p = 5e-2 only A can carry a tumour."""
    assert founder_survival(p_on=p) == pytest.approx(1 - extinction(p), abs=1e-10)


def test_founder_survival_limits():
    """Without missegregation 1 - d/b; with no viable aneuploid daughter S counts alone; none when nothing can grow."""
    assert founder_survival(p_on=0.0, p_off=0.0) == pytest.approx(0.4)
    m = 1 - (1 - 5e-3) ** 40
    assert founder_survival(p_on=5e-3, f_v=0.0) == pytest.approx((1 - 2 * m - 0.6) / (1 - m))
    assert founder_survival(p_on=2e-2, f_v=0.1) == pytest.approx(0, abs=1e-12)


def test_founder_survival_by_simulation():
    """4000 founders at p = 1e-2, followed to extinction or 60 cells; three standard errors."""
    rng, alive, m = np.random.default_rng(11), 0, 1 - 0.99**40
    for _ in range(4000):
        S, A = 1, 0
        while 0 < S + A < 60:
            rate = 0.8 * S + 0.77 * A
            sensitive = rng.random() * rate < 0.8 * S
            birth = rng.random() < (0.5 / 0.8 if sensitive else 0.47 / 0.77)
            viable = rng.binomial(2, 0.8) if birth and rng.random() < m else None
            change = -1 if not birth or viable is not None else 1
            S, A = (S + change, A) if sensitive else (S, A + change)
            A += viable or 0
        alive += S + A > 0
    assert alive / 4000 == pytest.approx(founder_survival(p_on=1e-2), abs=3 * np.sqrt(0.276 * 0.724 / 4000))


# --- the model in space -----------------------------------------------------------------------------------------------


def test_fluxes_of_the_model_in_space():
    """Down the gradient for all, up the gradient of occupancy for myeloid cells; well mixed it is the loop / K."""
    model, loop = models.paracrine_invasion(), models.paracrine_loop()
    assert [s.name for s in model.fluxes] == ["tau", "X", "M", "P"]
    B, X, M, chi, D_M = (model.symbol(n) for n in ("B", "X", "M", "chi", "D_M"))
    wanted = chi * M * models.grad(X / (1 + B + X)) - D_M * models.grad(M)
    assert sp.simplify(model.fluxes[M] - wanted) == 0
    K, T_X, e = sp.symbols("K T_X e")
    put = {"tau": sp.Symbol("T") / K, "k_X": K / T_X}
    assert same(K * equation(model, "tau"), equation(loop, "T"), **put)
    assert same(equation(model, "X"), plain(equation(loop, "X")).subs(sp.Symbol("F"), e), **put)
    assert all(same(equation(model, name), equation(loop, name)) for name in "MP")
    text = str(model)
    assert "flux of M = -D_M*grad(M) + chi*M*grad(X/(B + X + 1))" in text


# --- groups and boxes -------------------------------------------------------------------------------------------------


def test_groups_of_clonal_relapse():
    """S/K and r_S t leave r_R/r_S = 0.4, kap_S/r_S = 2.75, kap_R/r_S, al/r_S, and nu b_S/r_S = 2.5e-7 as a product."""
    model = models.clonal_relapse()
    K, r_S = model.symbol("K"), model.symbol("r_S")
    scaled = models.nondimensionalise(model, scales={"S": K, "R": K, models.t: 1 / r_S})
    values = {name: scaled.value(name) for name in scaled.groups}
    assert values["r_R"] == pytest.approx(0.4)
    assert values["kap_S"] == pytest.approx(2.75)
    assert values["nu"] * values["b_S"] == pytest.approx(2.5e-7)
    assert {"kap_R", "al"} <= set(values)
    assert not {"K", "r_S"} & set(values)


@pytest.mark.parametrize(
    "name",
    [
        "clonal_relapse",
        "paracrine_invasion",
        "paracrine_loop-kill-uptake-stroma",
        pytest.param("paracrine_loop-dilution-killing", marks=pytest.mark.slow),
        pytest.param("metastasis", marks=pytest.mark.slow),
    ],
)
def test_declared_bounds_hold_a_box_that_no_solution_leaves(name):
    """A box proved by intervals, for every dose up to B = 100, lies within the declared bounds."""
    model = FAMILY[name]()
    blocker = {"B": (0, 100)} if any(u.name == "B" for u in model.inputs) else None
    box = models.invariant_box(model, inputs=blocker).bounds
    put = {p: sp.Float(p.info.value) for p in model.parameters}
    assert set(box) == {s.name for s in model.states}
    for state in model.states:
        assert box[state.name][1] <= float(state.info.bounds[1].xreplace(put)) * (1 + 1e-9), state


# --- sane over the plausible range ------------------------------------------------------------------------------------

FAMILY = {
    "clonal_relapse": models.clonal_relapse,
    "oncogene_withdrawal": functools.partial(
        models.oncogene_withdrawal, mad2_bonus=True, unstable_drug=True, founder=True
    ),
    "paracrine_loop": models.paracrine_loop,
    "paracrine_loop-kill-uptake-stroma": functools.partial(
        models.paracrine_loop, neutrophils="both", uptake=True, tnf="stroma"
    ),
    "paracrine_loop-dilution-killing": functools.partial(models.paracrine_loop, dilution=True, tnf="killing"),
    "clonal_inflammation": models.clonal_inflammation,
    "metastasis": functools.partial(models.metastasis, stromal_source=True),
    "paracrine_invasion": models.paracrine_invasion,
}
LEVELS = {"e": 0.7, "B": 5.0, "u": 0.5, "cin": 1.0, "v": 0.5}


def drawn(model, n, seed):
    """Parameters within their plausible ranges, on their scale; no clone dies faster than it is born."""
    rng, columns = np.random.default_rng(seed), {}
    for p in model.parameters:
        low, high = p.info.plausible
        log = p.info.scale == "log"
        column = rng.uniform(*(np.log([low, high]) if log else (low, high)), 3 * n)
        columns[p.name] = np.exp(column) if log else column
    table, names = np.column_stack(list(columns.values())), list(columns)
    for clone in "SAR":
        if f"d_{clone}" in names:
            table = table[table[:, names.index(f"b_{clone}")] > table[:, names.index(f"d_{clone}")]]
    assert len(table) >= n
    return names, table[:n]


def check_sane(name, n, seed):
    model = FAMILY[name]()
    levels = {u.name: LEVELS[u.name] for u in model.inputs}
    treatment = Treatment.constant(levels, start=20, end=60)
    problem = Problem(model, t_span=(0, 120), treatment=treatment, rtol=1e-5)
    names, table = drawn(model, n, seed)
    outputs = [*problem.system.states, *problem.system.observables]
    found = kernels.ensemble(problem, names, table, np.linspace(0, 120, 13), outputs)
    assert not len(found.failed), found.messages[found.failed[0]]
    for i, output in enumerate(outputs):
        values = found.values[:, :, i]
        if output == "aneuploid_fraction":  # means nothing of less than one cell
            cells = found.values[:, :, outputs.index("at_risk")] * model.states[0].info.cells_per_unit
            values = values[cells > 1]
        assert np.all(np.isfinite(values)), output
        assert np.all(values >= -1e-6), output
    for i, state in enumerate(model.states):
        if state.info.bounds is None or ("dilution" in name and state.name == "X"):
            continue
        roof = sp.lambdify(list(model.parameters), state.info.bounds[1], "numpy")(*table.T)
        start = found.values[:, 0, i]
        inside = np.broadcast_to(np.maximum(roof, start), n)[:, None] * (1 + 1e-4)
        assert np.all(found.values[:, :, i] <= inside), state


@pytest.mark.optional
@pytest.mark.parametrize("name", list(FAMILY))
def test_runs_are_sane_over_the_plausible_range(name):
    """200 draws: finite, not negative, within the declared bounds (or below the start, where that is outside)."""
    pytest.importorskip("llvmlite")
    check_sane(name, 200, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FAMILY))
def test_many_runs_are_sane_over_the_plausible_range(name):
    check_sane(name, 10_000, seed=2)
