"""A relapse threshold as a value: where it lies, how it was found, what holds there, how it moves."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from remission.models.errors import CertificateError, ProblemError, did_you_mean, refuse_unknown_keywords

__all__ = ["KINDS", "Threshold", "Thresholds"]

KINDS = {
    "curative dose": "the tumour-free state changes from unstable to stable",
    "clone dose": "one clone, where rare, changes from growing to shrinking; others still grow",
    "fold dose": "the last stable tumour state meets an unstable one and vanishes",
    "fold": "two tumour states meet and vanish, but a stable one is left or neither was stable",
    "critical blockade": "the blockade at which the last stable tumour state vanishes at the given dose",
    "onset of cycles": "a steady tumour state changes to a tumour that cycles",
    "critical missegregation": "the missegregation rate at which growth, or the chance of relapse, passes a level",
    "residual disease": "the burden above which the tumour grows back",
    "minimal duration": "the shortest treatment, or the fewest courses, after which the tumour does not come back",
    "latest surgery": "the last day on which an operation still prevents relapse",
    "threshold size": "the tumour size at which rescue has probability 1 - 1/e",
    "time to relapse": "the first time after the nadir at which the tumour is detected again",
    "change of fate": "on one side of the value the tumour ends in one steady state, on the other in another",
    "crossing": "an outcome passes a level",
    "front stall": "on one side the tumour front invades, on the other it retreats, although a large tumour persists",
}
FOUND = ("symbolic", "certified", "numerical")


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class Threshold:
    """A value at which what becomes of the tumour changes; `float(threshold)` is the value.

    Attributes
    ----------
    problem : Problem
    kind : str
        One of `remission.analysis.critical.value.KINDS`.
    of : str
        What is moved: a parameter, an input, `"T(0)"`, a time.
    value : float
        `inf` where it is never reached.
    unit : str
        `""` not declared, `"1"` dimensionless.
    mechanism : str
        What happens to the equations: `"transcritical"`, `"fold"`, `"Hopf"`, `"multiplier"`, `"separatrix"`,
        `"crossing"`, `"formula"`.
    direction : str
        In words, what changes as `of` rises through the value.
    found : {"symbolic", "certified", "numerical"}
        From a formula; proved to be exactly one in the enclosure; solved for in floating point.
    enclosure : (float, float) or None
        Ends between which the value is proved to lie.
    derivatives : dict of str -> float
        Parameter, input or initial value -> derivative of the value by it, the others held.
    conditions : tuple of str
        What it holds under, in words.
    formula : sympy expression or None
        In parameters and inputs, where there is one.
    state : dict of str -> float
        State of the model at the threshold, where there is one.
    coefficients : dict of str -> float
        Numbers of the mechanism, such as non-degeneracy coefficients.
    certificate : dict or None
        For `verify`.
    clones : tuple of str
        States whose rare growth is zero there.

    Examples
    --------
    >>> from remission.analysis import thresholds
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> cure = thresholds(Problem(paracrine_loop()), "e", kinds="curative dose")[0]
    >>> round(float(cure), 6), cure.found, round(cure.derivatives["kap"], 3), round(cure.elasticities["r"], 3)
    (0.333893, 'symbolic', -1.113, 1.499)
    """

    problem: object
    kind: str
    of: str
    value: float
    unit: str = ""
    mechanism: str = "crossing"
    direction: str = ""
    found: str = "numerical"
    enclosure: tuple | None = None
    derivatives: dict = field(default_factory=dict)
    conditions: tuple = ()
    formula: object = None
    state: dict = field(default_factory=dict)
    coefficients: dict = field(default_factory=dict)
    certificate: dict | None = None
    clones: tuple = ()

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ProblemError(f"Threshold: there is no kind {self.kind!r}; {did_you_mean(self.kind, KINDS)}")
        if self.found not in FOUND:
            raise ProblemError(f"Threshold: found is one of {', '.join(FOUND)}, got {self.found!r}")

    def __float__(self):
        return float(self.value)

    @property
    def elasticities(self) -> dict:
        """Parameter -> percent that the value moves for one percent of the parameter; NaN where it is not finite."""
        known = dict(self.problem.parameters) | self.problem_inputs
        return {
            name: slope * known[name] / self.value if name in known and 0 < abs(self.value) < np.inf else np.nan
            for name, slope in self.derivatives.items()
        }

    @property
    def problem_inputs(self) -> dict:
        """Constant inputs of the problem; empty where the treatment changes in time."""
        try:
            return dict(self.problem.inputs())
        except ProblemError:
            return {}

    @property
    def label(self) -> str:
        """Text for axes and tables, without the unit."""
        return f"{self.kind} ({self.of})"

    def require_certificate(self) -> dict:
        """The certificate.

        Raises
        ------
        CertificateError
            If nothing is proved.
        """
        if self.certificate is None:
            raise CertificateError(f"{self.label} of {self.problem.model.name} is {self.found}: nothing is proved")
        return self.certificate

    def __repr__(self):
        return f"<Threshold of {self.problem.model.name}: {self}>"

    def __str__(self):
        unit = "" if self.unit in ("", "1") else f" {self.unit}"
        words = f"{self.kind}: {self.of} = {self.value:.8g}{unit} ({self.mechanism}, {self.found})"
        return f"{words}; {self.direction}" if self.direction else words


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class Thresholds(Sequence):
    """Thresholds in order of the value; a sequence of `Threshold`, indexed by place or by kind.

    Attributes
    ----------
    problem : Problem
    of : str
        What was moved.
    within : (float, float)
        Where it was moved.
    items : tuple of Threshold
    complete : bool
        Whether these are proved to be all of the kinds asked for in the range. A change of stability between two
        tumour states, such as one clone that no longer keeps another out, is no such kind: `certified_points` has it.
    status : str
        In words: how many were found, or that there are none in the range and on which side the problem lies.
    notes : tuple of str
        What was left out or is not proved, and why.

    Examples
    --------
    >>> from remission.analysis import thresholds
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> found = thresholds(Problem(paracrine_loop()).at_constant(e=0.6), "B")
    >>> print(found)
    thresholds of paracrine_loop over B, 0 to 100...
      critical blockade: B = 29.861366 (fold, ...); the last stable tumour state (T = 178.728) vanishes: none...
      note: T, where rare, shrinks at -0.07973 all over the range...
    >>> round(found["critical blockade"].state["T"], 3)
    178.728
    """

    problem: object
    of: str
    within: tuple
    items: tuple
    complete: bool = False
    status: str = ""
    notes: tuple = ()

    def __len__(self):
        return len(self.items)

    def __getitem__(self, which):
        if not isinstance(which, str):
            return self.items[which]
        found = self.of_kind(which)
        if len(found) == 1:
            return found[0]
        if which not in KINDS:
            raise ProblemError(f"thresholds: there is no kind {which!r}; {did_you_mean(which, KINDS)}")
        have = ", ".join(f"{t.kind} at {t.value:.6g}" for t in self.items) or "none at all"
        raise ProblemError(
            f"{len(found)} thresholds of kind {which!r} for {self.of} in {self.within[0]:g} to {self.within[1]:g}; "
            f"there is {have}" + (f" ({self.status})" if self.status else "")
        )

    def of_kind(self, kind) -> tuple:
        """Those of a kind, in order of the value.

        Parameters
        ----------
        kind : str

        Returns
        -------
        tuple of Threshold
        """
        return tuple(t for t in self.items if t.kind == kind)

    def to_pandas(self):
        """One row a threshold: kind, of, value, unit, mechanism, found, ends of the enclosure, direction.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        rows = []
        for t in self.items:
            low, high = t.enclosure or (np.nan, np.nan)
            rows.append(
                {"kind": t.kind, "of": t.of, "value": t.value, "unit": t.unit, "mechanism": t.mechanism,
                 "found": t.found, "low": low, "high": high, "direction": t.direction}
            )  # fmt: skip
        return pd.DataFrame(rows)

    def __repr__(self):
        return f"<Thresholds of {self.problem.model.name} over {self.of}: {len(self)}>"

    def __str__(self):
        sure = ", proved to be all" if self.complete else ""
        lines = [
            f"thresholds of {self.problem.model.name} over {self.of}, {self.within[0]:g} to {self.within[1]:g}{sure}"
        ]
        lines += [f"  {t}" for t in self.items] or [f"  {self.status or 'none'}"]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])
