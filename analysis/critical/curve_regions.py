"""Parts of the plane of two parameters between threshold curves, each named by the steady states inside it."""

import itertools
from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError

from ..steady_states import steady_states
from .moved import at_value
from .special import tumour_names

__all__ = ["Regions", "regions_of"]

SMALLEST = 9  # cells: what is smaller is a crack between curves


@dataclass(frozen=True, eq=False, repr=False)
class Regions:
    """A picture of the plane.

    Attributes
    ----------
    against, of : (k,) arrays
        Middles of the cells.
    which : (k, k) int array
        Region of each cell, rows over `of`; -1 on the curves.
    names : tuple of str
        What becomes of the tumour there, in words.
    places : tuple of (float, float)
        A point well inside each, `(against, of)`.
    counts : tuple of dict
        Stable and all steady states at that point: `"tumour-free"` (whether it is there and stable, None if it is not
        there), `"stable with tumour"`, `"all"`; `"stable"` too where a model has no tumour.
    """

    against: np.ndarray
    of: np.ndarray
    which: np.ndarray
    names: tuple
    places: tuple
    counts: tuple

    def __len__(self):
        return len(self.names)

    def name_at(self, against, of) -> str:
        """Words at a point of the plane; empty on a curve."""
        j = int(np.argmin(np.abs(self.against - against)))
        i = int(np.argmin(np.abs(self.of - of)))
        at = self.which[i, j]
        return "" if at < 0 else self.names[at]

    def __str__(self):
        lines = [
            f"  {name} (at {x:.4g}, {y:.4g}: {c['all']} steady states, {c['stable with tumour']} stable with tumour)"
            for name, (x, y), c in zip(self.names, self.places, self.counts, strict=True)
        ]
        return "\n".join([f"{len(self)} regions", *lines])


def regions_of(curve, n) -> Regions:
    """The regions between the pieces of a curve.

    Parameters
    ----------
    curve : ThresholdCurve
        Of bifurcations of steady states.
    n : int

    Returns
    -------
    Regions
    """
    from scipy import ndimage

    if any(p.mechanism not in ("fold", "Hopf", "transcritical") for p in curve.pieces):
        raise ProblemError("regions: these thresholds are not bifurcations of steady states alone")
    walls = _walls(_whole(curve), n)
    labels, count = ndimage.label(~walls)
    inside = ndimage.distance_transform_edt(np.pad(~walls, 1))[1:-1, 1:-1]
    x, y = (low + (np.arange(n) + 0.5) / n * (high - low) for low, high in (curve.span, curve.within))
    which = np.full((n, n), -1)
    names, places, counts = [], [], []
    for k in range(1, count + 1):
        cells = labels == k
        if cells.sum() < SMALLEST:
            continue
        i, j = np.unravel_index(np.argmax(np.where(cells, inside, -1.0)), cells.shape)
        found = _counts(curve, x[j], y[i])
        which[cells] = len(names)
        names.append(_words(found))
        places.append((float(x[j]), float(y[i])))
        counts.append(found)
    return Regions(x, y, which, tuple(names), tuple(places), tuple(counts))


def _whole(curve):
    """The curve with all its kinds: regions between those of one kind alone would mix what is on either side."""
    from .curve import threshold_curve

    if not curve.kind:
        return curve
    options = {name: curve.options[name] for name in ("box", "time_limit") if name in curve.options}
    return threshold_curve(curve.problem, curve.of, curve.against, curve.span, within=curve.within, **options)


def _walls(curve, n):
    """Cells that a curve passes."""
    walls = np.zeros((n, n), dtype=bool)
    ranges = np.array([curve.span, curve.within])
    lows, sizes = ranges[:, 0], np.ptp(ranges, axis=1)
    for p in curve.pieces:
        z = (np.column_stack([p.against, p.values]) - lows) / sizes * n
        for a, b in itertools.pairwise(z):
            count = int(np.ceil(4 * np.max(np.abs(b - a)))) + 1
            cells = np.floor(a + np.linspace(0, 1, count)[:, None] * (b - a)).astype(int)
            cells = cells[np.all((cells >= 0) & (cells <= n), axis=1)].clip(max=n - 1)
            walls[cells[:, 1], cells[:, 0]] = True
    return walls


def _counts(curve, x, y):
    problem = at_value(at_value(curve.problem, curve.against, float(x)), curve.of, float(y))
    names = tumour_names(problem)
    try:
        found = steady_states(problem, box=curve.options.get("box"))
    except ProblemError:
        return {"tumour-free": None, "stable with tumour": 0, "all": -1}
    if not names:
        stable = sum(s.stability == "stable" for s in found)
        return {"tumour-free": None, "stable with tumour": 0, "all": len(found), "stable": stable}
    largest = max((sum(s.values[n] for n in names) for s in found), default=0.0)
    free = [s for s in found if sum(s.values[n] for n in names) <= 1e-9 * largest]
    stable = [s for s in found if s not in free and s.stability == "stable"]
    rests = any(s.stability == "stable" for s in free) if free else None
    return {"tumour-free": rests, "stable with tumour": len(stable), "all": len(found)}


def _words(found):
    if found["all"] < 0:
        return "not known"
    many = found["stable with tumour"]
    if "stable" in found:
        return f"{found['stable']} stable state{'' if found['stable'] == 1 else 's'}"
    if found["tumour-free"]:
        return "cleared from any size" if many == 0 else "depends on the size"
    if many == 0:
        return "grows back and does not rest"
    if many == 1:
        return "grows back from any size"
    return f"grows back to one of {many} sizes"
