"""Fits against closed forms, linear regression, likelihoods maximised directly, and a search by SciPy alone."""

import json
import multiprocessing
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import least_squares, minimize
from scipy.stats import norm

from remission.analysis import Experiment, Own, Scaled, Shared, Table, fit
from remission.analysis.fit_objective import build
from remission.analysis.fit_workers import mapped
from remission.analysis.fitting import LogNormal, Normal
from remission.models import Model, Parameter, State, exponential_growth, logistic_growth
from remission.models.errors import DataError, KeywordError, ProblemError
from remission.solvers import Problem, Treatment, solve

QUIET = {"progress": False, "rng": 1}
NONE = Treatment.none()
EXPONENTIAL = Problem(exponential_growth(), rtol=1e-10, atol=1e-8)
LOGISTIC = Problem(logistic_growth(), rtol=1e-9, atol=1e-6)
T = np.arange(0.0, 30.0, 3.0)


def table(curves, observable="volume", **more):
    """A table of subject -> (times, values); further columns run over all rows."""
    columns = {"subject": [s for s, (t, _) in curves.items() for _ in t]}
    columns |= {
        "time": np.concatenate([t for t, _ in curves.values()]),
        "observable": [observable] * len(columns["subject"]),
    }
    columns["value"] = np.concatenate([v for _, v in curves.values()])
    return Table(columns | more)


def logistic(t, r, K, V0):
    return K / (1 + (K / V0 - 1) * np.exp(-r * t))


def growing(curves, problem=EXPONENTIAL, output="V", **more):
    return Experiment(problem, table(curves, **more), {"volume": output}, NONE)


def noisy(seed=0, sd=0.1, n=10):
    return 100 * np.exp(0.1 * T[:n] + np.random.default_rng(seed).normal(0, sd, n))


# --- recovery ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["normal", "lognormal", "relative"])
def test_exponential_growth_is_recovered(noise):
    found = fit(growing({"a": (T, 80 * np.exp(0.07 * T))}), {"r": Own(), "V0": Own()}, noise=noise, n_starts=2, **QUIET)
    assert found.success
    assert found.estimates["r"]["a"] == pytest.approx(0.07, rel=1e-6)
    assert found.estimates["V0"]["a"] == pytest.approx(80, rel=1e-6)


def test_logistic_growth_is_recovered_with_a_shared_value():
    times = np.linspace(0, 300, 16)
    truth = {"a": (0.03, 4000.0, 150.0), "b": (0.05, 4000.0, 300.0)}
    curves = {s: (times, logistic(times, *p)) for s, p in truth.items()}
    found = fit(growing(curves, LOGISTIC), {"r": Own(), "V0": Own(), "K": Shared()}, n_starts=3, **QUIET)
    assert found.estimates["K"] == pytest.approx(4000, rel=1e-6)
    for subject, (r, _, V0) in truth.items():
        assert found.estimates["r"][subject] == pytest.approx(r, rel=1e-6)
        assert found.estimates["V0"][subject] == pytest.approx(V0, rel=1e-6)


def test_log_normal_exponential_growth_is_linear_regression():
    """Estimates, standard errors, likelihood and criteria of log V = log V0 + r t by ordinary least squares."""
    values = noisy()
    found = fit(growing({"a": (T, values)}), {"r": Own(scale="linear"), "V0": Own()}, noise="lognormal", **QUIET)
    X = np.column_stack([np.ones_like(T), T])
    beta, (rss,), *_ = np.linalg.lstsq(X, np.log(values), rcond=None)
    n, errors = len(T), np.sqrt(np.diag(np.linalg.inv(X.T @ X)) * rss / (len(T) - 2))
    assert found.estimates["r"]["a"] == pytest.approx(beta[1], rel=1e-6)
    assert found.standard_errors["r"]["a"] == pytest.approx(errors[1], rel=1e-5)
    assert found.standard_errors["V0"]["a"] == pytest.approx(errors[0] * np.exp(beta[0]), rel=1e-5)
    assert abs(beta[1] - 0.1) < 3 * errors[1]
    sigma = np.sqrt(rss / n)
    likelihood = norm.logpdf(np.log(values), X @ beta, sigma).sum() - np.log(values).sum()
    assert found.sigma["volume"] == pytest.approx(sigma, rel=1e-6)
    assert found.log_likelihood == pytest.approx(likelihood, rel=1e-8)
    assert found.n_parameters == 3  # r, V0 and sigma
    assert found.aicc == pytest.approx(2 * 3 - 2 * likelihood + 2 * 3 * 4 / (10 - 3 - 1))
    assert found.bic == pytest.approx(3 * np.log(10) - 2 * likelihood)
    assert found.rmse == pytest.approx(sigma, rel=1e-6)


