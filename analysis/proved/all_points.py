"""All folds and transcritical points over a range of one parameter, and how many steady states lie between them."""

import time

import numpy as np

from remission.models.errors import CertificateError, ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers import Problem
from remission.solvers.grid import refuse_grid

from ..given import low_high, seconds
from . import answer, events, points, reduce, search
from .all_points_value import CertifiedPoints, Stretch
from .ranges import box_over, states_at, with_value

__all__ = ["certified_points"]

MOST_BOXES, NARROWEST, LARGE = 400_000, 1e-9, 1e300
CUTS, COARSE = 2000, 1e-3  # of boxes where the equations look degenerate
KINDS = ("fold", "transcritical", "Hopf")


@refuse_unknown_keywords
def certified_points(problem, of, within, box=None, *, kinds=KINDS, time_limit=20.0, counts=True) -> CertifiedPoints:
    """All special points of a problem's steady states over a range, proved to be all.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    of : str
        Parameter or input that is moved.
    within : (low, high)
    box : dict, optional
        State -> (low, high). States not named take their declared bounds, together with those of a box that no
        solution leaves where one is found, at both ends of the range, widened by a hundredth. A lower side at zero
        is moved below zero for states that do not divide their own equation, so that zero is inside.
    kinds : tuple of str
        Of `"fold"`, `"transcritical"`, `"Hopf"`.
    time_limit : float
        Seconds.
    counts : bool
        Whether to count the steady states between the points.

    Returns
    -------
    CertifiedPoints
        `.complete` says whether these are proved to be all of the kinds asked for in the box; `.undecided` are boxes
        that may hold more.

    Raises
    ------
    ProblemError
        If a name is unknown, a range is not one, or no proof can be had.

    Notes
    -----
    Folds solve f = 0 and det f_y = 0 together, transcritical points f = 0 on a face and the growth rate of an absent
    state, Hopf points f = 0 and a Hurwitz determinant: square systems in the states and what is moved, solved by
    branch and prune. Between two neighbours of all these and of the places at which a state leaves the box, the
    number of steady states is constant, and so are the stabilities where pairs were looked for.

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> print(certified_points(Problem(paracrine_loop()).at_constant(B=0.0), "e", (0.0, 1.2)))
    2 special points of paracrine_loop over e from 0 to 1.2, proved to be all
      transcritical at e = 0.3338931542: the state without T and X becomes stable above, subcritical
      fold at e = 1.00280087: a stable and an unstable state meet; two steady states below, none above
      0 to 0.333893: 2 steady states, stable: 1
      0.333893 to 1.0028: 3 steady states, stable: 2
      1.0028 to 1.2: 1 steady states, stable: 1
    """
    began = time.monotonic()
    if not isinstance(problem, Problem):
        raise ProblemError(f"certified_points: the first argument must be a Problem, got {type(problem).__name__}")
    refuse_grid(problem, "certified_points")
    of, time_limit = getattr(of, "name", of), seconds(time_limit, "certified_points")
    reason = answer.why_not()
    if reason:
        raise ProblemError(f"certified_points: no proof can be had: {reason}")
    points._checked(problem, of)
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    for kind in kinds:
        if kind not in KINDS:
            raise ProblemError(f"certified_points: there is no kind {kind!r}; {did_you_mean(str(kind), KINDS)}")
    low, high = low_high(within, f"certified_points: the range of {of}")
    sides = box_over(problem, {of: (low, high)}, box)
    sought = {"fold": "fold", "transcritical": "transcritical", "Hopf": "pair"}
    wanted = frozenset({sought[k] for k in kinds} | {"edge"} | ({"fold", "transcritical"} if counts else set()))
    try:
        found = Search(problem, of, (low, high), sides, wanted, began + time_limit)
    except ProblemError as error:
        raise ProblemError(f"certified_points of {problem.model.name}: no proof can be had: {error}") from error
    found.run()
    kept = tuple(sorted((p for p in found.points if p.kind in kinds), key=lambda p: p.value))
    open_kinds = {k for k, v in sought.items() if v in found.open_kinds}
    sides = found.states_box()
    stretches = _stretches(problem, of, (low, high), sides, found) if counts else ()
    return CertifiedPoints(
        problem, of, (low, high), tuple(kinds), sides, kept, not open_kinds & set(kinds), tuple(found.undecided),
        tuple(found.leaving), stretches, tuple(found.notes), time.monotonic() - began, found,
    )  # fmt: skip


