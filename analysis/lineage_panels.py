"""Rates of a birth-death process on Gauss-Legendre panels: adaptive cutting, splitting at given times, integrals."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.polynomial import legendre

from remission.models.errors import ProblemError, refuse_unknown_keywords

__all__ = ["LineageProcess", "lineage_process"]

ORDER = 10  # a panel holds at most one event per cell, where ten nodes resolve exp(-x) to 1e-13
FIRST_CUT = 4
MAX_PANELS = 100_000
MAX_ROUNDS = 45
SOURCE_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class LineageProcess:
    """Births, deaths and founding of resistant families, on panels fine enough to integrate them.

    Made by `lineage_process`; the fields are there to be read.

    Attributes
    ----------
    edges : ndarray of shape (m + 1,)
        Ends of the panels; every break is among them.
    times, birth, death, source : ndarray of shape (m, q)
        Gauss-Legendre nodes and the values there; rates per cell and time, source in families per time.
    breaks : ndarray of shape (k + 1,)
        Ends of the k segments.
    founders : float
        Expected number of families that exist at the start (Poisson), one cell each.
    tail : tuple of float
        Birth and death rate of ever after.
    """

    edges: np.ndarray
    times: np.ndarray
    birth: np.ndarray
    death: np.ndarray
    source: np.ndarray
    breaks: np.ndarray
    founders: float
    tail: tuple

    def __repr__(self):
        return (
            f"LineageProcess(t = {self.edges[0]:g} to {self.edges[-1]:g}, {len(self.breaks) - 1} segments, "
            f"{len(self.times)} panels, tail birth {self.tail[0]:g}, death {self.tail[1]:g})"
        )


@cache
def rule():
    """Nodes (q,), weights (q,), values -> Legendre coefficients (q, q), and integrals from node to right end (q, q)."""
    nodes, weights = legendre.leggauss(ORDER)
    to_coefficients = np.linalg.inv(legendre.legvander(nodes, ORDER - 1))
    P = legendre.legvander(nodes, ORDER)
    n = np.arange(1, ORDER)
    integrals = np.column_stack([1 - nodes, (P[:, n - 1] - P[:, n + 1]) / (2 * n + 1)])
    return nodes, weights, to_coefficients, integrals @ to_coefficients


def panel_nodes(left, right):
    """Times of shape (m, q) at the Gauss-Legendre nodes of m panels."""
    return left[:, None] + (right - left)[:, None] * (rule()[0] + 1) / 2


def evaluate(rates, times):
    """Birth, death and source at times of any shape, stacked to (3, *shape); refuses values without meaning."""
    flat = np.asarray(times, float).ravel()
    answer = rates(flat)
    if len(answer) != 3:
        raise ProblemError(f"rates(t) has to return birth, death and source; it returned {len(answer)} things")
    values = np.stack([np.broadcast_to(np.asarray(part, float), flat.shape) for part in answer])
    for name, row in zip(("birth", "death", "source"), values, strict=True):
        bad = ~np.isfinite(row)
        if name != "source":
            bad |= row < 0
        else:  # a source made of integrated states may round below zero where it is nothing
            bad |= row < -SOURCE_ROUNDING * np.max(np.abs(row), initial=0.0)
        if bad.any():
            first = np.argmax(bad)
            raise ProblemError(
                f"the {name} of a lineage has to be finite and not negative, but is {row[first]:g} at t = "
                f"{flat[first]:g}; a density brake may take births to zero, not below"
            )
    return np.maximum(values, 0.0).reshape(3, *np.shape(times))


def cut(rates, breaks, rtol):
    """Bisect the segments between breaks until each panel is resolved: edges (m+1,) and values (3, m, q).

    A panel is resolved when a cell has at most one birth or death in it and the last Legendre coefficients of the
    rates and of the source, times the width, are below `rtol`: what they leave out of an exponent or of the total.
    """
    fine = np.unique(np.concatenate([np.linspace(a, b, FIRST_CUT + 1) for a, b in pairwise(breaks)]))
    left, right = fine[:-1], fine[1:]
    done_left, done_right, done_values, done_source = [], [], [], 0.0
    _, weights, to_coefficients, _ = rule()
    for round_ in range(MAX_ROUNDS):
        values = evaluate(rates, panel_nodes(left, right))
        width = right - left
        coefficients = values @ to_coefficients.T
        missing = width * np.abs(coefficients[..., -2:]).max(axis=-1)  # (3, m)
        amount = width * (values[2] @ weights) / 2
        turnover = width * ((values[0] + values[1]) @ weights) / 2
        total = max(done_source + amount.sum(), np.finfo(float).tiny)
        resolved = (turnover <= 1) & (missing[:2].max(axis=0) <= rtol) & (missing[2] <= rtol * total)
        resolved |= round_ == MAX_ROUNDS - 1
        done_left.append(left[resolved])
        done_right.append(right[resolved])
        done_values.append(values[:, resolved])
        done_source += amount[resolved].sum()
        if resolved.all():
            break
        left, right = left[~resolved], right[~resolved]
        middle = (left + right) / 2
        left, right = np.column_stack([left, middle]).ravel(), np.column_stack([middle, right]).ravel()
        if left.size + sum(map(len, done_left)) > MAX_PANELS:
            raise ProblemError(
                f"the rates of the lineage need more than {MAX_PANELS} panels: near t = {left[0]:g} they are too fast "
                "or too rough; give every jump as a break, or a larger rtol"
            )
    left = np.concatenate(done_left)
    order = np.argsort(left)
    return np.append(left[order], breaks[-1]), np.concatenate(done_values, axis=1)[:, order]


def on_edges(values, edges, new_edges):
    """Carry values (3, m, q) on panels `edges` to panels `new_edges`, of which every one lies in one old panel."""
    left, right = new_edges[:-1], new_edges[1:]
    parent = np.clip(np.searchsorted(edges, (left + right) / 2) - 1, 0, len(edges) - 2)
    carried = values[:, parent].copy()
    cut_ = (edges[parent] != left) | (edges[parent + 1] != right)
    if cut_.any():
        a, b = edges[parent[cut_]], edges[parent[cut_] + 1]
        local = 2 * (panel_nodes(left[cut_], right[cut_]) - a[:, None]) / (b - a)[:, None] - 1
        coefficients = values[:, parent[cut_]] @ rule()[2].T
        polynomials = legendre.legvander(local, ORDER - 1)
        carried[:, cut_] = np.maximum(np.einsum("pqn,kpn->kpq", polynomials, coefficients), 0.0)
    return carried


@refuse_unknown_keywords
def lineage_process(rates, breaks, *, founders=0.0, tail=None, rtol=1e-8, edges=None) -> LineageProcess:
    """Rates of resistant families, cut into panels that resolve them.

    Parameters
    ----------
    rates : callable
        `rates(t)` with `t` of shape (n,) gives birth and death (per cell and time) and source (families per time),
        each of shape (n,) or a number. It is never called at a break, so either side of a jump will do.
    breaks : sequence of float
        Start, every time at which a rate jumps (a dose, the start of therapy), end. A jump that is not named is
        found by bisection, at a cost.
    founders : float
        Expected number of families at the start, each of one cell.
    tail : (float, float), optional
        Birth and death rate after the end, for ever. Default: the rates reached at the end.
    rtol : float
        Error allowed in the exponents and, relative, in the total source. Noise of a numerical solution above
        it is chased in vain; set it near the tolerance of that solution.
    edges : ndarray, optional
        `process.edges` of another process: its panels are used again, without refinement. Finite differences in a
        parameter are smooth then.

    Returns
    -------
    LineageProcess
        Input of every function of `kendall`.

    Raises
    ------
    ProblemError
        If the breaks do not increase, or a rate is negative, not finite, or too rough to resolve.

    Examples
    --------
    Resistant cells grow until therapy at day 90 and are founded by a tumour that doubles every 3.5 days:

    >>> import numpy as np
    >>> from remission.analysis.kendall import expected_established
    >>> def rates(t):
    ...     on = t > 90
    ...     return 0.3, np.where(on, 0.22, 0.15), np.where(on, 0.0, 1e-9 * np.exp(0.2 * t))
    >>> process = lineage_process(rates, [0, 90, 400])
    >>> print(f"{expected_established(process).relapse_probability:.4f}")
    0.1063
    """
    breaks = np.asarray(breaks, float)
    if breaks.ndim != 1 or breaks.size < 2 or not np.all(np.isfinite(breaks)) or not np.all(np.diff(breaks) > 0):
        raise ProblemError(f"breaks have to be at least two finite, increasing times, got {breaks.tolist()}")
    if not (np.isfinite(founders) and founders >= 0):
        raise ProblemError(f"founders is an expected number of families, 0 or more, got {founders!r}")
    if edges is None:
        edges, values = cut(rates, breaks, rtol)
    else:
        edges = np.union1d(np.asarray(edges, float), breaks)
        if edges[0] != breaks[0] or edges[-1] != breaks[-1]:
            raise ProblemError(
                f"edges reach from {edges[0]:g} to {edges[-1]:g}, breaks do from {breaks[0]:g} to {breaks[-1]:g}"
            )
        values = evaluate(rates, panel_nodes(edges[:-1], edges[1:]))
    if tail is None:
        # Legendre polynomials are 1 at the right end: the sum of the coefficients is the value there
        tail = np.maximum((values[:2, -1] @ rule()[2].T).sum(axis=-1), 0.0)
    tail = tuple(float(v) for v in tail)
    if len(tail) != 2 or not all(np.isfinite(v) and v >= 0 for v in tail):
        raise ProblemError(f"tail is the birth and death rate after the end, both 0 or more, got {tail}")
    times = panel_nodes(edges[:-1], edges[1:])
    return LineageProcess(edges, times, *values, breaks, float(founders), tail)


def with_edges(process, times):
    """The same process with the given times among its edges, and their places there."""
    times = np.asarray(times, float)
    first, last = process.edges[[0, -1]]
    if not np.all((times >= first) & (times <= last)):
        outside = times[~((times >= first) & (times <= last))]
        raise ProblemError(f"the lineages are known from t = {first:g} to {last:g}; t = {outside.flat[0]:g} is outside")
    edges = np.union1d(process.edges, times)
    values = on_edges(np.stack([process.birth, process.death, process.source]), process.edges, edges)
    nodes = panel_nodes(edges[:-1], edges[1:])
    finer = LineageProcess(edges, nodes, *values, process.breaks, process.founders, process.tail)
    return finer, np.searchsorted(edges, times)
