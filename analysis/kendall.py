"""Families of resistant cells as birth-death processes whose rates change in time (Kendall 1948).

A deterministic model relapses in every animal or in none. Here lineages arise as a Poisson process with rate J(t)
and each one lives or dies by births b(t) and deaths d(t). With E(t) the integral of b - d and

    U_t(s) = int_s^t b(x) exp(-(E(x) - E(s))) dx,    G = exp(E(t) - E(s)),    I = G U_t(s),

the size at t of a family founded by one cell at s has P(n_t >= n) = G / (1 + I) (I / (1 + I))^(n - 1). G and I reach
exp(100) and more, so everything is kept as logarithms of sums of positive terms: nothing cancels or overflows.
"""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from .lineage_panels import LineageProcess, lineage_process, rule, with_edges

__all__ = [
    "Established",
    "LineageProcess",
    "establishment_probability",
    "expected_cells",
    "expected_established",
    "lineage_process",
    "relapse_free",
    "relapse_hazard",
    "size_probability",
]


@dataclass(frozen=True)
class Established:
    """Expected number of families that never die out, and what follows from it.

    Attributes
    ----------
    total : float
        Lambda, all together.
    by_segment : tuple of float
        Those founded in each segment between breaks.
    founders : float
        Those of the families that existed at the start.

    Examples
    --------
    >>> Established(0.5, (0.3, 0.2), 0.0).relapse_probability
    0.3934693402873666
    """

    total: float
    by_segment: tuple
    founders: float

    @property
    def relapse_probability(self) -> float:
        """Probability that at least one family establishes, 1 - exp(-Lambda)."""
        return float(-np.expm1(-self.total))

    @property
    def cure_fraction(self) -> float:
        """Probability that none does, exp(-Lambda): the plateau of relapse-free survival."""
        return float(np.exp(-self.total))


def _integrals(process):
    """What a panel adds, seen from its nodes and from its left end.

    Returns E at the edges (m + 1,), E(right) - E(node) (m, q), and the logarithms of int b exp(-(E(x) - E(s))) dx
    up to the right end, for s at the nodes (m, q) and at the left end (m,).
    """
    _, weights, _, to_right = rule()
    half = np.diff(process.edges) / 2
    net = process.birth - process.death
    ahead = half[:, None] * (net @ to_right.T)
    whole = half * (net @ weights)
    births = process.birth * np.exp(ahead)
    node = half[:, None] * (births @ to_right.T) * np.exp(-ahead)
    left = half * (births @ weights) * np.exp(-whole)
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(node, 0.0)), np.log(np.maximum(left, 0.0))
    return np.concatenate([[0.0], np.cumsum(whole)]), ahead, *logs


def _log_U_edges(E, log_left, ends):
    """log U_t(edge) for every t = edges[ends]: shape (m + 1, n_t), -inf (nothing yet) from t on."""
    log_U = np.full((len(E), len(ends)), -np.inf)
    for j in range(len(E) - 2, -1, -1):
        before = ends > j
        log_U[j, before] = np.logaddexp(log_left[j], E[j] - E[j + 1] + log_U[j + 1, before])
    return log_U


def _log_probability(ahead, log_U, size):
    """log P(n_t >= size) from E(t) - E(s) and log U_t(s)."""
    log_survival = -np.logaddexp(log_U, -ahead)
    if size == 1:
        return log_survival
    return log_survival - (size - 1) * np.logaddexp(0.0, -(ahead + log_U))


def _check_size(size):
    if not (np.isfinite(size) and size >= 1):
        raise ProblemError(f"size is a number of cells, 1 or more, got {size!r}")
    return float(size)


@refuse_unknown_keywords
def size_probability(process, times, born, size=1.0) -> np.ndarray:
    """Probability that a family founded by one cell has at least a given size.

    Parameters
    ----------
    process : LineageProcess
    times : array_like of shape (n_t,)
        When it is counted.
    born : array_like of shape (n_born,)
        When it was founded.
    size : float
        Cells, 1 or more; 1 asks whether it is still there. Need not be whole.

    Returns
    -------
    ndarray of shape (n_t, n_born)
        Zero where the family is founded later than it is counted.

    Examples
    --------
    Births and deaths at equal rates: the family is there at t with probability 1 / (1 + t).

    >>> process = lineage_process(lambda t: (1.0, 1.0, 0.0), [0, 10])
    >>> print(size_probability(process, [1, 4, 9], born=[0]).ravel().round(6))
    [0.5 0.2 0.1]
    """
    size = _check_size(size)
    times, born = np.atleast_1d(np.asarray(times, float)), np.atleast_1d(np.asarray(born, float))
    finer, place = with_edges(process, np.concatenate([times, born]))
    ends, starts = place[: len(times)], place[len(times) :]
    E, _, _, log_left = _integrals(finer)
    log_U = _log_U_edges(E, log_left, ends)[starts].T
    ahead = E[ends][:, None] - E[starts][None, :]
    with np.errstate(over="ignore"):
        answer = np.exp(_log_probability(ahead, log_U, size))
    same, later = starts[None, :] == ends[:, None], starts[None, :] > ends[:, None]
    return np.where(later, 0.0, np.where(same, float(size <= 1), answer))