class Search:
    """All events of a problem in a box and a range."""

    def __init__(self, problem, of, within, box, kinds, until):
        self.problem, self.of, self.until, self.kinds = problem, of, until, kinds
        self.points, self.undecided, self.leaving, self.notes = [], [], [], []
        self.trees = []  # of the certificate: event, its box, what became of it
        self.open_kinds, self.uncovered = set(), set()  # not complete; not even boxes are known
        model, names = problem.model, problem.system.states
        splitting = frozenset(n for n in names if box[n][0] <= 0 <= box[n][1])
        self.box = np.array([*(box[n] for n in names), (0.0, LARGE), within], dtype=float)
        whole = reduce.system_of(model)
        values = dict(zip(whole.parameters, answer.parameter_intervals(problem), strict=True))
        self.values = np.array([v for p, v in values.items() if p.name != of]).reshape(-1, 2)
        for eliminate in (True, False):
            self.made = events.events_of(model, splitting, of, eliminate, kinds)
            factors, exponents = self._conditions(model, splitting, eliminate, np.vstack(list(values.values())))
            self.case = splitting, eliminate
            if factors:
                break
        if not exponents:
            raise reduce.NotReducible("an exponent of a state is not positive at these parameters")
        self.notes += dict.fromkeys(words for _, words in self.made.left)
        self.uncovered |= {kind for kind, _ in self.made.left}
        self.open_kinds |= self.uncovered

    def _conditions(self, model, splitting, eliminate, values):
        """Whether what was divided by differs from zero, and exponents are positive, all over the range."""
        at = self._position()
        values = values.copy()
        values[at] = self.box[-1]
        factors = exponents = True
        for base in reduce.parts_of(model, splitting, eliminate):
            signs, k = search._constants(base.conditions, values), len(base.factors)
            factors &= bool(np.all((signs[:k, 0] > 0) | (signs[:k, 1] < 0)))
            exponents &= bool(np.all(signs[k:, 0] > 0))
        return factors, exponents

    def _sides(self, event):
        return events.sides_of(event, self.made.system.states, self.box)

    def states_box(self):
        """The box of the states, with the lower sides of those that are nowhere divided out moved below zero."""
        divided = {s for e in self.made.events for s in (*e.base.divided, *e.base.zeros)}
        found = {}
        for s, (low, high) in zip(self.problem.model.states, self.box, strict=False):
            low = -events.SLACK * (high - low) if low == 0 and s not in divided else low
            found[s.name] = (float(low), float(high))
        return found

    def _prepared(self, event, sides, edge):
        return search.Prepared(self.made.system, event.part, np.vstack([self.values, [edge, edge]]), sides)

    def parts(self):
        """The cases that were searched."""
        return reduce.parts_of(self.problem.model, *self.case)

    def run(self):
        for event in self.made.events:
            sides = self._sides(event)
            if event.kind != "edge":
                self._take(event, self._prepared(event, sides, 0.0), sides)
                continue
            i = self.made.system.states.index(event.state)
            for end in (0, 1):
                if end or event.state not in event.base.divided or sides[i, 0] < 0:
                    self._take(event, self._prepared(event, sides, sides[i, end]), sides)

    def _take(self, event, prepared, sides):
        searched = prepared.run(self.until, MOST_BOXES, NARROWEST)
        if event.kind != "edge":
            self.trees.append((event, sides, searched))
        without = f" without {', '.join(s.name for s in event.base.zeros)}" if event.base.zeros else ""
        where = f"{event.kind}{without}"
        if searched.open:
            self._leave(event, None, f"{where}: the time or the number of boxes was not enough")
        if searched.degenerate:
            if not self._nowhere(prepared):
                self._leave(event, None, f"{where}: the equations are degenerate")
            return
        for cluster in search._clusters(searched.undecided):
            full = prepared.all_states(cluster)
            full = np.column_stack([np.maximum(full[:, 0], sides[:, 0]), np.minimum(full[:, 1], sides[:, 1])])
            if np.all(full[:, 0] <= full[:, 1]):
                self._leave(event, full, f"{where}: not decided near {self.of} = {full[-1].mean():.8g}")
        divided = [self.made.system.states.index(s) for s in event.base.divided]
        for enclosure in self._each_once(searched, event, where):
            full = prepared.all_states(enclosure)
            if np.any(full[:, 1] < sides[:, 0]) or np.any(full[:, 0] > sides[:, 1]):
                continue
            if np.any(np.all(full[divided] == 0, axis=1)):
                continue  # on the face, which is a part of its own
            if np.any((full[divided, 0] <= 0) & (full[divided, 1] >= 0)):
                self._leave(event, full, f"{where}: a point that may lie on a face, {self.of} = {full[-1].mean():.8g}")
            else:
                self._found(event, full, where)

    def _nowhere(self, prepared):
        """Whether equations of which the Jacobian is singular are shown to have no common solution."""
        from . import plane_kernel

        n, tape = len(prepared.variables), prepared.tape
        width = np.maximum(prepared.start[:, 1] - prepared.start[:, 0], 1e-300)
        if not any(e.has(self.made.moved) for e in prepared.part.equations):
            width[-1] = np.inf  # cutting it would not help
        stack, kept = np.empty((4096, n, 2)), np.empty((1, n, 2))
        stack[0], count = prepared.start, np.array([1, 0, CUTS])
        plane_kernel.prune(
            tape.code, prepared.shape, prepared.outs, prepared.bounds, prepared.V, width, COARSE, stack, count, kept
        )
        return count[0] == 0 and count[1] == 0

    def _each_once(self, searched, event, where):
        found = search.Found()
        enclosures = search._each_once(searched, found)
        if not found.complete:
            self._leave(event, None, f"{where}: two enclosures overlap")
        return enclosures

    def _leave(self, event, full, note):
        self.open_kinds.add(event.kind)
        self.notes.append(note)
        if full is None:
            self.uncovered.add(event.kind)
        else:
            names = [s.name for s in self.made.system.states]
            sides = {n: (float(a), float(b)) for n, (a, b) in zip(names, full, strict=True)}
            self.undecided.append({n: sides[n] for n in (*self.problem.system.states, self.of)})

    def _found(self, event, full, where):
        middle = full.mean(axis=1)
        names = [s.name for s in self.made.system.states]
        if event.kind == "edge":
            i = names.index(event.state.name)
            side = "lower" if middle[i] < self.box[i].mean() else "upper"
            self.leaving.append((event.state.name, side, (float(full[-1, 0]), float(full[-1, 1]))))
            return
        states = self.problem.system.states
        state = dict(zip(states, middle.tolist(), strict=False))
        exact = {n for n, side in zip(states, full, strict=False) if side[0] <= 0 <= side[1]}
        absent = {s.name for s in event.base.zeros} | exact
        how = {"fold": points.certify_fold, "transcritical": points.certify_transcritical, "pair": points.certify_hopf}
        try:
            point = how[event.kind](self.problem, self.of, state, float(middle[-1]), absent=absent)
        except CertificateError as error:
            self._leave(event, full, f"{where} near {self.of} = {middle[-1]:.8g}: {error}")
            return
        box = np.array([*(point.enclosures[n] for n in states), point.enclosure])
        full = full[[*range(len(states)), -1]]
        if np.all(box[:, 0] <= full[:, 1]) and np.all(full[:, 0] <= box[:, 1]):
            self.points.append(point)
        else:
            self._leave(event, full, f"{where} near {self.of} = {middle[-1]:.8g}: another point was certified")

    def _position(self):
        return [p.name for p in reduce.system_of(self.problem.model).parameters].index(self.of)


def _stretches(problem, of, within, box, found):
    """Numbers of steady states between the events."""
    cuts = [p.enclosure for p in found.points] + [side for _, _, side in found.leaving]
    cuts += [b[of] for b in found.undecided]
    if found.uncovered - {"pair"}:
        return ()
    cuts = [(np.nextafter(a, -np.inf), np.nextafter(b, np.inf)) for a, b in cuts]  # at its end a cut may happen
    cuts = [(float(max(a, within[0])), float(min(b, within[1]))) for a, b in cuts if b >= within[0] and a <= within[1]]
    cuts.sort()
    merged = []
    for a, b in cuts:
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
        else:
            merged.append((a, b))
    edges = [within[0], *(v for cut in merged for v in cut), within[1]]
    stretches = []
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        if not a < b:
            continue
        states = states_at(with_value(problem, of, 0.5 * (a + b)), box)
        known = states is not None
        sure = known and "pair" in found.kinds and "pair" not in found.open_kinds
        stabilities = tuple(v for _, v in sorted(states, key=lambda s: s[0].tolist())) if known else ()
        stretches.append(Stretch(a, b, len(states) if known else None, stabilities, sure))
    return tuple(stretches)
