"""Families of several types: the probability that the descendants of one cell never die out.

A resistant family that changes its type as it grows (by missegregation, by mutation) is no single birth-death
process. Here each type has its events, and the probabilities solve the equations of a multi-type branching process.
"""

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

__all__ = ["establishment_by_type", "ladder_establishment", "ladder_lineages"]

MOST_ROUNDS = 400
AGREES = 1e-9  # relative; a ladder's table of rates is rebuilt to this from what the model says


@refuse_unknown_keywords
def establishment_by_type(events) -> np.ndarray:
    """Probability, for each type, that the family of one cell never dies out.

    Parameters
    ----------
    events : sequence of length n of sequences of (rate, offspring)
        What may happen to a cell of each type: a rate per unit of time, and the types (0 to n - 1) that then stand
        in its place, with repeats; `()` is death.

    Returns
    -------
    (n,) array
        The largest solution of `sum over events of rate (1 - prod over offspring (1 - p)) = p sum of rates`;
        zero for a type whose family dies out for certain.

    Raises
    ------
    ProblemError
        If a rate is negative, or an offspring is not a type.

    Notes
    -----
    Newton's method from p = 1 falls monotonically onto the largest solution. Rates are constant and families do not
    feel each other.

    References
    ----------
    .. [1] Athreya and Ney (1972), Branching Processes, chapter V.

    Examples
    --------
    One type with births 0.3 and deaths 0.22; a second one that only turns into the first:

    >>> events = [[(0.3, (0, 0)), (0.22, ())], [(0.1, (0,)), (0.1, ())]]
    >>> establishment_by_type(events).round(6).tolist()
    [0.266667, 0.133333]
    """
    n = len(events)
    for i, listed in enumerate(events):
        for rate, offspring in listed:
            if not (np.isfinite(rate) and rate >= 0):
                raise ProblemError(f"events of type {i}: a rate is finite and 0 or more, got {rate!r}")
            if any(o not in range(n) for o in offspring):
                raise ProblemError(f"events of type {i}: offspring {tuple(offspring)} are not among the {n} types")
    p = np.ones(n)
    for _ in range(MOST_ROUNDS):
        value, slope = _balance(events, p)
        lower = np.clip(p - _solved(slope, value), 0.0, p)
        lower[lower < 1e-290] = 0.0
        if np.all(p - lower <= 1e-15 * p):
            return lower
        p = lower
    return p  # critical families: p halves every round and is as good as zero


def _balance(events, p):
    """Gains minus losses of p, and their derivatives."""
    n = len(p)
    value, slope = np.zeros(n), np.zeros((n, n))
    for i, listed in enumerate(events):
        for rate, offspring in listed:
            alive = 0.0  # 1 - prod (1 - p), without cancellation
            for k in offspring:
                alive += p[k] - alive * p[k]
            value[i] += rate * (alive - p[i])
            slope[i, i] -= rate
            for at, k in enumerate(offspring):
                others = np.prod([1 - p[o] for other, o in enumerate(offspring) if other != at])
                slope[i, k] += rate * others
    return value, slope


def _solved(slope, value):
    idle = ~slope.any(axis=1)  # a type to which nothing happens lives for ever
    slope = slope + np.diag(idle.astype(float))
    try:
        return np.linalg.solve(slope, value)
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(slope, value, rcond=None)[0]


@refuse_unknown_keywords
def ladder_establishment(problem, inputs=None) -> np.ndarray:
    """Probability, for each class of a karyotype ladder, that the family of one cell never dies out.

    Parameters
    ----------
    problem : Problem
        Of `karyotype_ladder`; its parameters are used, without crowding.
    inputs : dict, optional
        Constant levels, such as `{"u": 1}`; those not given are 0.

    Returns
    -------
    (n,) array
        In the order of the classes. Of `cells` (n,) at the start of a therapy at least one family establishes with
        probability `1 - exp(-cells @ p)`.

    Raises
    ------
    ProblemError
        If the model is not a ladder.

    Notes
    -----
    Births, deaths and the spread of daughters are read off the equations: at a division of class j, k strays make
    daughters j + k and j - k. Classes that hold less than a cell carry their number in rare lineages; counting them
    as independent founders then overstates relapse.

    Examples
    --------
    >>> from remission.models import karyotype_ladder
    >>> from remission.solvers import Problem
    >>> ladder_establishment(Problem(karyotype_ladder()), {"u": 1}).round(4).tolist()
    [0.0, 0.0, 0.0003, 0.0212, 0.1014, 0.1205, 0.0937, 0.0399]
    """
    system, n = problem.system, len(problem.model.states)
    levels = dict.fromkeys(system.inputs, 0.0) | dict(inputs or {})
    if unknown := set(levels) - set(system.inputs):
        raise ProblemError(f"{problem.model.name} has no input {sorted(unknown)[0]!r}; there is {system.inputs}")
    beta = problem.parameters.get("beta")
    if beta is None or system.states != tuple(f"x_{i}" for i in range(1, n + 1)):
        raise ProblemError(f"ladder_establishment: {problem.model.name} is no karyotype ladder (x_1 ... x_n, beta)")
    table = system.jac(problem.t_span[0], np.zeros(n), problem.p, [levels[name] for name in system.inputs])
    for spread in (_binomial, _one_step):
        births, losses = _births_and_losses(table, spread, beta)
        if np.allclose(_table(births, losses, spread, beta), table, rtol=AGREES, atol=AGREES * np.abs(table).max()):
            return establishment_by_type([_events(j, n, births, losses, spread, beta) for j in range(1, n + 1)])
    raise ProblemError(f"ladder_establishment: the equations of {problem.model.name} are not those of a ladder")