def test_joint_fit_is_what_a_search_by_scipy_alone_finds():
    rng, times = np.random.default_rng(3), np.linspace(0, 250, 12)
    truth = {"a": (0.03, 150.0), "b": (0.05, 300.0), "c": (0.02, 90.0)}
    curves = {s: (times, logistic(times, r, 4000, v) + rng.normal(0, 60, 12)) for s, (r, v) in truth.items()}
    found = fit(growing(curves, LOGISTIC), {"r": Own(), "V0": Own(), "K": Shared()}, n_starts=3, **QUIET)

    def residual(x):
        pieces = zip(np.exp(x[1:]).reshape(3, 2), curves.values(), strict=True)
        return np.concatenate([logistic(times, r, np.exp(x[0]), v) - y for (r, v), (_, y) in pieces])

    start = np.log([4000, *np.ravel(list(truth.values()))])
    best = least_squares(residual, start, xtol=1e-12, ftol=1e-12, gtol=1e-12)
    spread = np.sqrt(np.diag(np.linalg.inv(best.jac.T @ best.jac)) * 2 * best.cost / (36 - 7))
    ours = np.log([found.estimates["K"], *[found.estimates[n][s] for s in truth for n in ("r", "V0")]])
    np.testing.assert_allclose(ours, best.x, atol=1e-3 * spread.max())
    assert found.sigma["volume"] == pytest.approx(np.sqrt(2 * best.cost / 36), rel=1e-7)
    assert found.standard_errors["K"] == pytest.approx(spread[0] * found.estimates["K"], rel=1e-3)


def test_nothing_shared_is_one_fit_for_each_subject():
    vary, curves = {"r": Own(), "V0": Own()}, {"a": (T, noisy(1)), "b": (T, noisy(2))}
    both = fit(growing(curves), vary, noise="lognormal", n_starts=1, **QUIET)
    for subject in curves:
        alone = fit(growing({subject: curves[subject]}), vary, noise="lognormal", n_starts=1, **QUIET)
        assert both.estimates["r"][subject] == pytest.approx(alone.estimates["r"][subject], rel=1e-8)
    assert both.n_parameters == 5


# --- derivatives ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["normal", "lognormal", "relative"])
@pytest.mark.parametrize("scaled", ["", "fit", "maximum"])
def test_jacobian_of_the_objective_against_differences(noise, scaled):
    values = {"a": (T, noisy(1)), "b": (T[:6], noisy(2, n=6))}
    more = {"censoring": ["none"] * 9 + ["right"] + ["left"] + ["none"] * 5, "limit": np.full(16, 90.0)}
    data = table(values, **more, weight=np.linspace(0.5, 2, 16))
    output = Scaled("V", by=scaled) if scaled else "V"
    vary = {"r": Own(prior=LogNormal(sigma=0.4)), "V0": Shared(scale="linear", prior=Normal(100, 30))}
    tight = EXPONENTIAL.replace(rtol=1e-12, atol=1e-10)
    objective, sigmas, _ = build((Experiment(tight, data, {"volume": output}, NONE),), vary, noise, None)
    x = objective.start + np.linspace(-0.2, 0.3, len(objective.ranges))

    def residual(x):
        return objective.assemble(x, objective.evaluations(x, sigmas))[0]

    _, jacobian = objective.assemble(x, objective.evaluations(x, sigmas))
    steps = 1e-4 * np.eye(len(x))
    differences = np.column_stack([(residual(x + h) - residual(x - h)) / 2e-4 for h in steps])
    np.testing.assert_allclose(jacobian, differences, rtol=1e-5, atol=1e-5 * np.abs(jacobian).max())


# --- scale factors ----------------------------------------------------------------------------------------------------


