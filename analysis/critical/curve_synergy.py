"""Two drugs on the boundary of clearance: do they need less together than their doses alone would make one expect?"""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from .curve_value import ThresholdCurve
from .moved import at_value, moved_of

__all__ = ["CombinationIndex", "combination_index"]


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class CombinationIndex:
    """Doses on a boundary beside those that it takes of either drug alone.

    Attributes
    ----------
    curve : ThresholdCurve
    alone : dict of str -> float
        Drug -> its dose on the boundary without the other; `inf` where none in the range is enough.
    doses : dict of str -> (k,) array
        On the boundary.
    index : (k,) array
        Below 1 synergy, above 1 antagonism.
    """

    curve: object
    alone: dict
    doses: dict
    index: np.ndarray

    def to_pandas(self):
        """Doses and index, one row a point.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        return pd.DataFrame(self.doses | {"combination index": self.index})

    def __str__(self):
        i = int(np.argmin(self.index))
        pair = " with ".join(f"{name} = {dose[i]:.5g}" for name, dose in self.doses.items())
        alone = ", ".join(f"{name} = {dose:.6g}" for name, dose in self.alone.items())
        return f"combination index {self.index.min():.4g} to {self.index.max():.4g}, least at {pair}; alone: {alone}"


@refuse_unknown_keywords
def combination_index(curve, kind=None) -> CombinationIndex:
    """Combination index of two drugs along the boundary of their doses.

    Parameters
    ----------
    curve : ThresholdCurve
        Over two inputs (or parameters) that are doses, whose ranges hold 0.
    kind : str, optional
        Kind of the pieces that are the boundary; needed where there are several.

    Returns
    -------
    CombinationIndex

    Raises
    ------
    ProblemError
        If several kinds are on the curve and none is named, or there is no piece of the kind.

    Notes
    -----
    ``d1/D1 + d2/D2`` with d1, d2 on the boundary and D1, D2 the doses on it of either drug alone [1]_: 1 where a drug
    is combined with itself. A drug that alone is never enough has D infinite and adds nothing. It means what it says
    for doses in units in which twice is twice as much; an effect between 0 and 1 is none.

    References
    ----------
    .. [1] Loewe (1953), Arzneimittelforschung 3, 285-290; Chou and Talalay (1984), Advances in Enzyme Regulation 22,
       27-55.

    Examples
    --------
    >>> from remission.analysis import combination_index, threshold_curve
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> curve = threshold_curve(Problem(paracrine_loop()), "e", "B", (0, 100), within=(0, 1.1), kind="fold dose")
    >>> found = combination_index(curve)
    >>> {name: round(dose, 4) for name, dose in found.alone.items()}
    {'e': 1.0028, 'B': inf}
    >>> round(float(found.index.min()), 4)
    0.3587
    """
    if not isinstance(curve, ThresholdCurve):
        raise ProblemError(f"combination_index: give a ThresholdCurve, got {type(curve).__name__}")
    kinds = sorted({p.kind for p in curve})
    if kind is None and len(kinds) != 1:
        raise ProblemError(f"combination_index: say which kind is the boundary, kind=...; there are {', '.join(kinds)}")
    pieces = curve.of_kind(kind or kinds[0])
    if not pieces:
        raise ProblemError(f"combination_index: no piece of kind {kind!r}; there are {', '.join(kinds)}")
    mechanisms = {p.mechanism for p in pieces}
    pairs = ((curve.of, curve.against, curve.within), (curve.against, curve.of, curve.span))
    alone = {name: _alone(curve, name, other, within, mechanisms) for name, other, within in pairs}
    x, y = (np.concatenate([getattr(p, name) for p in pieces]) for name in ("against", "values"))
    known = np.isfinite(y)
    doses = {curve.of: y[known], curve.against: x[known]}
    index = sum(dose / alone[name] for name, dose in doses.items() if np.isfinite(alone[name]))
    return CombinationIndex(curve, alone, doses, np.broadcast_to(index, doses[curve.of].shape).astype(float))


def _alone(curve, name, other, within, mechanisms):
    """The dose on the boundary without the other drug."""
    from .verb import thresholds

    at = at_value(curve.problem, other, 0.0)
    options = {k: v for k, v in curve.options.items() if v is not None}
    found = [t.value for t in thresholds(at, moved_of(at, name).name, within=within, **options)
             if t.mechanism in mechanisms]  # fmt: skip
    return max(found, default=np.inf)
