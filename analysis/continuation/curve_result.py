"""Curves of special points in the plane of two parameters, as results."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

__all__ = ["Curve", "Curves"]

SAME = 1e-5


@dataclass(frozen=True, eq=False, repr=False)
class Curve:
    """Folds, Hopf points or transcritical points over two parameters; index it by a state or parameter.

    Attributes
    ----------
    problem : Problem
    kind : {"fold", "Hopf", "transcritical"}
    parameters : (str, str)
    values : (k, 2) array
        Of the parameters.
    states : (k, n) array
    coefficient : (k,) array
        `a` of folds (zero at a cusp) and of transcritical points along the state that comes in, `l1` of Hopf points
        (both zero where the criticality changes).
    frequency : (k,) array
        Of Hopf points, radians per unit of time; NaN for others.
    points : tuple of SpecialPoint
        Cusps, Bogdanov-Takens and generalised Hopf points, changes of criticality.
    ends : tuple of str
    """

    problem: object
    kind: str
    parameters: tuple
    values: np.ndarray
    states: np.ndarray
    coefficient: np.ndarray
    frequency: np.ndarray
    points: tuple
    ends: tuple

    def __len__(self):
        return len(self.values)

    def __getitem__(self, name):
        name = getattr(name, "name", name)
        if name in self.parameters:
            return self.values[:, self.parameters.index(name)]
        names = self.problem.system.states
        if name in names:
            return self.states[:, names.index(name)]
        raise ProblemError(f"the curve has no {name!r}; {did_you_mean(name, [*names, *self.parameters])}")

    def passes(self, point) -> bool:
        """Whether a point (n + 2,), states and both parameters, lies on the curve within its steps.

        Parameters
        ----------
        point : (n + 2,) array
        """
        own = np.hstack([self.states, self.values])
        point = np.asarray(point)
        size = np.maximum(np.maximum(np.max(np.abs(own), axis=0), np.abs(point)), 1e-300)
        a, b, z = own[:-1] / size, own[1:] / size, point / size
        along = b - a
        lengths = np.maximum(np.einsum("ij,ij->i", along, along), 1e-300)
        part = np.clip(np.einsum("ij,ij->i", z - a, along) / lengths, 0, 1)
        gaps = np.linalg.norm(a + part[:, None] * along - z, axis=1)
        return bool(np.any(gaps < 0.1 * np.sqrt(lengths) + SAME))

    def to_pandas(self):
        """The curve as a table.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        columns = {name: self[name] for name in (*self.parameters, *self.problem.system.states)}
        return pd.DataFrame(columns | {"coefficient": self.coefficient, "frequency": self.frequency})

    def __repr__(self):
        return f"<Curve of {self.kind} points of {self.problem.model.name}: {len(self)} points>"

    def __str__(self):
        one, two = self.parameters
        x, y = self.values.T
        lines = [
            f"curve of {self.kind} points of {self.problem.model.name}, {one} {x.min():.6g} to {x.max():.6g}, "
            f"{two} {y.min():.6g} to {y.max():.6g}, {len(self)} points"
        ]
        lines += [f"  {point}" for point in self.points]
        return "\n".join([*lines, f"  ends: {self.ends[0]}; {self.ends[1]}"])


@dataclass(frozen=True, eq=False, repr=False)
class Curves(Sequence):
    """Curves in the plane of two parameters; a sequence of `Curve`.

    Attributes
    ----------
    problem : Problem
    parameters : (str, str)
    spans : ((low, high), (low, high))
    curves : tuple of Curve
    notes : tuple of str
        Points that were not followed, and why.
    """

    problem: object
    parameters: tuple
    spans: tuple
    curves: tuple
    notes: tuple = ()

    def __len__(self):
        return len(self.curves)

    def __getitem__(self, i):
        return self.curves[i]

    @property
    def points(self) -> tuple:
        """Special points of all curves, those that two curves share once."""
        found = []
        for curve in self.curves:
            for p in curve.points:
                near = [
                    q
                    for q in found
                    if q.kind == p.kind
                    and all(abs(q[n] - p[n]) <= 1e-7 * max(abs(p[n]), 1e-9) for n in self.parameters)
                ]
                if not near:
                    found.append(p)
        return tuple(sorted(found, key=lambda p: (p.kind, p.value)))

    def to_pandas(self):
        """All curves as one table, with columns `curve` and `kind`.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        return pd.concat(
            [c.to_pandas().assign(curve=i, kind=c.kind) for i, c in enumerate(self.curves)], ignore_index=True
        )

    def __repr__(self):
        return f"<Curves of {self.problem.model.name} over {' and '.join(self.parameters)}: {len(self)}>"

    def __str__(self):
        lines = [f"{len(self)} curves of {self.problem.model.name} over {' and '.join(self.parameters)}"]
        lines += ["  " + str(c).split("\n", 1)[0] for c in self.curves]
        lines += [f"  {point}" for point in self.points]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])
