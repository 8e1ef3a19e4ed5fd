"""One periodic orbit as a result: values over a period, extremes, means, Floquet multipliers."""

from dataclasses import dataclass, field

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

from .extremes import ends_of

__all__ = ["Orbit"]

UNKNOWN = 1e-12  # size of a multiplier of which no digit is known
UNDECIDED = 1e-6  # distance from 1 of a modulus below which nothing is said of stability


@dataclass(frozen=True, eq=False, repr=False)
class Orbit:
    """A periodic orbit; `orbit["T"]` is (k,) over `orbit.t` (k,), from one passage to the next.

    Attributes
    ----------
    problem : Problem
        With the orbit's parameter values; its initial values are those of the orbit at the first time.
    period : float
        In the model's unit of time.
    t : (k,) array
        From the first time to the last, a period later. A time at which something is given comes twice, before and
        after.
    states : (k, n) array
        In the order of `problem.system.states`.
    inputs : (k, n_inputs) array
    multipliers : (n,) complex array
        Floquet multipliers, largest absolute value first. A cycle's own 1 is among them, as are those of conserved
        totals of a forced orbit; a cycle's conserved totals are left out.
    forced : bool
        Whether a periodic treatment drives it; else it is a cycle of its own, and one multiplier is 1.
    parameter : str
        What was moved along the branch of a cycle; empty for a forced orbit.
    residual : float
        Cycle: distance from 1 of its trivial multiplier, a check of the accuracy. Forced orbit: largest change over
        a period, relative to the size of the state.
    weights : (k,) array
        Of the mean over a period.
    trivial : int
        Multipliers that are 1 whatever the orbit: a cycle's own, or one for each conserved total.
    """

    problem: object
    period: float
    t: np.ndarray
    states: np.ndarray
    inputs: np.ndarray
    multipliers: np.ndarray
    forced: bool
    parameter: str = ""
    residual: float = 0.0
    weights: np.ndarray = field(default_factory=lambda: np.zeros(0))
    trivial: int = 1

    @property
    def names(self) -> tuple:
        """What the orbit can be indexed by: states, observables and inputs."""
        system = self.problem.system
        return (*system.states, *system.observables, *system.inputs)

    def __getitem__(self, name):
        name, system = str(getattr(name, "name", name)), self.problem.system
        if name in system.states:
            return self.states[:, system.states.index(name)]
        if name in system.inputs:
            return self.inputs[:, system.inputs.index(name)]
        if name in system.observables:
            found = system.observe(self.t, self.states.T, self.problem.p, self.inputs.T)
            return np.asarray(found)[system.observables.index(name)]
        raise ProblemError(f"the orbit has no {name!r}; {did_you_mean(name, list(self.names))}")

    @property
    def value(self) -> float:
        """Of the moved parameter; NaN for a forced orbit."""
        if not self.parameter:
            return np.nan
        known = self.problem.parameters
        return float(known[self.parameter] if self.parameter in known else self.problem.inputs()[self.parameter])

    @property
    def start(self) -> dict:
        """State -> value at the first time, before anything is given."""
        return dict(zip(self.problem.system.states, self.states[0].tolist(), strict=True))

    def _ends(self, name):
        values = self[name]
        return (np.min(values), np.max(values)) if self.forced else ends_of((self.t - self.t[0]) / self.period, values)

    def min(self, name) -> float:
        """Least value of a state, observable or input over the period."""
        return float(self._ends(name)[0])

    def max(self, name) -> float:
        """Largest value of a state, observable or input over the period."""
        return float(self._ends(name)[1])

    def mean(self, name) -> float:
        """Mean of a state, observable or input over the period."""
        return float(self.weights @ self[name])

    @property
    def others(self) -> np.ndarray:
        """Multipliers without those that are 1 whatever the orbit."""
        return np.delete(self.multipliers, np.argsort(np.abs(self.multipliers - 1), kind="stable")[: self.trivial])

    @property
    def stability(self) -> str:
        """`"stable"`, `"unstable"`, or `"undecided"` where the largest multiplier is 1 within 1e-6."""
        largest = float(np.max(np.abs(self.others), initial=0.0))
        if abs(largest - 1) <= UNDECIDED:
            return "undecided"
        return "stable" if largest < 1 else "unstable"

    @property
    def stable(self) -> bool:
        """Whether all multipliers lie inside the unit circle, trivial ones left out."""
        return self.stability == "stable"

    def to_pandas(self):
        """Time, states, observables and inputs as columns.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        return pd.DataFrame({"t": self.t} | {name: self[name] for name in self.names})

    def __repr__(self):
        return f"<Orbit of {self.problem.model.name}: period {self.period:.6g}, {self.stability}>"

    def __str__(self):
        unit = self.problem.model.time_unit
        unit = "" if unit in ("", "1") else f" {unit}s"
        kind = "forced orbit" if self.forced else "cycle"
        where = f" at {self.parameter} = {self.value:.6g}" if self.parameter else ""
        lines = [f"{kind} of {self.problem.model.name}{where}, period {self.period:.8g}{unit}, {self.stability}"]
        for name in (*self.problem.system.states, *self.problem.system.observables):
            lines.append(f"  {name}: {self.min(name):.6g} to {self.max(name):.6g}, mean {self.mean(name):.6g}")
        shown = ", ".join(_complex(v) for v in self.multipliers[:8])
        lines.append(f"  multipliers: {shown}" + (", ..." if len(self.multipliers) > 8 else ""))
        return "\n".join(lines)


def _complex(value):
    if abs(value) < UNKNOWN:
        return f"< {UNKNOWN:g}"
    if value.imag == 0:
        return f"{value.real:.6g}"
    return f"{value.real:.6g} {'+' if value.imag > 0 else '-'} {abs(value.imag):.6g}i"
