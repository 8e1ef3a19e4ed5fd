"""A special point that is proved, as a value."""

from dataclasses import dataclass, field

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

__all__ = ["CertifiedPoint"]


@dataclass(frozen=True, eq=False, repr=False)
class CertifiedPoint:
    """A fold, transcritical point or Hopf point of which exactly one is proved to lie in an enclosure.

    Attributes
    ----------
    problem : Problem
    kind : {"fold", "transcritical", "Hopf"}
    of : str
        What is moved.
    value : float
        Middle of the enclosure.
    enclosure : (float, float)
        Of what is moved.
    state : dict of str -> float
        Middle of each state's enclosure.
    enclosures : dict of str -> (float, float)
    absent : tuple of str
        States that are exactly zero there.
    along : str
        The state that changes most at the point, relative to its size; the reduced equation is one for its change.
    intervals : dict of str -> (float, float)
        Coefficients of the reduced equation, over the enclosure; their signs are proved.
    others : {"stable", "unstable", "undecided"}
        Of all eigenvalues but the critical: all negative; one positive; not told.
    opens : int
        Fold: the side on which the two states exist, -1 below, 1 above; 0 for others.
    criticality : str
        Transcritical: `"supercritical"` where the new state is born stable as the face loses its stability,
        `"subcritical"` where it exists on the other side; `""` where it is undecided or not of the tumour's kind.
    text : str
        In words.
    certificate : dict
        For `verify`.
    region : (k, 2) array
        The box of the defining system in which no other solution lies.
    """

    problem: object
    kind: str
    of: str
    value: float
    enclosure: tuple
    state: dict
    enclosures: dict
    absent: tuple
    along: str
    intervals: dict
    others: str
    opens: int = 0
    criticality: str = ""
    text: str = ""
    certificate: dict = field(default_factory=dict)
    region: np.ndarray = None

    @property
    def coefficients(self) -> dict:
        """Middles of `intervals`."""
        return {name: 0.5 * (low + high) for name, (low, high) in self.intervals.items()}

    @property
    def relative_width(self) -> float:
        """Width of the enclosure of what is moved, relative to the value."""
        low, high = self.enclosure
        return (high - low) / (abs(self.value) or 1.0)

    def __float__(self):
        return self.value

    def __getitem__(self, name):
        both = self.state | {self.of: self.value}
        name = getattr(name, "name", name)
        if name not in both:
            raise ProblemError(f"the {self.kind} has no {name!r}; {did_you_mean(name, both)}")
        return both[name]

    def __repr__(self):
        return f"<CertifiedPoint of {self.problem.model.name}: {self}>"

    def __str__(self):
        return f"{self.kind} at {self.of} = {self.value:.10g}: {self.text}"