def _log_extinction_free(process):
    """-log P(never extinct) at nodes (m, q) and edges (m + 1,): log(U + exp(-(E(end) - E(s))) b / (b - d))."""
    E, ahead, log_node, log_left = _integrals(process)
    b, d = process.tail
    log_z = np.empty(len(E))
    log_z[-1] = np.log(b) - np.log(b - d) if b > d else np.inf
    for j in range(len(E) - 2, -1, -1):
        log_z[j] = np.logaddexp(log_left[j], E[j] - E[j + 1] + log_z[j + 1])
    return np.logaddexp(log_node, -ahead + log_z[1:, None]), log_z


def establishment_probability(process, born) -> np.ndarray:
    """Probability that a family founded by one cell never dies out.

    The rates after the end decide: 1 - d/b there if births outweigh deaths, otherwise 0; earlier births meet the
    segments in between.

    Parameters
    ----------
    process : LineageProcess
    born : array_like of shape (n_born,)
        When it is founded.

    Returns
    -------
    ndarray of shape (n_born,)

    Examples
    --------
    >>> process = lineage_process(lambda t: (0.3, 0.22, 0.0), [0, 100])
    >>> print(establishment_probability(process, [0, 50]).round(6))
    [0.266667 0.266667]
    """
    finer, place = with_edges(process, np.atleast_1d(np.asarray(born, float)))
    return np.exp(-_log_extinction_free(finer)[1][place])


def expected_established(process) -> Established:
    """Expected number of families that never die out, Lambda = int J(s) P(established | s) ds.

    Families founded after the end of the process are left out: let it reach until the source is spent.

    Parameters
    ----------
    process : LineageProcess

    Returns
    -------
    Established
        Total and parts, relapse probability and cure fraction.

    Examples
    --------
    >>> process = lineage_process(lambda t: (0.3, 0.2, 0.05), [0, 10, 20])
    >>> lineages = expected_established(process)
    >>> print(f"{lineages.total:.6f}, {lineages.by_segment[0]:.6f}, {lineages.cure_fraction:.6f}")
    0.333333, 0.166667, 0.716531
    """
    at_nodes, at_edges = _log_extinction_free(process)
    parts = np.diff(process.edges) / 2 * ((process.source * np.exp(-at_nodes)) @ rule()[1])
    segment = np.searchsorted(process.breaks, process.times[:, 0]) - 1
    by_segment = np.bincount(segment, parts, minlength=len(process.breaks) - 1)
    founders = float(process.founders * np.exp(-at_edges[0]))
    return Established(float(by_segment.sum() + founders), tuple(by_segment.tolist()), founders)


def _founded(process, times, log_weight):
    """Families founded until each time, each counted exp(log_weight(E(t) - E(s), log U_t(s))): shape (n_t,)."""
    finer, place = with_edges(process, np.atleast_1d(np.asarray(times, float)))
    E, ahead, log_node, log_left = _integrals(finer)
    mass = finer.source * (np.diff(finer.edges) / 2)[:, None] * rule()[1]
    log_U_edges = _log_U_edges(E, log_left, place)
    answer = np.empty(len(place))
    for i, end in enumerate(place):
        to_t = E[end] - E[1 : end + 1, None] + ahead[:end]
        log_U = np.logaddexp(log_node[:end], log_U_edges[1 : end + 1, i, None] - ahead[:end])
        answer[i] = np.sum(mass[:end] * np.exp(log_weight(to_t, log_U)))
        if process.founders:
            answer[i] += process.founders * np.exp(log_weight(E[end] - E[0], log_U_edges[0, i]))
    return answer


@refuse_unknown_keywords
def relapse_hazard(process, times, size) -> np.ndarray:
    """Expected number of families of at least a given size, H(t) = int_0^t J(s) P(n_t >= size | s) ds.

    Parameters
    ----------
    process : LineageProcess
    times : array_like of shape (n_t,)
    size : float
        Cells at which a family is seen as a relapse, 1 or more.

    Returns
    -------
    ndarray of shape (n_t,)

    Examples
    --------
    >>> process = lineage_process(lambda t: (0.3, 0.2, 0.05 * (t < 10)), [0, 10, 400])
    >>> print(relapse_hazard(process, [120, 150, 400], size=1e6).round(6))
    [0.007528 0.140055 0.166667]
    """
    size = _check_size(size)
    return _founded(process, times, lambda ahead, log_U: _log_probability(ahead, log_U, size))


@refuse_unknown_keywords
def relapse_free(process, times, size) -> np.ndarray:
    """Probability that no family has reached a given size, exp(-H(t)).

    Parameters
    ----------
    process : LineageProcess
    times : array_like of shape (n_t,)
    size : float
        Cells at which a family is seen as a relapse, 1 or more.

    Returns
    -------
    ndarray of shape (n_t,)
        From 1 towards `expected_established(process).cure_fraction`.

    Examples
    --------
    >>> process = lineage_process(lambda t: (0.3, 0.2, 0.05 * (t < 10)), [0, 10, 400])
    >>> print(relapse_free(process, [120, 150, 400], size=1e6).round(6))
    [0.9925   0.86931  0.846482]
    """
    return np.exp(-relapse_hazard(process, times, size))


def expected_cells(process, times) -> np.ndarray:
    """Expected number of cells of all families, which solves R' = (b - d) R + J.

    Rare early families carry most of it; it is not the size of a tumour.

    Parameters
    ----------
    process : LineageProcess
    times : array_like of shape (n_t,)

    Returns
    -------
    ndarray of shape (n_t,)

    Examples
    --------
    >>> process = lineage_process(lambda t: (0.3, 0.2, 0.05), [0, 10])
    >>> print(expected_cells(process, [10]).round(6))
    [0.859141]
    """
    return _founded(process, times, lambda ahead, log_U: ahead)
