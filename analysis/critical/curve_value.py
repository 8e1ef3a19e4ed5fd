"""A threshold over a second parameter, as a value: its pieces, the special points on it, its exact value anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .value import KINDS, Thresholds

__all__ = ["ThresholdCurve", "ThresholdPiece"]


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class ThresholdPiece:
    """A stretch of a threshold curve of one meaning.

    Attributes
    ----------
    kind : str
        One of `remission.analysis.critical.value.KINDS`.
    mechanism : str
        `"transcritical"`, `"fold"`, `"Hopf"`, or that of the thresholds it is made of.
    of : str
        Which of the two parameters it is a threshold of: the second where the first does not move it.
    direction : str
        What changes as that one rises through the value, in words.
    against, values : (k,) arrays
        Of the second parameter and of the first; NaN where a value was not found.
    states : (k, n) array
        Steady state at each point, in the order of `problem.system.states`; (k, 0) where there is none.
    ends : (str, str)
        Why it ends where it does.
    slopes : (k,) array
        Derivative of the values by the second parameter, where thresholds were found one by one; (0,) else.
    """

    kind: str
    mechanism: str
    of: str
    direction: str
    against: np.ndarray
    values: np.ndarray
    states: np.ndarray
    ends: tuple = ("", "")
    slopes: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __len__(self):
        return len(self.values)

    def __str__(self):
        known = np.isfinite(self.values)
        x, y = self.against[known], self.values[known]
        spread = f"{y.min():.6g} to {y.max():.6g}" if np.ptp(y) > 1e-9 * np.max(np.abs(y)) else f"{y[0]:.8g}"
        return f"{self.kind} ({self.mechanism}): {spread} over {x.min():.6g} to {x.max():.6g}, {len(x)} points"


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class ThresholdCurve(Sequence):
    """A threshold of one parameter over another; a sequence of `ThresholdPiece`, indexed by place or by parameter.

    Attributes
    ----------
    problem : Problem
    of, against : str
        What it is a threshold of, and over what.
    within, span : (float, float)
        Their ranges.
    kind : str
        What was asked for; empty for all kinds that are bifurcations of steady states.
    pieces : tuple of ThresholdPiece
    points : tuple of SpecialPoint
        Cusps, turning points, changes of criticality and others, with the values of both parameters.
    holes : tuple of (float, str)
        Values of the second parameter at which no threshold was found, and why.
    notes : tuple of str
    options : dict
        Those of `thresholds` that it was made with: `box`, `outcome`, `level`.

    Examples
    --------
    >>> from remission.analysis import threshold_curve
    >>> from remission.models import kuznetsov
    >>> from remission.solvers import Problem
    >>> problem, box = Problem(kuznetsov(scaled=True)), {"E": (0, 50), "T": (0, 1000)}
    >>> curve = threshold_curve(problem, "sigma", "delta", (0, 2), within=(0, 2), box=box)
    >>> print(curve)
    thresholds of kuznetsov_scaled: sigma over delta, 0 to 2
      ...
      cusp at sigma = 0.94247308, delta = 1.3531645
    >>> round(curve.at(0.3743)["curative dose"].value, 7)  # alpha delta
    0.6123548
    """

    problem: object
    of: str
    against: str
    within: tuple
    span: tuple
    kind: str
    pieces: tuple
    points: tuple = ()
    holes: tuple = ()
    notes: tuple = ()
    options: dict = field(default_factory=dict)

    def __len__(self):
        return len(self.pieces)

    def __getitem__(self, which):
        """A piece by place or kind, or (k,) values of one parameter along all pieces, NaN between two of them."""
        which = getattr(which, "name", which)
        if not isinstance(which, str):
            return self.pieces[which]
        if which in (self.of, self.against):
            parts = [np.append(p.values if which == self.of else p.against, np.nan) for p in self.pieces]
            return np.concatenate(parts)[:-1] if parts else np.zeros(0)
        found = self.of_kind(which)
        if len(found) == 1:
            return found[0]
        names = [self.of, self.against, *{p.kind for p in self.pieces}]
        if found:
            raise ProblemError(f"the curve has {len(found)} pieces of kind {which!r}: use of_kind({which!r})")
        raise ProblemError(f"the curve has no {which!r}; {did_you_mean(which, names)}")

    def of_kind(self, kind) -> tuple:
        """Pieces of a kind.

        Parameters
        ----------
        kind : str

        Returns
        -------
        tuple of ThresholdPiece
        """
        return tuple(p for p in self.pieces if p.kind == kind)

    def at(self, value, kind=None) -> Thresholds:
        """All thresholds at a value of the second parameter, solved for again (nothing is interpolated).

        Parameters
        ----------
        value : float
            Within the span.
        kind : str, optional
            Only this kind.

        Returns
        -------
        Thresholds
            With derivatives by all parameters; empty where no piece passes the value.

        Raises
        ------
        ProblemError
            If the value is outside the span.
        """
        from .curve import solve_at

        low, high = self.span
        if kind is not None and kind not in KINDS:
            raise ProblemError(f"there is no kind {kind!r}; {did_you_mean(str(kind), KINDS)}")
        try:
            value = float(value)
        except (TypeError, ValueError):
            raise ProblemError(f"the curve is asked at a value of {self.against}, got {value!r}") from None
        if not low <= value <= high:
            raise ProblemError(f"the curve is known for {self.against} within {low:g} to {high:g}, not at {value:g}")
        return solve_at(self, value, kind)

    def regions(self, n=160):
        """What becomes of the tumour in each part of the plane.

        Parameters
        ----------
        n : int
            Cells of the picture each way; parts narrower than a cell are not seen.

        Returns
        -------
        Regions

        Raises
        ------
        ProblemError
            If the thresholds are not bifurcations of steady states.
        """
        from .curve_regions import regions_of

        return regions_of(self, int(n))

    def to_pandas(self):
        """All points as one table: piece, kind, both parameters, states.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        tables = []
        for i, p in enumerate(self.pieces):
            columns = {"piece": i, "kind": p.kind, self.against: p.against, self.of: p.values}
            names = self.problem.system.states[: p.states.shape[1]]
            tables.append(pd.DataFrame(columns | {name: p.states[:, j] for j, name in enumerate(names)}))
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[self.against, self.of])

    def __repr__(self):
        return f"<ThresholdCurve of {self.problem.model.name}: {self.of} over {self.against}, {len(self)} pieces>"

    def __str__(self):
        low, high = self.span
        lines = [f"thresholds of {self.problem.model.name}: {self.of} over {self.against}, {low:g} to {high:g}"]
        lines += [f"  {p}" for p in self.pieces] or [f"  none within {self.within[0]:g} to {self.within[1]:g}"]
        lines += [f"  {p.text}" for p in self.points]
        if self.holes:
            lines.append(f"  no value at {len(self.holes)} of the values tried: {self.holes[0][1]}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])