def seen_through_a_factor():
    c, start = Parameter("c", 1.0, plausible=(1e-3, 1e3)), Parameter("V0", 100.0, plausible=(10, 1e3))
    V, r, K = State("V", start), Parameter("r", 0.1, plausible=(0.01, 1)), Parameter("K", 1000.0, plausible=(300, 5e3))
    return Problem(Model("scaled", {V: r * V * (1 - V / K)}, observables={"signal": c * V}), rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("noise", ["normal", "lognormal", "relative"])
def test_analytic_scale_equals_a_scale_that_is_searched_for(noise):
    times = np.linspace(0, 60, 14)
    wobble = np.exp(np.random.default_rng(5).normal(0, 0.05, 14))
    data = table({"a": (times, 0.3 * logistic(times, 0.12, 1200, 100) * wobble)})
    found = []
    for output, vary in ((Scaled("V"), {}), ("signal", {"c": Own()})):
        experiment = Experiment(seen_through_a_factor(), data, {"volume": output}, NONE)
        found.append(fit(experiment, vary | {"r": Own(), "K": Own()}, noise=noise, n_starts=2, **QUIET))
    projected, explicit = found
    assert projected.scale_of("a", "volume") == pytest.approx(explicit.estimates["c"]["a"], rel=1e-4)
    for name in ("r", "K"):
        assert projected.estimates[name]["a"] == pytest.approx(explicit.estimates[name]["a"], rel=1e-4)
        assert projected.standard_errors[name]["a"] == pytest.approx(explicit.standard_errors[name]["a"], rel=1e-3)
    assert projected.n_parameters == explicit.n_parameters == 4
    assert projected.aicc == pytest.approx(explicit.aicc, abs=1e-6)


def test_scale_by_maximum_meets_the_largest_value_and_is_not_counted():
    data = table({"a": (T, 0.3 * noisy())})
    experiment = Experiment(EXPONENTIAL, data, {"volume": Scaled("V", by="maximum")}, NONE)
    found = fit(experiment, {"r": Own()}, n_starts=1, **QUIET)
    assert found.n_parameters == 2
    assert found.predict(times=T)["volume"].max() == pytest.approx(data["value"].max(), rel=1e-6)


# --- censored, weighted, replicated values; priors --------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["normal", "lognormal"])
@pytest.mark.parametrize("sd", [None, 0.2])
def test_censored_values_against_direct_maximisation(noise, sd):
    """Decay below a limit of detection, one value above the range, one between two limits."""
    times, limit = np.arange(0.0, 40, 4), 12.0
    values = 200 * np.exp(-0.1 * times + np.random.default_rng(2).normal(0, 0.2, len(times)))
    code = np.where(values < limit, "left", "none").astype("<U8")
    code[0], code[3] = "right", "interval"
    lower, upper = np.full(10, limit), np.full(10, np.nan)
    lower[0], lower[3], upper[3] = 150.0, 50.0, 80.0
    assert list(code).count("left") >= 2
    scale = 1.0 if noise == "lognormal" else 30.0
    given = sd and sd * scale
    V, decay = State("V", Parameter("V0", 150.0, plausible=(20, 2e3))), Parameter("k", 0.05, plausible=(0.01, 1))
    problem = Problem(Model("decay", {V: -decay * V}), rtol=1e-10, atol=1e-9)
    data = table(
        {"a": (times, np.where(code == "none", values, np.nan))}, censoring=code, limit=lower, limit_upper=upper
    )
    experiment = Experiment(problem, data, {"volume": "V"}, NONE)
    found = fit(experiment, {"k": Own(), "V0": Own()}, noise=noise, sd=given, n_starts=2, **QUIET)
    move = np.log if noise == "lognormal" else np.asarray
    seen = code == "none"

    def minus_log_likelihood(x):
        g, s = move(np.exp(x[1] - np.exp(x[0]) * times)), given or np.exp(x[2])
        total = norm.logpdf(move(values[seen]), g[seen], s).sum()
        total -= np.log(values[seen]).sum() if noise == "lognormal" else 0
        total += norm.logcdf(move(limit), g[code == "left"], s).sum() + norm.logsf(move(150.0), g[0], s)
        return -(total + np.log(norm.cdf(move(80.0), g[3], s) - norm.cdf(move(50.0), g[3], s)))

    start = [np.log(0.1), np.log(200), np.log(0.2 * scale)][: 2 if given else 3]
    best = minimize(
        minus_log_likelihood, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5000}
    )
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
    assert found.estimates["k"]["a"] == pytest.approx(np.exp(best.x[0]), rel=1e-3)
    if sd is None:
        assert found.sigma["volume"] == pytest.approx(np.exp(best.x[2]), rel=1e-3)
    assert np.isnan(found.residuals["a"]["volume"]).sum() == 10 - seen.sum()


