"""sensitivity: which parameters an output hangs on; local and exact, or global by Sobol indices."""

import warnings
from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers import SolveWarning, solve

from . import members, sobol
from .outcomes import as_outcomes

__all__ = ["Sensitivity", "sensitivity"]

STEP = 1e-3  # of a difference, relative to the parameter
TIGHT = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity:
    """Effect of parameters on outputs.

    Attributes
    ----------
    problem : Problem
    method : {"local", "sobol"}
    parameters : tuple of str
    outcomes : tuple of Outcome
    values : (n_out, n_par) array
        Local: elasticities, percent of output per percent of parameter. Sobol: the total order indices.
    raw : (n_out, n_par) array or None
        Local: derivatives.
    at : (n_out,) array or None
        Local: outputs at the problem's values.
    how : tuple of str
        Local, one an output: `"exact"` or `"differences"`.
    first, total, first_halfwidth, total_halfwidth : (n_out, n_par) arrays or None
        Sobol: indices and half-widths of their 95 % intervals (bootstrap over rows).
    n : int
        Sobol: base sample; the runs are n (n_par + 2).
    n_failed : int
        Runs without a finite value of every output; the rows they belong to were left out.
    n_used : (n_out,) array or None
        Sobol: rows that were used.
    ranges : dict of str -> (low, high, scale)
    rng : int
        Seed.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment
    >>> from remission.analysis import sensitivity
    >>> daily = Problem(sensitive_resistant(), t_span=(0, 200), treatment=Treatment.constant({"u": 1}))
    >>> print(sensitivity(daily, "burden", vary=["turnover", "f_R"]))
    local sensitivity of sensitive_resistant: % of output per % of parameter
      burden at the end = 0.1243 (exact)
        turnover -0.9996
        f_R       0.7623
    """

    problem: object
    method: str
    parameters: tuple
    outcomes: tuple
    values: np.ndarray
    raw: np.ndarray | None = None
    at: np.ndarray | None = None
    how: tuple = ()
    first: np.ndarray | None = None
    total: np.ndarray | None = None
    first_halfwidth: np.ndarray | None = None
    total_halfwidth: np.ndarray | None = None
    n: int = 0
    n_failed: int = 0
    n_used: np.ndarray | None = None
    ranges: dict | None = None
    rng: int = 0

    def __repr__(self):
        return f"<Sensitivity of {self.problem.model.name}, {self.method}: {', '.join(self.outputs)}>"

    @property
    def outputs(self) -> tuple:
        """Labels of the outputs."""
        return tuple(o.label for o in self.outcomes)

    @property
    def resolved(self) -> np.ndarray:
        """Sobol: where both half-widths are 0.1 or less, shape (n_out, n_par); local: everywhere."""
        if self.method == "local":
            return np.isfinite(self.values)
        return np.maximum(self.first_halfwidth, self.total_halfwidth) <= sobol.RESOLVED

    def __str__(self):
        return "\n".join(_local_text(self) if self.method == "local" else _sobol_text(self))

    def to_pandas(self):
        """A DataFrame: one row an output and parameter."""
        try:
            import pandas
        except ImportError:
            raise ImportError('to_pandas needs pandas: pip install "remission[data]"') from None
        if self.method == "local":
            parts = {"elasticity": self.values, "derivative": self.raw}
        else:
            names = ("first", "first_halfwidth", "total", "total_halfwidth", "resolved")
            parts = {name: getattr(self, name) for name in names}
        rows = [
            {"output": o, "parameter": p} | {name: part[i, j] for name, part in parts.items()}
            for i, o in enumerate(self.outputs)
            for j, p in enumerate(self.parameters)
        ]
        return pandas.DataFrame(rows)


def _local_text(found):
    yield f"local sensitivity of {found.problem.model.name}: % of output per % of parameter"
    width = max(map(len, found.parameters)) + 1
    for i, label in enumerate(found.outputs):
        yield f"  {label} = {found.at[i]:.4g} ({found.how[i]})"
        for j in _largest_first(found.values[i]):
            yield f"    {found.parameters[j]:<{width}}{found.values[i, j]: .4g}"


