"""fit: parameters of many subjects, some of their own and some in common, by exact gradients from many starts."""

import pickle
from dataclasses import replace

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from .experiment import Experiment, Scaled
from .fit_objective import build
from .fit_result import Fit, Prediction, Start, result_of
from .fit_search import cost_at, draw_starts, search, search_on
from .fit_statistics import new_sigmas
from .fit_vary import LogNormal, Normal, Own, Shared
from .fit_workers import mapped

__all__ = ["Fit", "LogNormal", "Normal", "Own", "Prediction", "Scaled", "Shared", "Start", "fit"]

MOST_ROUNDS = 40  # of alternating between parameters and sigmas
SIGMA_SETTLED = 1e-5


@refuse_unknown_keywords
def fit(
    experiments,
    vary,
    *,
    noise="normal",
    sd=None,
    n_starts=8,
    rng=None,
    workers=None,
    progress=True,
    max_iterations=200,
) -> Fit:
    """Estimate parameters from data: bounded least squares (maximum likelihood) from many starts.

    Parameters
    ----------
    experiments : Experiment or list of Experiment
        A parameter that occurs in several of them is one parameter.
    vary : dict
        Parameter -> `Own(...)` (one value for each subject) or `Shared(...)` (one value for all). Everything else
        keeps its value in the problem. When nothing is shared, every subject is fitted by itself.
    noise : {"normal", "lognormal", "relative"}
        Values scatter about the model with the same standard deviation; or with the same factor; or with a standard
        deviation that is the same part of each subject's largest value.
    sd : None, float, dict or "column"
        Standard deviation of the noise: estimated, one for each observable (and counted as a parameter); a number, or
        observable -> number (for log-normal noise of the natural logarithm, for relative noise a part of the largest
        value); or the column `sd` of the table.
    n_starts : int
        Searches. The first starts at the values in the problem (or `start`), the others at a Sobol sequence in the
        bounds, with the best of 8 draws for each subject's own values.
    rng : None, int or numpy.random.Generator
        Source of the starts; the seed is kept in the result.
    workers : None, int, Executor or map-like
        Number of processes, or what runs the searches. Results do not depend on it, bit for bit.
    progress : bool
        Show a bar on a terminal.
    max_iterations : int
        Most evaluations of a search.

    Returns
    -------
    Fit
        Also when searches failed: `success`, `message` and `starts` say what happened.

    Raises
    ------
    ProblemError, DataError
        If names, ranges, noise or data do not fit together, before any work.

    Notes
    -----
    The method is SciPy's trust-region reflective least squares on each parameter's own scale, with exact forward
    sensitivities. Scale factors of `Scaled` observables are eliminated (variable projection, exact derivative). Left-,
    right- and interval-censored values enter with their probability. With priors, censored values or several
    observables the estimated noise matters to the parameters: both are then found in turns until the noise settles.
    In joint fits the own values of each subject follow the shared ones (nested least squares); every joint fit is then
    looked at again subject by subject, with the shared values held, and repeated when that helps.

    Examples
    --------
    >>> from remission.analysis import Experiment, read_table
    >>> from remission.models import exponential_growth
    >>> from remission.solvers import Problem, Treatment
    >>> rows = [
    ...     {"subject": s, "time": t, "observable": "volume", "value": v0 * 1.1**t, "unit": "mm^3"}
    ...     for s, v0 in [("m1", 80), ("m2", 120)] for t in range(0, 12, 3)
    ... ]
    >>> experiment = Experiment(Problem(exponential_growth()), read_table(rows), {"volume": "V"}, Treatment.none())
    >>> found = fit(experiment, {"r": Shared(), "V0": Own()}, noise="relative", n_starts=1, progress=False)
    >>> round(found.estimates["r"], 4), {s: round(v, 2) for s, v in found.estimates["V0"].items()}
    (0.0953, {'m1': 80.0, 'm2': 120.0})
    """
    experiments = _experiments(experiments)
    for name, value in (("n_starts", n_starts), ("max_iterations", max_iterations)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ProblemError(f"fit: {name} must be a whole number above 0, got {value!r}")
    whole, sigmas, estimated = build(experiments, vary, noise, sd)
    parts = [whole] if whole.coupled else [whole.alone(i, whole.start) for i in range(len(whole.members))]
    seed = _seed(rng)
    with mapped(workers) as run:
        hunt = _Hunt(whole, parts, run, seed, max_iterations, progress)
        ends = hunt.from_starts(sigmas, n_starts)
        best = [min(of_part, key=lambda f: f.cost) for of_part in ends]
        if whole.coupled:
            best = hunt.further(best, sigmas, "finish")
        if estimated:
            best, sigmas = hunt.settled(best, ends, sigmas)
    names = [None] if whole.coupled else [m.subject for m in whole.members]
    starts = tuple(
        Start(name, number, f.cost, f.message, f.n_evaluations)
        for name, of_part in zip(names, ends, strict=True)
        for number, f in enumerate(of_part)
    )
    settings = {"noise": noise, "sd": sd, "seed": seed}
    return result_of(experiments, dict(vary), whole, hunt.joined(best), best, sigmas, estimated, starts, settings)


def _experiments(given):
    found = (given,) if isinstance(given, Experiment) else tuple(given) if hasattr(given, "__iter__") else (given,)
    for one in found:
        if not isinstance(one, Experiment):
            raise ProblemError(f"fit: the first argument is an Experiment or several, got {type(one).__name__}")
    if not found:
        raise ProblemError("fit: no experiment given")
    return found


def _seed(rng) -> int:
    if rng is None:
        return int(np.random.SeedSequence().entropy)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer) or rng < 0:
        raise ProblemError(f"fit: rng is None, a whole number not below 0 or a numpy Generator, got {rng!r}")
    return int(rng)