@refuse_unknown_keywords
def ladder_lineages(solution):
    """Expected families of a karyotype ladder that outlive its last phase of treatment, by class.

    Parameters
    ----------
    solution : Solution
        Of `karyotype_ladder`. The phase that counts is the last stretch of constant inputs: the therapy.

    Returns
    -------
    ExpectedLineages
        Each cell that is there when the phase starts founds a family and is counted with its `ladder_establishment`;
        `by_clone` says from which classes. Gives `relapse_probability`, `cure_fraction` and `between_subjects`.

    Raises
    ------
    ProblemError
        If the model is not a ladder.

    Notes
    -----
    Cells are taken as independent (Poisson) founders, and the therapy as lasting for ever without crowding. Classes
    that hold less than a cell on average carry that number in rare, large families: relapse is then overstated.

    Examples
    --------
    >>> from remission.models import karyotype_ladder
    >>> from remission.solvers import Problem, Treatment, solve
    >>> therapy = Treatment.switch_when({"u": 1}, of="burden", above=2000)
    >>> found = ladder_lineages(solve(Problem(karyotype_ladder(), t_span=(0, 100), treatment=therapy)))
    >>> print(f"{found.total:.4f} families, relapse in {100 * found.relapse_probability:.1f} %")
    0.0293 families, relapse in 2.9 %
    """
    from .lineages import ExpectedLineages, _phases

    solution.require()
    problem, system = solution.problem, solution.problem.system
    start, end = _phases(solution)[-1]
    segment = next(s for s in solution.trace.segments if s.end > s.start >= start)
    levels = dict(zip(system.inputs, segment.inputs.tolist(), strict=True))
    counts = np.maximum(segment.z_start[: system.n], 0.0) * ladder_establishment(problem, levels)
    by_class = dict(zip(system.states, counts.tolist(), strict=True))
    total = float(counts.sum())
    return ExpectedLineages(problem, system.states, total, (total,), ((start, end),), by_class, founders=0.0)


def _binomial(j, beta):
    """Probability of each number of strays, without those that never happen in practice."""
    from scipy.stats import binom

    found = [(k, float(w)) for k, w in enumerate(binom.pmf(np.arange(j + 1), j, beta))]
    return [(k, w) for k, w in found if k < 2 or w > 1e-13]


def _one_step(j, beta):
    return [(0, (1 - beta) ** j), (1, 1 - (1 - beta) ** j)]


def _births_and_losses(table, spread, beta):
    """Births and deaths of each class from the flow to its neighbour and from the diagonal."""
    n = len(table)
    births, losses = np.zeros(n), np.zeros(n)
    for j in range(1, n + 1):
        chances = dict(spread(j, beta))
        if beta > 0:
            births[j - 1] = table[j if j < n else j - 2, j - 1] / chances[1]
        losses[j - 1] = (2 * chances[0] - 1) * births[j - 1] - table[j - 1, j - 1]
    return births, losses


def _table(births, losses, spread, beta):
    n = len(births)
    table = -np.diag(births + losses)
    for j in range(1, n + 1):
        for k, chance in spread(j, beta):
            for i in (j + k, j - k):
                if 1 <= i <= n:
                    table[i - 1, j - 1] += chance * births[j - 1]
    return table


def _events(j, n, births, losses, spread, beta):
    """Events of class j; daughters off the ladder die."""
    found = [(max(losses[j - 1], 0.0), ())]
    for k, chance in spread(j, beta):
        found.append((births[j - 1] * chance, tuple(i - 1 for i in (j - k, j + k) if 1 <= i <= n)))
    return found
