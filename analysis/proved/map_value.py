"""A stability map as a value."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

__all__ = ["Region", "StabilityMap"]

UNDECIDED = "undecided"


@dataclass(frozen=True)
class Region:
    """Part of a plane with the same steady states everywhere.

    Attributes
    ----------
    label : str
        What it means for the tumour.
    states : tuple of (tuple of str, str)
        Of each steady state: the tumour states that are not zero, and its stability.
    share : float
        Of the plane.
    point : dict of str -> float
        Inside.
    """

    label: str
    states: tuple
    share: float
    point: dict

    @property
    def count(self) -> int:
        """Number of steady states."""
        return len(self.states)

    @property
    def n_stable(self) -> int:
        """Number of stable ones."""
        return sum(stability == "stable" for _, stability in self.states)


@dataclass(frozen=True, eq=False, repr=False)
class StabilityMap:
    """The plane of two parameters in regions.

    Attributes
    ----------
    problem : Problem
    over : dict of str -> (low, high)
        Horizontal axis, vertical axis.
    box : dict of str -> (low, high)
        Where steady states were sought.
    regions : tuple of Region
        The largest first.
    cells : (m, 2, 2) array
        Cell, axis, ends; they cover the plane.
    of_cell : (m,) int array
        Number of the region of each cell, -1 where it is undecided.
    stabilities_proved : bool
        Whether the stabilities hold all over each region; else they hold at `point`, and the numbers everywhere.
    notes : tuple of str
    seconds : float
    """

    problem: object
    over: dict
    box: dict
    regions: tuple
    cells: np.ndarray
    of_cell: np.ndarray
    stabilities_proved: bool
    notes: tuple
    seconds: float

    def areas(self) -> np.ndarray:
        """Part of the plane that each cell takes, (m,)."""
        span = np.array([high - low for low, high in self.over.values()])
        return np.prod((self.cells[:, :, 1] - self.cells[:, :, 0]) / span, axis=1)

    @property
    def decided(self) -> float:
        """Part of the plane in which the steady states are proved."""
        return float(sum(r.share for r in self.regions))

    @property
    def shares(self) -> dict:
        """Label -> part of the plane, the largest first; what is left is `"undecided"`."""
        found = {}
        for region in self.regions:
            found[region.label] = found.get(region.label, 0.0) + region.share
        return found | {UNDECIDED: max(1.0 - self.decided, 0.0)}

    def at(self, **values):
        """The region at a point of the plane; None where it is undecided.

        Parameters
        ----------
        **values
            Both parameters.

        Returns
        -------
        Region or None

        Raises
        ------
        ProblemError
            If a name is not one of the two, one is missing, or the point lies outside.
        """
        names = list(self.over)
        for name in [*values, *names]:
            if name not in names:
                raise ProblemError(f"the stability map has no {name!r}; {did_you_mean(name, names)}")
            if name not in values:
                raise ProblemError(f"the stability map needs {' and '.join(names)}; {name} is missing")
            low, high = self.over[name]
            if not low <= values[name] <= high:
                raise ProblemError(f"the stability map has {name} from {low:g} to {high:g}, not {values[name]:g}")
        point = np.array([float(values[n]) for n in names])
        inside = np.all((self.cells[:, :, 0] <= point) & (point <= self.cells[:, :, 1]), axis=1)
        found = [int(k) for k in self.of_cell[inside] if k >= 0]  # on the edge of a decided cell it is decided
        return self.regions[found[0]] if found else None

    def to_pandas(self):
        """One row a cell: ends of both parameters, label, numbers of steady states and of stable ones, share.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        columns = {}
        for j, name in enumerate(self.over):
            columns[f"{name} low"], columns[f"{name} high"] = self.cells[:, j, 0], self.cells[:, j, 1]
        known = [self.regions[k] if k >= 0 else None for k in self.of_cell.tolist()]
        columns["label"] = [r.label if r else UNDECIDED for r in known]
        columns["states"] = pd.array([r.count if r else None for r in known], dtype="Int64")
        columns["stable"] = pd.array([r.n_stable if r else None for r in known], dtype="Int64")
        columns["share"] = self.areas()
        return pd.DataFrame(columns)

    def __repr__(self):
        return f"<StabilityMap of {self.problem.model.name} over {' and '.join(self.over)}: {self.decided:.1%} decided>"

    def __str__(self):
        where = ", ".join(f"{n} from {low:g} to {high:g}" for n, (low, high) in self.over.items())
        sure = "proved" if self.stabilities_proved else "numbers proved, stabilities at one point of each region"
        lines = [f"stability map of {self.problem.model.name}: {where}; {self.decided:.2%} decided, {sure}"]
        for region in self.regions:
            at = ", ".join(f"{n} = {v:.4g}" for n, v in region.point.items())
            lines.append(
                f"  {region.share:8.3%}  {region.label} ({region.count} steady states, {region.n_stable} stable; {at})"
            )
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])
