"""All special points over a range, as a value."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["CertifiedPoints"]


@dataclass(frozen=True)
class Stretch:
    """Values of what is moved between two neighbouring special points.

    Attributes
    ----------
    low, high : float
    count : int or None
        Steady states at every value in between; None where it is not proved.
    stabilities : tuple of str
        Of each, at the middle.
    stable_throughout : bool
        Whether the stabilities are proved to hold at every value in between.
    """

    low: float
    high: float
    count: int | None
    stabilities: tuple = ()
    stable_throughout: bool = False

    def __str__(self):
        if self.count is None:
            return f"{self.low:.6g} to {self.high:.6g}: undecided"
        where = "" if self.stable_throughout else " in the middle"
        stable = self.stabilities.count("stable")
        return f"{self.low:.6g} to {self.high:.6g}: {self.count} steady states, stable{where}: {stable}"


@dataclass(frozen=True, eq=False, repr=False)
class CertifiedPoints(Sequence):
    """Special points in order of what is moved; a sequence of `CertifiedPoint`.

    Attributes
    ----------
    problem : Problem
    of : str
    within : (float, float)
    kinds : tuple of str
        That were asked for.
    box : dict of str -> (low, high)
        Where the states were sought; nothing is said about the outside.
    points : tuple of CertifiedPoint
    complete : bool
        Whether these are proved to be all of the kinds asked for.
    undecided : tuple of dict
        Boxes of the states and what is moved that may hold more.
    leaving : tuple of (str, str, (low, high))
        State, side of the box and value of what is moved at which a steady state leaves the box there.
    stretches : tuple of Stretch
        Between the points.
    notes : tuple of str
        What is not proved, and why.
    seconds : float
    search : remission.analysis.proved.all_points.Search or None
        Boxes of the proof.
    """

    problem: object
    of: str
    within: tuple
    kinds: tuple
    box: dict
    points: tuple
    complete: bool
    undecided: tuple
    leaving: tuple
    stretches: tuple
    notes: tuple
    seconds: float
    search: object = None

    def __len__(self):
        return len(self.points)

    def __getitem__(self, i):
        return self.points[i]

    def of_kind(self, kind) -> tuple:
        """Those of a kind, in order of the value."""
        return tuple(p for p in self.points if p.kind == kind)

    @property
    def certificate(self) -> dict:
        """What `verify` needs to check again that these are all: JSON-able, doubles as hexadecimal text.

        Raises
        ------
        CertificateError
            If they are not proved to be all.
        """
        from .certificate_points import certificate_of

        return certificate_of(self)

    def __repr__(self):
        return f"<CertifiedPoints of {self.problem.model.name} over {self.of}: {len(self)}>"

    def __str__(self):
        sure = "proved to be all" if self.complete else "not proved to be all"
        low, high = self.within
        lines = [
            f"{len(self)} special points of {self.problem.model.name} over {self.of} from {low:g} to {high:g}, {sure}",
            *(f"  {p}" for p in self.points),
            *(f"  {s}" for s in self.stretches),
            *(f"  {state} leaves the box ({side}) at {self.of} = {ends[0]:.6g}" for state, side, ends in self.leaving),
            *(f"  note: {note}" for note in self.notes),
        ]
        return "\n".join(lines)
