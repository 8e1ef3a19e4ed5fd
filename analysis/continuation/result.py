"""Branches of steady states as results: they index, print, pickle, export and are drawn by `plot`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

__all__ = ["Branch", "Branches", "SpecialPoint"]


@dataclass(frozen=True, eq=False)
class SpecialPoint:
    """A fold, Hopf point or branch point; index it by the name of a state, observable or parameter.

    Attributes
    ----------
    kind : str
        `"fold"`, `"Hopf"`, `"transcritical"`, `"pitchfork"`, `"branch point"`; on curves in two parameters `"cusp"`,
        `"Bogdanov-Takens"`, `"generalised Hopf"`, `"change of criticality"` (of a transcritical).
    parameter : str
        Name of what was moved.
    value : float
    values : dict of str -> float
        State -> value.
    eigenvalues : (n,) complex array
        Largest real part first.
    frequency : float
        Of a Hopf point, radians per unit of time; NaN for others.
    coefficients : dict of str -> float
        Fold: `a`, `b`, `opens`; Hopf: `l1`, `crossing`; pitchfork: `c`.
    text : str
        What happens there, in words.
    residual : float
        Last Newton step of its defining system, relative to the size of the unknowns.
    others : dict of str -> float
        Values of observables and of other moved parameters.
    """

    kind: str
    parameter: str
    value: float
    values: dict
    eigenvalues: np.ndarray
    frequency: float = np.nan
    coefficients: dict = field(default_factory=dict)
    text: str = ""
    residual: float = 0.0
    others: dict = field(default_factory=dict)

    def __getitem__(self, name):
        both = self.values | self.others | {self.parameter: self.value}
        name = getattr(name, "name", name)
        if name not in both:
            raise ProblemError(f"the {self.kind} has no {name!r}; {did_you_mean(name, both)}")
        return both[name]

    @property
    def period(self) -> float:
        """Of the cycles born at a Hopf point, in the model's unit of time; NaN for others."""
        return 2 * np.pi / self.frequency

    def __str__(self):
        where = ", ".join(f"{k} = {v:.6g}" for k, v in self.values.items())
        return f"{self.text} ({where})"


@dataclass(frozen=True, eq=False, repr=False)
class Branch:
    """A curve of steady states over a parameter; `branch["T"]` is (k,).

    Attributes
    ----------
    problem : Problem
    parameter : str
    values : (k,) array
        Of the parameter, in the order of travel.
    states : (k, n) array
        In the order of `problem.system.states`.
    unstable : (k,) int array
        Eigenvalues with positive real part; at special points the critical ones are not counted.
    observables : dict of str -> (k,) array
    points : tuple of SpecialPoint
    places : tuple of int
        Positions of the special points on the curve.
    ends : tuple of str
        Why the curve ends where it does, first point and last.
    """

    problem: object
    parameter: str
    values: np.ndarray
    states: np.ndarray
    unstable: np.ndarray
    observables: dict
    points: tuple
    places: tuple
    ends: tuple

    @property
    def stable(self) -> np.ndarray:
        """(k,) bool: all eigenvalues have negative real part; at special points one has not."""
        found = self.unstable == 0
        found[list(self.places)] = False
        return found

    @property
    def names(self) -> tuple:
        """What the branch can be indexed by."""
        return (*self.problem.system.states, *self.observables, self.parameter)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, name):
        name = getattr(name, "name", name)
        if name == self.parameter:
            return self.values
        if name in self.problem.system.states:
            return self.states[:, self.problem.system.states.index(name)]
        if name in self.observables:
            return self.observables[name]
        raise ProblemError(f"the branch has no {name!r}; {did_you_mean(name, list(self.names))}")

    def at(self, value) -> list:
        """States where the branch passes a value of the parameter, interpolated, one dict a passage.

        Parameters
        ----------
        value : float

        Returns
        -------
        list of dict of str -> float
        """
        found = []
        for i in range(len(self) - 1):
            low, high = self.values[i], self.values[i + 1]
            if min(low, high) <= value < max(low, high) or (i == len(self) - 2 and value == high):
                part = (value - low) / (high - low) if high != low else 0.0
                row = self.states[i] + part * (self.states[i + 1] - self.states[i])
                found.append(dict(zip(self.problem.system.states, row.tolist(), strict=True)))
        return found

    def to_pandas(self):
        """The branch as a table: parameter, states, observables, `stable`, `unstable` (eigenvalues).

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        columns = {self.parameter: self.values}
        columns |= {name: self[name] for name in self.names[:-1]}
        return pd.DataFrame(columns | {"stable": self.stable, "unstable": self.unstable})

    def __repr__(self):
        return f"<Branch of {self.problem.model.name} over {self.parameter}: {len(self)} points>"

    def __str__(self):
        low, high = self.values.min(), self.values.max()
        parts = _stability_text(self)
        lines = [
            f"branch of {self.problem.model.name}, {self.parameter} {low:.6g} to {high:.6g}, {len(self)} points, "
            f"{parts}"
        ]
        lines += [f"  {point}" for point in self.points]
        lines.append(f"  ends: {self.ends[0] or 'start'}; {self.ends[1] or 'start'}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False, repr=False)
class Branches(Sequence):
    """Branches that were reached; a sequence of `Branch`.

    Attributes
    ----------
    problem : Problem
    parameter : str
    span : (low, high)
    box : dict of str -> (low, high)
        Limits of the states.
    branches : tuple of Branch
    notes : tuple of str
        What was left out, such as continua of steady states.
    """

    problem: object
    parameter: str
    span: tuple
    box: dict
    branches: tuple
    notes: tuple = ()

    def __len__(self):
        return len(self.branches)

    def __getitem__(self, i):
        return self.branches[i]

    @property
    def points(self) -> tuple:
        """Special points of all branches, each once, in order of the parameter."""
        found = []
        for branch in self.branches:
            for point in branch.points:
                if not any(_same_point(point, other) for other in found):
                    found.append(point)
        return tuple(sorted(found, key=lambda p: p.value))

    def of_kind(self, kind) -> tuple:
        """Special points of a kind: `"fold"`, `"Hopf"`, `"transcritical"`, `"pitchfork"`."""
        return tuple(p for p in self.points if p.kind == kind)

    def to_pandas(self):
        """All branches as one table, with a column `branch`.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        return pd.concat([b.to_pandas().assign(branch=i) for i, b in enumerate(self.branches)], ignore_index=True)

    def __repr__(self):
        return f"<Branches of {self.problem.model.name} over {self.parameter}: {len(self)} branches>"

    def __str__(self):
        head = f"{len(self)} branches of {self.problem.model.name} over {self.parameter}, {self.span[0]:g} to "
        head += f"{self.span[1]:g}"
        lines = [head]
        for i, b in enumerate(self.branches, 1):
            lines.append(
                f"  {i}: {b.parameter} {b.values.min():.6g} to {b.values.max():.6g}, {len(b)} points, "
                f"{_stability_text(b)}"
            )
        lines += [f"  {point}" for point in self.points]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def _same_point(one, other):
    kinds = one.kind == other.kind and abs(one.value - other.value) <= 1e-8 * max(abs(one.value), 1e-12)
    near = all(abs(one.values[k] - v) <= 1e-6 * max(abs(v), 1e-9) for k, v in other.values.items())
    return kinds and near


def _stability_text(branch):
    stable = np.delete(branch.unstable == 0, list(branch.places))
    return "stable" if stable.all() else "unstable" if not stable.any() else "stable in part"