def _sobol_text(found):
    k = len(found.parameters)
    runs = found.n * (k + 2)
    yield (
        f"Sobol indices of {found.problem.model.name}: {runs} runs, {found.n_failed} failed, seed {found.rng}; "
        "+/- is half a 95 % interval"
    )
    width = max(map(len, found.parameters)) + 2
    for i, label in enumerate(found.outputs):
        yield f"  {label}" + ("" if found.n_used[i] == found.n else f" ({found.n_used[i]} of {found.n} rows)")
        if not np.isfinite(found.total[i]).any():
            yield "    no variance to share out"
            continue
        yield f"    {'':<{width}}first            total"
        for j in _largest_first(found.total[i]):
            first, total = (
                f"{value[i, j]: .3f} +/- {half[i, j]:.3f}"
                for value, half in ((found.first, found.first_halfwidth), (found.total, found.total_halfwidth))
            )
            note = "" if found.resolved[i, j] else "  not resolved"
            yield f"    {found.parameters[j]:<{width}}{first}  {total}{note}"
        worst = np.nanmax(np.maximum(found.first_halfwidth[i], found.total_halfwidth[i]))
        more = sobol.more_runs(found.n, k, worst)
        if more:
            yield f"    not all resolved: about {more} more runs would be (n={found.n + more // (k + 2)})"


def _largest_first(row):
    return np.argsort(-np.abs(np.nan_to_num(row)), kind="stable")


@refuse_unknown_keywords
def sensitivity(
    problem, outputs, vary=None, method="local", n=256, rng=0, ranges=None, workers=None, progress=True
) -> Sensitivity:
    """Effect of each parameter on outputs of a problem.

    Parameters
    ----------
    problem : Problem
    outputs : str, Outcome, callable or list of them
        A name means its value at the end.
    vary : list of str, optional
        Parameters. By default all (local), or all with a plausible range (Sobol).
    method : {"local", "sobol"}
        `"local"`: elasticities at the problem's values, from forward sensitivities and exact gradients of outcomes;
        an outcome without one gets central differences, and says so. `"sobol"`: shares of the output's variance
        when all parameters vary over their ranges, alone (first order) and with all interactions (total) [1]_.
    n : int
        Base sample of Sobol, rounded up to a power of 2; n (k + 2) runs for k parameters.
    rng : int, numpy.random.Generator or None
        Of the scrambled Sobol points and the bootstrap; the seed is recorded.
    ranges : dict, optional
        Name -> (low, high) or (low, high, "log" or "linear"), where the plausible range is not wanted. The scale is
        the parameter's own if not given.
    workers : int, map-like or Executor, optional
        As in `sweep`.
    progress : bool
        Show a bar when it takes more than a second.

    Returns
    -------
    Sensitivity
        Indices whose half-width is above 0.1 are marked as not resolved, with the number of runs that would do.

    Raises
    ------
    ProblemError
        If a name is unknown, or a parameter to be varied has no range.
    SolveError
        Local: if the problem cannot be solved at its own values.

    Notes
    -----
    Runs whose output is not finite (failed, or a time to progression of `inf`) are left out with their row, and
    counted. The indices then describe the members that have a value; where many are left out, ask for an outcome
    that every member has.

    References
    ----------
    .. [1] Saltelli et al. (2010), Computer Physics Communications 181, 259-270.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment
    >>> from remission.analysis import sensitivity
    >>> daily = Problem(sensitive_resistant(), t_span=(0, 200), treatment=Treatment.constant({"u": 1}))
    >>> effects = sensitivity(daily, "burden", vary=["turnover", "f_R"], method="sobol", n=64, progress=False)
    >>> effects.total.round(1).tolist()
    [[0.2, 0.9]]
    """
    outcomes = as_outcomes(outputs, problem)
    if method not in ("local", "sobol"):
        raise ProblemError(f"method is 'local' or 'sobol', got {method!r}")
    if method == "local":
        return _local(problem, outcomes, _varied(problem, vary, list(problem.system.parameters)))
    ranges = {getattr(k, "name", k): v for k, v in (ranges or {}).items()}
    _varied(problem, list(ranges), [])
    own = {s.name: s.info for s in problem.system.parameter_symbols}
    default = [name for name, info in own.items() if info.plausible or name in ranges]
    names = _varied(problem, vary, default)
    table = {name: _range(name, own[name], ranges.get(name)) for name in names}
    return _sobol(problem, outcomes, table, n, rng, workers, progress)