class _Hunt:
    """The stages of a fit, on whatever runs the tasks."""

    def __init__(self, whole, parts, run, seed, most, progress):
        self.whole, self.parts, self.run, self.seed, self.most, self.progress = whole, parts, run, seed, most, progress
        self.packed = [pickle.dumps(part) for part in parts]

    def each(self, function, tasks, text):
        """Results of tasks in order, with a bar on a terminal."""
        from tqdm import tqdm

        bar = tqdm(total=len(tasks), desc=text, unit="search", disable=None if self.progress else True, leave=False)
        with bar:
            results = []
            for result in self.run(function, tasks):
                results.append(result)
                bar.update()
        return results

    def from_starts(self, sigmas, n):
        """For each part, where the searches from its n starts ended."""
        tasks = []
        for i, part in enumerate(self.parts):
            for j, start in enumerate(draw_starts(part, n, [self.seed, i])):
                tasks.append((self.packed[i], start, sigmas, self.most, [self.seed, i, j], j > 0))
        found = self.each(search, tasks, "fit")
        return [found[i * n : (i + 1) * n] for i in range(len(self.parts))]

    def further(self, best, sigmas, text):
        """The same searches, each from where it ended."""
        return self.each(search_on, [(self.packed[i], f, sigmas, self.most) for i, f in enumerate(best)], text)

    def settled(self, best, ends, sigmas):
        """Parameters and sigmas in turns; one turn where the noise does not matter to the parameters."""
        matters = len(self.whole.groups) > 1 or self.whole.priors
        matters = matters or any(not t.seen.all_seen for m in self.whole.members for t in m.targets)
        for round_ in range(MOST_ROUNDS if matters else 1):
            x = self.joined(best)
            new = new_sigmas(self.whole, self.whole.evaluations(x, sigmas, gradient=False), sigmas)
            change, sigmas = np.max(np.abs(np.log(new / sigmas))), new
            if change < SIGMA_SETTLED or not matters:
                break
            if round_ == 0:  # with the noise known better, another start may have ended lower
                best = [self._again(i, [f.x for f in [best[i], *ends[i]]], best[i], sigmas) for i in range(len(best))]
            best = self.further(best, sigmas, "noise")
        return best, sigmas

    def _again(self, i, points, best, sigmas):
        if not np.isfinite(best.cost):
            return best
        costs = [cost_at(self.parts[i], x, sigmas) for x in points]
        return replace(best, x=points[int(np.argmin(costs))])

    def joined(self, best):
        """x of the whole from the parts."""
        if self.whole.coupled:
            return best[0].x
        x = np.empty(len(self.whole.ranges))
        for columns, found in zip(self.whole.columns, best, strict=True):
            x[list(columns.values())] = found.x
        return x
