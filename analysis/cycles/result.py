"""Branches of cycles as results: they index, print, pickle, export and are drawn by `plot`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

from .orbit import UNDECIDED

__all__ = ["CycleBranch", "CycleBranches", "CyclePoint"]


@dataclass(frozen=True, eq=False)
class CyclePoint:
    """Where something changes along a branch of cycles.

    Attributes
    ----------
    kind : {"fold of cycles", "period doubling", "torus", "branch point"}
        At a fold the parameter turns back; at the others a multiplier crosses the unit circle at -1, away from the
        real line, or at 1.
    parameter : str
    value : float
    period : float
    between : (float, float)
        Values of the parameter at the orbits before and after.
    orbit : Orbit or None
        There; None where it was not located, and only known to lie between the two.
    """

    kind: str
    parameter: str
    value: float
    period: float
    between: tuple
    orbit: object = None

    @property
    def located(self) -> bool:
        """Whether the value is solved for, and not only read between two orbits."""
        return self.orbit is not None

    def __str__(self):
        if self.located:
            return f"{self.kind} at {self.parameter} = {self.value:.8g}, period {self.period:.6g}"
        low, high = sorted(self.between)
        return f"{self.kind} with {self.parameter} between {low:.6g} and {high:.6g}, period about {self.period:.5g}"


@dataclass(frozen=True, eq=False, repr=False)
class CycleBranch(Sequence):
    """Cycles over a parameter, in the order of travel; `branch[i]` is an `Orbit`, `branch.max("T")` is (k,).

    Attributes
    ----------
    problem : Problem
    parameter : str
    values, periods : (k,) arrays
        The first is the Hopf point, as is the last where the branch ends in one.
    extremes : dict of str -> (k, 3) array
        Least value, largest value and mean of each state and observable.
    multipliers : (k, n) complex array
        Without conserved totals.
    residuals : (k,) array
        Distance from 1 of the trivial multiplier.
    points : tuple of CyclePoint
    origin : SpecialPoint
        The Hopf point.
    end : str
        Why the branch ends.
    solver, cycles : object
        What orbits are read from and corrected with.
    """

    problem: object
    parameter: str
    values: np.ndarray
    periods: np.ndarray
    extremes: dict
    multipliers: np.ndarray
    residuals: np.ndarray
    points: tuple
    origin: object
    end: str
    solver: object = field(repr=False)
    cycles: tuple = field(repr=False)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, i):
        if isinstance(i, str):
            raise ProblemError(
                f"a branch of cycles has .min({i!r}), .max({i!r}), .mean({i!r}) and orbits [0], [1], ..."
            )
        from .read import orbit_of

        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        return orbit_of(self.problem, self.parameter, self.solver, self.cycles[i], self.multipliers[i])

    @property
    def names(self) -> tuple:
        """States and observables."""
        return tuple(self.extremes)

    def _column(self, name, column):
        name = str(getattr(name, "name", name))
        if name not in self.extremes:
            raise ProblemError(f"the branch of cycles has no {name!r}; {did_you_mean(name, list(self.extremes))}")
        return self.extremes[name][:, column]

    def min(self, name) -> np.ndarray:
        """Least value of a state or observable on each cycle, (k,)."""
        return self._column(name, 0)

    def max(self, name) -> np.ndarray:
        """Largest value of a state or observable on each cycle, (k,)."""
        return self._column(name, 1)

    def mean(self, name) -> np.ndarray:
        """Mean of a state or observable over each cycle, (k,)."""
        return self._column(name, 2)

    @property
    def unstable(self) -> np.ndarray:
        """(k,) multipliers outside the unit circle, the trivial one left out."""
        found = np.zeros(len(self), dtype=int)
        for i, row in enumerate(self.multipliers):
            others = np.delete(row, np.argmin(np.abs(row - 1)))
            found[i] = np.sum(np.abs(others) > 1 + UNDECIDED)
        return found

    @property
    def stable(self) -> np.ndarray:
        """(k,) bool: no multiplier outside the unit circle, the trivial one left out."""
        return self.unstable == 0

    def at(self, value) -> list:
        """Cycles at a value of the parameter, each solved for.

        Parameters
        ----------
        value : float

        Returns
        -------
        list of Orbit
            One for each passage of the branch; empty where it does not pass.
        """
        from .read import orbits_at

        return orbits_at(self, float(value))

    def to_pandas(self):
        """One row a cycle: parameter, period, least, largest and mean values, `stable`, `unstable`, `residual`.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        columns = {self.parameter: self.values, "period": self.periods}
        for name, rows in self.extremes.items():
            columns |= {f"{name} {word}": rows[:, i] for i, word in enumerate(("min", "max", "mean"))}
        return pd.DataFrame(columns | {"stable": self.stable, "unstable": self.unstable, "residual": self.residuals})

    def __repr__(self):
        return f"<CycleBranch of {self.problem.model.name} over {self.parameter}: {len(self)} cycles>"

    def __str__(self):
        low, high = self.values.min(), self.values.max()
        stable = self.stable[1:]
        word = "stable" if stable.all() else "unstable" if not stable.any() else "stable in part"
        lines = [
            f"cycles of {self.problem.model.name}, {self.parameter} {low:.6g} to {high:.6g}, {len(self)} orbits, "
            f"period {self.periods.min():.6g} to {self.periods.max():.6g}, {word}",
            f"  from the Hopf point at {self.parameter} = {self.origin.value:.8g}; end: {self.end}",
        ]
        lines += [f"  {point}" for point in self.points]
        worst = float(np.max(self.residuals[1:], initial=0.0))
        lines.append(f"  trivial multiplier within {worst:.1e} of 1")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False, repr=False)
class CycleBranches(Sequence):
    """Branches of cycles, one from each Hopf point that no other branch ends in; a sequence of `CycleBranch`.

    Attributes
    ----------
    problem : Problem
    parameter : str
    branches : tuple of CycleBranch
    steady : Branches or None
        Branches of steady states that the Hopf points lie on.
    notes : tuple of str
    """

    problem: object
    parameter: str
    branches: tuple
    steady: object = None
    notes: tuple = ()

    def __len__(self):
        return len(self.branches)

    def __getitem__(self, i):
        return self.branches[i]

    @property
    def points(self) -> tuple:
        """Folds and flagged changes of all branches, in order of the parameter."""
        return tuple(sorted((p for b in self.branches for p in b.points), key=lambda p: p.value))

    def of_kind(self, kind) -> tuple:
        """Points of a kind: `"fold of cycles"`, `"period doubling"`, `"torus"`, `"branch point"`."""
        return tuple(p for p in self.points if p.kind == kind)

    def at(self, value) -> list:
        """Cycles of all branches at a value of the parameter, each solved for.

        Parameters
        ----------
        value : float

        Returns
        -------
        list of Orbit
        """
        return [orbit for branch in self.branches for orbit in branch.at(value)]

    def to_pandas(self):
        """All branches as one table, with a column `branch`.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        return pd.concat([b.to_pandas().assign(branch=i) for i, b in enumerate(self.branches)], ignore_index=True)

    def __repr__(self):
        return f"<CycleBranches of {self.problem.model.name} over {self.parameter}: {len(self)} branches>"

    def __str__(self):
        head = f"{len(self)} branch{'' if len(self) == 1 else 'es'} of cycles of {self.problem.model.name}"
        return "\n".join([head, *map(str, self.branches), *(f"  note: {note}" for note in self.notes)])
