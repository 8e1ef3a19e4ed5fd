"""Rest points of a field: starts, faces on which states stay zero, one entry a root, continua, stability."""

import itertools
from dataclasses import dataclass

import numpy as np

from . import newton

__all__ = ["Point", "search"]

SAME = 1e-7  # scaled distance of two results that are one root
SINGULAR = 1e-6  # singular values of a scaled Jacobian that small may be zero; stepping along decides
MOST_FACES = 64


@dataclass(frozen=True, eq=False)
class Point:
    """A root.

    Attributes
    ----------
    y : (n,) array
    step : float
        Length of the last Newton step, in scaled states.
    residual : float
    family : bool
        Whether it is one of a continuum.
    """

    y: np.ndarray
    step: float
    residual: float
    family: bool = False


def search(field, n_starts, rng):
    """All roots found, each once.

    Parameters
    ----------
    field : newton.Field
    n_starts : int
        Starts in the whole box.
    rng : numpy.random.Generator

    Returns
    -------
    list of Point, int
        Roots, and the number of starts that were made.
    """
    found, tries = [], 0
    for free in faces(field, rng):
        k = int(free.sum())
        count = 1 if k == 0 else max(8, n_starts * k // field.n)
        for start in starts(field, free, count, rng):
            tries += 1
            root = newton.solve_from(field, start, None if free.all() else free)
            if root is not None:
                _keep(field, found, tidy(field, *root))
    return _without_repeats_of_families(field, found), tries


def faces(field, rng):
    """Masks of free states: the whole box, then every set of states that can be zero and then stays zero."""
    yield np.ones(field.n, dtype=bool)
    can = [i for i in range(field.n) if field.low[i] <= 0 <= field.high[i]]
    inside = field.low + (field.high - field.low) * rng.random((6, field.n))
    sets = (c for size in range(1, len(can) + 1) for c in itertools.combinations(can, size))
    made = 0
    for zero in sets:
        if made == MOST_FACES:
            return
        rows, trial = list(zero), inside.copy()
        trial[:, rows] = 0.0
        with np.errstate(all="ignore"):
            rates = np.array([field.tangent(y)[0][rows] for y in trial])
        if np.all(rates == 0):
            made += 1
            free = np.ones(field.n, dtype=bool)
            free[rows] = False
            yield free


def starts(field, free, count, rng):
    """Starts in the free part of the box: even, and even in the logarithm over ten decades."""
    low, high = field.low, field.high
    for i in range(count):
        unit = rng.random(field.n)
        if i % 2:
            y = low + (high - low) * unit
        else:
            small = np.maximum(low, 1e-10 * field.scale)
            positive = high > small
            exponent = np.log(small) + unit * (np.log(np.where(positive, high, small * 2)) - np.log(small))
            y = np.where(positive, np.exp(exponent), low + (high - low) * unit)
        yield np.where(free, y, 0.0)


def tidy(field, y, step):
    """Polish a result by full Newton steps; make a state exactly zero where that is a root as well."""
    for _ in range(3):
        residual, jacobian = field.equations(y)
        move = newton.step_of(residual, jacobian)
        if not np.all(np.isfinite(move)) or np.max(np.abs(move)) > 1e-6:
            break
        trial = y + field.scale * move
        if np.linalg.norm(field.equations(trial)[0]) > np.linalg.norm(residual):
            break
        y, step = trial, float(np.max(np.abs(move)))
    near = (np.abs(y) < 1e-9 * field.scale) & (y != 0)
    for i in np.flatnonzero(near):
        trial = y.copy()
        trial[i] = 0.0
        if np.linalg.norm(field.equations(trial)[0]) <= np.linalg.norm(field.equations(y)[0]) * (1 + 1e-9) + 1e-14:
            y = trial
    slack = 1e-9 * (field.high - field.low)
    outside = np.any((y < field.low - slack) | (y > field.high + slack))
    residual = field.relative_residual(y)
    if outside or not residual <= 1e-6 or not np.linalg.norm(field.equations(y)[0]) <= 1e-8:
        return None
    return Point(y, step, residual)


def _keep(field, found, point):
    """Add a root unless it is there; keep the better of two that are one."""
    if point is None:
        return
    for i, other in enumerate(found):
        if np.all(np.abs(point.y - other.y) <= _width(field, point, other)):
            if point.residual < other.residual:
                found[i] = point
            return
    found.append(point)


def _width(field, one, other):
    """Distance within which two roots are one: relative to their size, and wider where the Jacobian is singular."""
    size = np.maximum(np.abs(one.y), np.abs(other.y))
    step = 10 * max(one.step, other.step)
    return SAME * size + 1e-11 * field.scale + (step * field.scale if step > 1e-10 else 0.0)


# --- continua ---------------------------------------------------------------------------------------------------------


def null_directions(field, y):
    """Directions (m, n) in which the scaled equations do not change, to first order."""
    _, jacobian = field.equations(y)
    if not np.all(np.isfinite(jacobian)):
        return np.zeros((0, jacobian.shape[1]))
    rows = np.linalg.norm(jacobian, axis=1)
    _, sizes, directions = np.linalg.svd(jacobian / np.where(rows > 0, rows, 1.0)[:, None])
    sizes = np.concatenate([sizes, np.zeros(jacobian.shape[1] - len(sizes))])
    return directions[sizes <= SINGULAR * max(sizes[0], 1e-300)]


def is_family(field, y) -> bool:
    """Whether roots go on in a null direction: a step along it, corrected, ends at another root."""
    for direction in null_directions(field, y):
        for way in (1e-3, -1e-3):
            landed = land(field, y + way * field.scale * direction)
            if landed is not None and np.max(np.abs(landed - y) / field.scale) > 0.3 * abs(way):
                return True
    return False


def land(field, y):
    """The root nearest to y by steps of least length, or None."""
    for _ in range(12):
        residual, jacobian = field.equations(y)
        if not (np.all(np.isfinite(residual)) and np.all(np.isfinite(jacobian))):
            return None
        if np.linalg.norm(residual) <= 1e-15:
            return y
        step = np.linalg.lstsq(jacobian, -residual, rcond=1e-7)[0]
        y = y + field.scale * step
        if np.max(np.abs(step)) < 1e-14:
            break
    return y if field.relative_residual(y) <= 1e-12 else None


def _without_repeats_of_families(field, found):
    """Mark members of continua and keep of each continuum the one nearest to the middle of the box."""
    single, families = [], []
    middle = (field.low + field.high) / 2
    for point in found:
        if len(null_directions(field, point.y)) and is_family(field, point.y):
            families.append(Point(point.y, point.step, point.residual, True))
        else:
            single.append(point)
    families.sort(key=lambda p: float(np.max(np.abs(p.y - middle) / field.scale)))
    kept = []
    for point in families:
        if not any(connected(field, point.y, other.y) for other in kept):
            kept.append(point)
    return single + kept


def connected(field, a, b):
    """Whether roots lie all along the way from a to b: the straight way, each point corrected."""
    reach = np.max(np.abs(b - a) / field.scale)
    for part in np.linspace(0, 1, 10)[1:-1]:
        y = a + part * (b - a)
        landed = land(field, y)
        if landed is None or np.max(np.abs(landed - y) / field.scale) > 0.2 * reach + 1e-9:
            return False
    return True


# --- stability --------------------------------------------------------------------------------------------------------


def stability(field, point):
    """Eigenvalues, largest real part first, and the verdict; on the surface of the conserved totals."""
    jacobian, error = _scaled_jacobian(field, point)
    if len(field.totals):
        _, sizes, directions = np.linalg.svd(field.weights * field.scale)
        basis = directions[np.sum(sizes > 1e-12 * sizes[0]) :]
        jacobian = basis @ jacobian @ basis.T
    if not jacobian.size:
        return np.zeros(0, dtype=complex), "stable"
    if not (np.all(np.isfinite(jacobian)) and np.isfinite(error)):  # a logarithm or a root of a state that is zero
        return np.full(len(jacobian), np.nan + 0j), "undecided"
    values, vectors = np.linalg.eig(jacobian)
    order = np.lexsort((-values.imag, -values.real))
    values = values[order].astype(complex)
    condition = min(np.linalg.cond(vectors), 1e6)
    size = float(np.linalg.norm(jacobian))
    doubt = condition * (1e3 * newton.ROUNDING * size + error)
    top = values[0].real
    verdict = (
        "undecided" if abs(top) <= doubt or (point.family and top <= doubt) else "unstable" if top > 0 else "stable"
    )
    return values, verdict


def _scaled_jacobian(field, point):
    """Jacobian in units in which it is balanced, and by how much an error of the root would change it."""
    from scipy.linalg import matrix_balance

    _, jacobian = field.tangent(point.y)
    _, by_shift = field.tangent(point.y + field.scale * max(point.step, 1e-15))
    ratio = field.scale / field.scale[:, None]
    scaled, change = jacobian * ratio, (by_shift - jacobian) * ratio
    if not np.all(np.isfinite(scaled)):
        return scaled, np.inf
    if not len(field.totals):
        balanced, (scaling, _) = matrix_balance(scaled, permute=False, separate=True)
        return balanced, float(np.linalg.norm(change * scaling / scaling[:, None]))
    return scaled, float(np.linalg.norm(change))
