"""Which file answers a question about thresholds: the first case of the table whose condition holds.

The file of a case has ``find(problem, of, within, kinds, **options) -> Thresholds``, `of` being a `moved.Moved` and
the options those that the case names.
"""

from collections.abc import Callable
from dataclasses import dataclass

from remission.models.errors import ProblemError

from .value import KINDS

__all__ = ["CASES", "Asked", "Case"]

FATAL = ("initial", "treatment", "cycles")  # what is moved outside the equations
NAMED = ("critical missegregation", "threshold size", "time to relapse")
PULSED = ("curative dose", "clone dose")
FATES = ("minimal duration", "latest surgery", "residual disease", "change of fate")


STEADY = ("box", "time_limit", "complete")  # options


@dataclass(frozen=True, eq=False)
class Asked:
    """A question.

    Attributes
    ----------
    problem : Problem
    of : Moved
    kinds : tuple of str or None
    outcome : Outcome or None
    """

    problem: object
    of: object
    kinds: tuple | None
    outcome: object

    def only(self, kinds) -> bool:
        """Whether nothing but some kinds is asked for."""
        return self.kinds is not None and all(kind in kinds for kind in self.kinds)

    @property
    def constant(self) -> bool:
        """Whether all inputs are constant."""
        try:
            self.problem.inputs()
        except ProblemError:
            return False
        return True

    @property
    def pulsed(self) -> bool:
        """Whether a rare tumour is asked about under doses that change in time, and are repeated if not named."""
        if self.constant or self.kinds is not None or self.of.role == "initial":
            return not self.constant and self.only(PULSED)
        treatment = self.problem.treatment
        repeated = [x for x in (*treatment.windows, *treatment.jumps) if x.period is not None]
        return bool(repeated) and all(x.repeats is None for x in repeated) and not treatment.rules


@dataclass(frozen=True, eq=False)
class Case:
    """A row of the table: file of this folder, condition, names of its options, and what it is about in words."""

    file: str
    when: Callable
    options: tuple
    about: str


CASES = (
    Case("crossing", lambda a: a.outcome is not None, ("outcome", "level", "n"), "levels that an outcome passes"),
    Case("named", lambda a: a.only(NAMED), ("level",), ", ".join(f"{k}: {KINDS[k]}" for k in NAMED)),
    Case("between_fates", lambda a: a.only(FATES), ("box", "n"), ", ".join(f"{k}: {KINDS[k]}" for k in FATES)),
    Case("pulsed", lambda a: a.pulsed, ("time_limit",), "curative pulsed doses"),
    Case("steady", lambda a: a.constant and a.of.role == "treatment", STEADY, "steady states at constant doses"),
    Case("between_fates", lambda a: not a.constant or a.of.role in FATAL, ("box", "n"), "fates"),
    Case("steady", lambda a: True, STEADY, "steady states at constant inputs"),
)