def _varied(problem, vary, default):
    known = problem.system.parameters
    names = default if vary is None else [vary] if isinstance(vary, str) else list(vary)
    names = [getattr(name, "name", name) for name in names]
    for name in names:
        if name not in known:
            raise ProblemError(
                f"sensitivity: {problem.model.name} has no parameter named {name!r}; {did_you_mean(name, known)}"
            )
    if len(set(names)) < len(names):
        raise ProblemError(f"sensitivity: a name comes twice in {names}")
    if not names and vary is not None:
        return ()
    return tuple(names)


# --- local ------------------------------------------------------------------------------------------------------------


def _local(problem, outcomes, names):
    if not names:
        raise ProblemError(f"sensitivity: {problem.model.name} has no parameter to vary")
    exact = [o.differentiable and (o.unsolved or not problem.grid.spatial) for o in outcomes]
    carried = list(names) if any(e and not o.unsolved for e, o in zip(exact, outcomes, strict=True)) else None
    solution = problem
    if not all(o.unsolved for o in outcomes):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SolveWarning)
            solution = solve(problem, sensitivities=carried).require()
    at = np.array([o(solution) for o in outcomes])
    raw = np.full((len(outcomes), len(names)), np.nan)
    rough = [i for i, is_exact in enumerate(exact) if not is_exact]
    for i, outcome in enumerate(outcomes):
        if exact[i]:
            gradient = outcome.gradient(problem if outcome.unsolved else solution)
            raw[i] = [gradient[name] for name in names]
    if rough:
        raw[rough] = _differences(problem, [outcomes[i] for i in rough], names)
    values = np.array([problem.parameters[name] for name in names])
    with np.errstate(all="ignore"):
        elasticity = raw * values / at[:, None]
    how = tuple("differences" if i in rough else "exact" for i in range(len(outcomes)))
    return Sensitivity(problem, "local", names, outcomes, elasticity, raw=raw, at=at, how=how)


def _differences(problem, outcomes, names):
    """Central differences at tight tolerance, (n_out, n_par)."""
    tight = problem.replace(rtol=min(problem.rtol, TIGHT))
    found = np.empty((len(outcomes), len(names)))
    for j, name in enumerate(names):
        value = problem.parameters[name]
        h = STEP * abs(value) if value else STEP
        low, high = (members.one_member(tight, {name: value + way * h}, outcomes)[0] for way in (-1, 1))
        found[:, j] = (high - low) / (2 * h)
    return found


# --- Sobol ------------------------------------------------------------------------------------------------------------


def _range(name, info, given):
    given = info.plausible if given is None else tuple(given)
    if given is None:
        raise ProblemError(f"sensitivity: {name} has no plausible range; give ranges={{{name!r}: (low, high)}}")
    if len(given) not in (2, 3) or not float(given[0]) < float(given[1]):
        raise ProblemError(f"sensitivity: the range of {name} is (low, high) or (low, high, scale), got {given!r}")
    low, high = float(given[0]), float(given[1])
    scale = given[2] if len(given) == 3 else info.scale if low > 0 else "linear"
    if scale not in ("log", "linear") or (scale == "log" and low <= 0):
        raise ProblemError(f"sensitivity: {name} from {low:g} to {high:g} cannot be varied on the scale {scale!r}")
    return low, high, scale


def _sobol(problem, outcomes, ranges, n, rng, workers, progress):
    if not ranges:
        raise ProblemError(
            f"sensitivity: no parameter of {problem.model.name} has a plausible range; give ranges={{name: (low, "
            "high)}"
        )
    seed, names = sobol.seed_of(rng), tuple(ranges)

    def runs(rows):
        return members.run(problem, names, rows, outcomes, workers, progress)[0]

    found = sobol.sobol_of(runs, list(ranges.values()), n, seed)
    return Sensitivity(
        problem,
        "sobol",
        names,
        outcomes,
        found.total,
        first=found.first,
        total=found.total,
        first_halfwidth=found.first_halfwidth,
        total_halfwidth=found.total_halfwidth,
        n=sobol.base_sample(n),
        n_failed=found.failed,
        n_used=found.used,
        ranges=ranges,
        rng=seed,
    )