def test_a_weight_of_two_is_a_value_seen_twice():
    values, weight = noisy(), np.ones(10)
    weight[4] = 2
    vary = {"r": Own(), "V0": Own()}
    weighted = fit(growing({"a": (T, values)}, weight=weight), vary, noise="lognormal", n_starts=1, **QUIET)
    times, twice = np.append(T, T[4]), np.append(values, values[4])
    names = ["1"] * 10 + ["2"]
    repeated = fit(growing({"a": (times, twice)}, replicate=names), vary, noise="lognormal", n_starts=1, **QUIET)
    assert weighted.estimates["r"]["a"] == pytest.approx(repeated.estimates["r"]["a"], rel=1e-8)
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood)
    assert (weighted.n_data, repeated.n_data) == (10, 11)


def test_deviations_from_the_table():
    values, sd = noisy(), np.linspace(5, 30, 10)
    found = fit(growing({"a": (T, values)}, sd=sd), {"r": Own(), "V0": Own()}, sd="column", n_starts=1, **QUIET)

    def residual(x):
        return (np.exp(x[1] + np.exp(x[0]) * T) - values) / sd

    best = least_squares(residual, np.log([0.1, 100]), xtol=1e-12, ftol=1e-12)
    errors = np.sqrt(np.diag(np.linalg.inv(best.jac.T @ best.jac)))  # the noise is known: nothing to scale by
    assert found.estimates["r"]["a"] == pytest.approx(np.exp(best.x[0]), rel=1e-6)
    assert found.standard_errors["r"]["a"] == pytest.approx(errors[0] * np.exp(best.x[0]), rel=1e-4)
    assert found.n_parameters == 2


def test_each_observable_has_its_own_noise():
    rng = np.random.default_rng(8)
    V = 100 * np.exp(0.1 * T)
    data = Table(
        {
            "subject": ["a"] * 20, "time": np.tile(T, 2), "observable": ["volume"] * 10 + ["burden"] * 10,
            "value": np.concatenate([V + rng.normal(0, 40, 10), V + rng.normal(0, 4, 10)]),
        }
    )  # fmt: skip
    experiment = Experiment(EXPONENTIAL, data, {"volume": "V", "burden": "burden"}, NONE)
    found = fit(experiment, {"r": Own(), "V0": Own()}, n_starts=1, **QUIET)

    def minus_log_likelihood(x):
        g = np.exp(x[1] + x[0] * T)
        return -sum(norm.logpdf(data["value"][i : i + 10], g, np.exp(s)).sum() for i, s in ((0, x[2]), (10, x[3])))

    start = [0.1, np.log(100), np.log(40), np.log(4)]
    best = minimize(
        minus_log_likelihood, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 9000}
    )
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
    assert found.sigma["burden"] == pytest.approx(np.exp(best.x[3]), rel=1e-3)
    assert found.n_parameters == 4


