"""Search: where descents start, what is tried before and after them, and the tasks that workers run."""

import inspect
from dataclasses import replace

import numpy as np

from .fit_descent import Found, minimise
from .fit_workers import unpacked

__all__ = ["search"]

CANDIDATES = 8  # own values tried for each subject before a search from a drawn start
SECOND_LOOKS = 16  # own values tried for each subject around a joint fit
MOST_ROUNDS = 3  # of second looks
LEAST_GAIN = 1e-3  # of the cost of a subject that makes a second look worth another joint fit
SETTLED = 1e-4  # relative gain of a joint fit after which there is no further look


def draw_starts(objective, n, seed) -> np.ndarray:
    """Starting points (n, k): the given one, then a scrambled Sobol sequence in the bounds, on each number's scale."""
    from scipy.stats import qmc

    k = len(objective.ranges)
    points = np.empty((n, k))
    points[0] = objective.start
    if n > 1:
        keyword = "rng" if "rng" in inspect.signature(qmc.Sobol).parameters else "seed"
        sobol = qmc.Sobol(k, scramble=True, **{keyword: np.random.default_rng(seed)})
        unit = sobol.random_base2(int(np.ceil(np.log2(max(n - 1, 2)))))[: n - 1]
        points[1:] = objective.low + unit * (objective.high - objective.low)
    return points


def search(task) -> Found:
    """Least squares from one start; joint fits are looked at again subject by subject.

    Parameters
    ----------
    task : (bytes, array, array, int, list, bool)
        Pickled Objective, start, sigmas, most evaluations, seed, and whether the start was drawn (then the own values
        of each subject are the best of a few draws).

    Returns
    -------
    Found
    """
    packed, x, sigmas, most, seed, drawn = task
    objective, rng = unpacked(packed), np.random.default_rng(seed)
    if drawn:
        x = _screened(objective, x, sigmas, rng)
    if not objective.coupled:
        return minimise(objective, x, sigmas, most)
    found = minimise(objective, x, sigmas, most, roughly=True)  # the best of all starts goes on from there
    for _ in range(MOST_ROUNDS if np.isfinite(found.cost) else 0):
        x = _second_look(objective, found.x, sigmas, most, rng)
        if x is None:
            break
        again = minimise(objective, x, sigmas, most, roughly=True)
        if not again.cost < found.cost * (1 - SETTLED):
            break
        found = replace(again, n_evaluations=found.n_evaluations + again.n_evaluations)
    return found


def search_on(task) -> Found:
    """A search from where the last one ended, with other sigmas; the earlier end is kept where it fails."""
    packed, best, sigmas, most = task
    if not np.isfinite(best.cost):
        return best
    found = minimise(unpacked(packed), best.x, sigmas, most)
    return found if np.isfinite(found.cost) else best


def cost_at(objective, x, sigmas) -> float:
    """Half the sum of squares at x, priors included; infinite where a member cannot be simulated."""
    evaluations = objective.evaluations(x, sigmas, gradient=False)
    if any(e.message for e in evaluations):
        return np.inf
    return sum(e.cost for e in evaluations) + objective.prior_cost(x)


def _own(objective, number):
    return [c for c in objective.columns[number].values() if objective.ranges[c].subject is not None]


def _screened(objective, x, sigmas, rng):
    """A start whose own values are, subject by subject, the best of a few draws."""
    x = x.copy()
    for number in range(len(objective.members)):
        own = _own(objective, number)
        if own:
            one = objective.alone(number, x)
            tried = np.vstack([x[own], rng.uniform(one.low, one.high, (CANDIDATES - 1, len(own)))])
            x[own] = tried[int(np.argmin([cost_at(one, z, sigmas) for z in tried]))]
    return x


def _second_look(objective, x, sigmas, most, rng):
    """x with better own values for some subjects while the shared ones are held, or None where there are none.

    A joint fit can sit in a poor valley of one subject; the others hide it.
    """
    x, moved = x.copy(), False
    for number in range(len(objective.members)):
        own = _own(objective, number)
        if not own:
            continue
        one = objective.alone(number, x)
        present = cost_at(one, x[own], sigmas)
        drawn = rng.uniform(one.low, one.high, (SECOND_LOOKS, len(own)))
        costs = np.array([cost_at(one, z, sigmas) for z in drawn])
        for i in np.argsort(costs, kind="stable")[:2]:
            if not np.isfinite(costs[i]):
                continue
            found = minimise(one, drawn[i], sigmas, most, roughly=True)
            if found.cost < present * (1 - LEAST_GAIN) - 1e-9:
                x[own], present, moved = found.x, found.cost, True
    return x if moved else None