def test_priors_against_direct_maximisation():
    """One own value with a known prior; subjects drawn towards a centre that is estimated with them."""
    curves = {s: (T[:4], noisy(i, 0.3, 4)) for i, s in enumerate("abc")}
    vary = {"r": Own(prior=LogNormal(sigma=0.3)), "V0": Shared(prior=Normal(90, 10))}
    found = fit(growing(curves), vary, noise="lognormal", sd=0.3, n_starts=2, **QUIET)

    def cost(x):
        total = 0.5 * ((np.exp(x[4]) - 90) / 10) ** 2
        for log_r, (t, y) in zip(x[:3], curves.values(), strict=True):
            total += (
                0.5 * np.sum(((x[4] + np.exp(log_r) * t - np.log(y)) / 0.3) ** 2) + 0.5 * ((log_r - x[3]) / 0.3) ** 2
            )
        return total

    best = minimize(cost, [np.log(0.1)] * 4 + [np.log(100)], method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(np.log(list(found.estimates["r"].values())), best.x[:3], atol=1e-4)
    assert found.centres["r"] == pytest.approx(np.exp(best.x[3]), rel=1e-4)
    assert found.estimates["V0"] == pytest.approx(np.exp(best.x[4]), rel=1e-4)
    assert found.n_parameters == 5


# --- failures ---------------------------------------------------------------------------------------------------------


def exploding():
    """V' = r V^2 reaches infinity at 1 / (r V0)."""
    V = State("V", Parameter("V0", 1.0, plausible=(0.5, 2)))
    return Problem(Model("exploding", {V: Parameter("r", 0.1, plausible=(0.05, 0.2)) * V**2}), rtol=1e-9)


def test_a_subject_that_cannot_be_simulated_does_not_lose_the_rest():
    t = np.arange(0.0, 5)
    curves = {"good": (t, 1 / (1 - 0.12 * t)), "hopeless": (t * 100, np.ones(5))}
    found = fit(growing(curves, exploding()), {"r": Own()}, n_starts=2, **QUIET)
    assert found.estimates["r"]["good"] == pytest.approx(0.12, rel=1e-6)
    assert np.isnan(found.estimates["r"]["hopeless"])
    assert not found.success
    assert "every start failed for hopeless" in found.message
    assert found.starts[2].subject == "hopeless"
    assert found.starts[2].cost == np.inf
    assert np.isfinite(found.rmse)
    assert found.reasons[("r", "hopeless")] == "its subject was not fitted"
    with pytest.raises(ProblemError, match="subject 'hopeless' could not be fitted"):
        found.predict("hopeless")
    assert "NOT a success" in str(found)


def test_one_failing_start_costs_one_start():
    t = np.arange(0.0, 8)
    data = growing({"a": (t, 1 / (1 - 0.1 * t))}, exploding())  # the start at 0.2 is infinite at t = 5
    found = fit(data, {"r": Shared(start=0.2)}, n_starts=4, **QUIET)
    assert found.status[0] != "converged"
    assert found.starts[0].cost == np.inf
    assert found.estimates["r"] == pytest.approx(0.1, rel=1e-6)
    assert found.success


def test_all_starts_failing_is_a_result_with_reasons():
    found = fit(growing({"a": (np.array([0.0, 500.0]), np.ones(2))}, exploding()), {"r": Shared()}, n_starts=2, **QUIET)
    assert not found.success
    assert np.isnan(found.estimates["r"])
    assert len(found.status) == 2
    assert all("a: " in status for status in found.status)
    json.dumps(found.to_dict(), allow_nan=False)


def test_numbers_without_standard_error_say_why():
    values = 100 * np.exp(0.1 * T)
    at_bound = fit(growing({"a": (T, values)}), {"r": Own(bounds=(0.01, 0.08)), "V0": Own()}, n_starts=1, **QUIET)
    assert at_bound.reasons[("r", "a")] == "at its upper bound"
    assert np.isnan(at_bound.standard_errors["r"]["a"])
    assert np.isfinite(at_bound.standard_errors["V0"]["a"])
    assert "[high]" in at_bound.report()
    V, a, b = State("V", 100.0), *(Parameter(n, 0.2, plausible=(0.01, 1)) for n in "ab")
    product = growing({"a": (T, values)}, Problem(Model("product", {V: a * b * V})))
    loose = fit(product, {"a": Own(), "b": Own()}, n_starts=1, **QUIET)
    assert loose.reasons[("b", "a")].startswith("not determined")
    few = fit(growing({"a": (T[:2], values[:2])}), {"r": Own(), "V0": Own()}, n_starts=1, **QUIET)
    assert few.reasons[("r", "a")] == "2 parameters for 2 values"
    assert np.isnan(few.aicc)
    assert "AICc undefined (2 values for 3 parameters)" in few.report()


FAULTS = [
    (ProblemError, "no parameter named 'rr'; did you mean 'r'", {"rr": Own()}, {}),
    (ProblemError, "'V' is a state: give it an initial value that is a Parameter", {"V": Own()}, {}),
    (ProblemError, r"'r' is Own\(...\) or Shared\(...\), got \(0, 1\)", {"r": (0, 1)}, {}),
    (ProblemError, "names the parameters to estimate", {}, {}),
    (
        ProblemError,
        r"lower bound is 0; give a lower bound above 0, as in Own\(bounds=\(0.0001, 1\)",
        {"r": Own((0, 1))},
        {},
    ),
    (ProblemError, "noise 'logNormal' is not known; did you mean 'lognormal'", {"r": Own()}, {"noise": "logNormal"}),
    (ProblemError, "sd is None", {"r": Own()}, {"sd": "colum"}),
    (ProblemError, "sd of 'volume' must be a number above 0, got -1", {"r": Own()}, {"sd": -1}),
    (ProblemError, "sd has no entry for 'volume'", {"r": Own()}, {"sd": {"PSA": 1.0}}),
    (DataError, "sd='column', but a standard deviation is missing", {"r": Own()}, {"sd": "column"}),
    (ProblemError, "n_starts must be a whole number above 0, got 0", {"r": Own()}, {"n_starts": 0}),
    (ProblemError, "rng is None", {"r": Own()}, {"rng": "seed"}),
    (ProblemError, "workers is a number of processes", {"r": Own()}, {"workers": 0}),
    (DataError, "start of 'r' names subject 'z'; there is: a", {"r": Own(start={"z": 1})}, {}),
    (KeywordError, "did you mean 'noise'", {"r": Own()}, {"nois": "normal"}),
]


@pytest.mark.parametrize(("error", "text", "vary", "settings"), FAULTS)
def test_what_makes_no_sense_is_refused(error, text, vary, settings):
    with pytest.raises(error, match=text):
        fit(growing({"a": (T, noisy())}), vary, **settings)


def test_ranges_and_priors_are_checked():
    V, r = State("V", 1.0), Parameter("r", 0.1)
    bare = growing({"a": (T, noisy())}, Problem(Model("bare", {V: r * V})))
    with pytest.raises(ProblemError, match=r"'r' has no range to vary it in; write Shared\(bounds=\(low, high\)\)"):
        fit(bare, {"r": Shared()})
    with pytest.raises(ProblemError, match="bounds must be finite and increasing"):
        Own(bounds=(2, 1))
    with pytest.raises(ProblemError, match="a prior needs its centre"):
        Shared(prior=LogNormal(sigma=1))
    with pytest.raises(ProblemError, match="sd must be above 0"):
        Normal(1.0, sd=0)
    with pytest.raises(ProblemError, match="scale is 'log' or 'linear'"):
        Own(scale="ln")


def test_zeros_and_log_normal_noise_do_not_go_together():
    values = noisy()
    values[3] = 0
    with pytest.raises(DataError, match=r"'volume' of subject 'a' is not above 0 at 9: .*censoring 'left'"):
        fit(growing({"a": (T, values)}), {"r": Own()}, noise="lognormal")


def test_an_unknown_censoring_code_is_refused():
    data = growing({"a": (T, noisy())}, censoring=["none"] * 9 + ["lefft"])
    with pytest.raises(DataError, match="censoring code 'lefft'; did you mean 'left'"):
        fit(data, {"r": Own()})


def test_a_subject_in_two_experiments_is_refused():
    one = growing({"a": (T, noisy())})
    with pytest.raises(DataError, match="subject 'a' is in two experiments"):
        fit([one, one], {"r": Own()})


# --- results ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found():
    curves = {"a": (T, noisy(1)), "b": (T[:7], noisy(2, n=7))}
    data = table(curves, unit=["mm^3"] * 17)
    experiment = Experiment(EXPONENTIAL, data, {"volume": Scaled("V")}, NONE)
    return fit(experiment, {"r": Shared(), "V0": Own(prior=LogNormal(150, 0.5))}, noise="relative", n_starts=2, **QUIET)


def test_prediction_is_the_solution_at_the_estimates(found):
    problem = found.problem_of("a")
    assert problem.parameters["r"] == found.estimates["r"]
    assert problem.parameters["V0"] == found.estimates["V0"]["a"]
    prediction = found.predict("a", times=[0, 5, 60])
    exact = found.estimates["V0"]["a"] * np.exp(found.estimates["r"] * np.array([0, 5, 60]))
    np.testing.assert_allclose(prediction["V"], exact, rtol=1e-7)
    np.testing.assert_allclose(prediction["volume"], found.scale_of("a", "volume") * exact, rtol=1e-7)
    assert prediction.units == {"volume": "mm^3"}
    assert found.predict()["b"].t[-1] == T[6]
    half = found.predict("a", treatment=Treatment.surgery({"V": 0.5}, at=10), t_end=40)
    assert half["V"][-1] == pytest.approx(0.5 * solve(problem.replace(t_span=(0, 40)))["V"][-1], rel=1e-6)


def test_errors_on_other_data_of_the_same_subjects(found):
    late = Experiment(EXPONENTIAL, table({"b": (T[7:], noisy(2)[7:])}), {"volume": Scaled("V")}, NONE)
    errors = found.errors_on(late)
    expected = found.predict("b", times=T[7:])["volume"] - noisy(2)[7:]
    np.testing.assert_allclose(errors["b"]["volume"], expected, rtol=1e-6)


def test_a_fit_prints_pickles_and_becomes_json(found):
    text = str(found)
    assert text == found.report()
    assert "scale of volume" in text
    assert "1/day" in text
    again = pickle.loads(pickle.dumps(found))
    assert again.estimates == found.estimates
    assert again.problem_of("b").parameters == found.problem_of("b").parameters
    numbers = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert numbers["estimates"]["V0"] == found.estimates["V0"]
    assert numbers["n_parameters"] == 6  # r, two V0, two scales, sigma
    with pytest.raises(DataError, match="no subject 'c'; there is: a, b"):
        found.predict("c")


def test_the_same_seed_gives_the_same_fit(found):
    again = fit(found.experiments, found.vary, noise="relative", n_starts=2, rng=found.seed, progress=False)
    assert again.estimates == found.estimates
    assert [s.cost for s in again.starts] == [s.cost for s in found.starts]


@pytest.mark.parametrize("vary", [{"r": Own(), "V0": Own()}, {"r": Shared(), "V0": Own()}], ids=["alone", "joint"])
def test_two_processes_give_the_same_bits(vary):
    experiment = growing({"a": (T, noisy(1)), "b": (T, noisy(2))})
    serial, parallel = (fit(experiment, vary, n_starts=3, workers=w, **QUIET) for w in (None, 2))
    assert serial.estimates == parallel.estimates
    assert serial.standard_errors == parallel.standard_errors
    assert [s.cost for s in serial.starts] == [s.cost for s in parallel.starts]


def test_a_map_runs_the_searches():
    experiment, vary = growing({"a": (T, noisy(1))}), {"r": Own()}
    assert fit(experiment, vary, workers=map, **QUIET).estimates == fit(experiment, vary, **QUIET).estimates


def interrupt():
    with mapped(2) as run:
        assert list(run(abs, [-1, 2])) == [1, 2]
        raise KeyboardInterrupt


def test_an_interrupt_ends_the_processes():
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    for process in multiprocessing.active_children():
        process.join(10)
    assert not multiprocessing.active_children()


# --- real data --------------------------------------------------------------------------------------------------------


def test_untreated_lung_tumours_grow_exponentially():
    """Control arm of the EGFR xenografts: doubling times of one to three weeks, and the whole arm at one rate."""
    from remission import datasets

    data = datasets.egfr_tki_lung_pdx()
    data = getattr(data, "table", data)
    control = data.select(observable="tumour volume", arm="control")
    experiment = Experiment(Problem(exponential_growth()), control, {"tumour volume": "V"}, NONE)
    own = fit(experiment, {"r": Own(), "V0": Own()}, noise="lognormal", n_starts=2, **QUIET)
    assert own.success
    rates = np.array(list(own.estimates["r"].values()))
    assert np.all((np.log(2) / rates > 4) & (np.log(2) / rates < 40))
    for subject in own.subjects:  # log volume against time is a straight line: closed form
        (series,) = experiment.series_of(subject)
        slope = np.polyfit(series.time, np.log(series.value), 1)[0]
        assert own.estimates["r"][subject] == pytest.approx(slope, rel=1e-4)
    joint = fit(experiment, {"r": Shared(), "V0": Own()}, noise="lognormal", n_starts=1, **QUIET)
    assert joint.log_likelihood < own.log_likelihood
    assert rates.min() < joint.estimates["r"] < rates.max()


def test_the_how_to_runs(tmp_path, monkeypatch):
    page = Path(__file__).parents[2] / "docs" / "how-to" / "fit-your-table.md"
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, page.name, "exec"), names)
    assert (tmp_path / "m1.png").stat().st_size > 10_000
    assert np.isnan(names["fitted"].errors_on(names["late"])["m2"]["tumour volume"][0])  # below the limit: no error
