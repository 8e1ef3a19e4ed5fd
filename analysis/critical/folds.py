"""Folds and Hopf points of tumour states: where the last stable tumour state vanishes, where cycles begin."""

import functools
import itertools
from dataclasses import dataclass, field

import numpy as np
import sympy as sp

from remission.models.errors import ProblemError

from ..continuation import SpecialPoint, check_complete, continue_branches
from ..proved.all_points import box_over
from ..steady_states import steady_states
from .certify import same_point
from .moved import at_value, value_of, words_of
from .slopes import slopes_at
from .special import cycles_threshold, fold_threshold, transcritical_threshold, tumour_names

__all__ = ["branches_over", "changes_of", "from_branches", "missed_rare", "rare_changes"]

PRESENT = 1e-9  # of the largest tumour on the branches: less is none
APART, ASIDE = 1e-7, 1e-3
DECADES = 20  # ratio of the ends of a range from which it is looked at in decades too


def from_branches(problem, moved, within, box, time_limit, rare, proof=None) -> tuple:
    """Thresholds of steady states by continuation.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    moved : Moved
    within : (low, high)
    box : dict or None
    time_limit : float
        Seconds of each search for steady states.
    rare : bool
        Whether the state without tumour has no closed form, so that its changes are read off the branches too.
    proof : CertifiedPoints, optional
        Special points that branches have to pass through; those that they miss are followed.

    Returns
    -------
    list of Threshold, list of str
        Thresholds and notes.
    """
    branches = branches_over(problem, moved, within, box, time_limit)
    missed = _missed(problem, branches.points, proof or ())
    if missed and len(branches):
        low, high = within
        beside = [p.value + (p.opens or 1) * ASIDE * max(abs(p.value), ASIDE * (high - low)) for p in missed]
        beside = sorted({min(max(v, low), high) for v in beside})
        branches = check_complete(branches, beside, box=proof.box)
        missed = _missed(problem, branches.points, proof)
    alone = [_special(problem, moved, p) for p in missed]
    found = changes_of(problem, moved, branches, alone)
    if rare:
        found += rare_changes(problem, moved, branches)
    notes = [note for note in branches.notes if "continuum" in note or "branches:" in note]
    return found, notes


def _missed(problem, points, proof):
    """Folds and Hopf points with a tumour, nothing negative, that are proved and not among some points."""
    names, positive = tumour_names(problem), [s.name for s in problem.model.states if s.info.positive]
    return [
        p
        for p in proof
        if p.kind in ("fold", "Hopf")
        and not any(p.enclosures[name][1] < 0 for name in positive)
        and any(p.state[name] > 0 for name in names)
        and not any(q.kind == p.kind and same_point(p, q.value, q.values) for q in points)
    ]


def missed_rare(problem, moved, found, proof, every) -> list:
    """Changes of a state without tumour that are proved and not among some thresholds; of stable ones if not of every.

    A model can have several such states, of which closed forms give the one where nothing else is absent.
    """
    names, positive = tumour_names(problem), [s.name for s in problem.model.states if s.info.positive]
    new = [
        p
        for p in proof
        if p.kind == "transcritical"
        and names <= set(p.absent)
        and not any(p.enclosures[name][1] < 0 for name in positive)
        and (every or p.others == "stable")
        and not any(t.mechanism == "transcritical" and same_point(p, t.value, t.state) for t in found)
    ]
    return [
        transcritical_threshold(
            problem, moved, p.value, p.state, "curative dose" if p.others == "stable" else "clone dose"
        )
        for p in new
    ]


def _special(problem, moved, point):
    """A certified point that lies on no branch, as one of a branch."""
    values = np.linalg.eigvals(slopes_at(problem, point.state, moved.name, point.value).J).astype(complex)
    values = values[np.argsort(-values.real, kind="stable")]
    frequency = point.coefficients.get("omega", np.nan)
    return SpecialPoint(
        point.kind, moved.name, point.value, point.state, values, frequency, point.coefficients | {"opens": point.opens}
    )


def branches_over(problem, moved, within, box=None, time_limit=10.0, brief=False):
    """Branches through all steady states at some values of what is moved, and between neighbouring special points.

    With `brief` at every other value, and not between the points.
    """
    low, high = within
    values = [min(max(value_of(problem, moved.name), low), high), *_spread(low, high)]
    for value in values:  # the first at which anything rests in the box
        start_problem = at_value(problem, moved.name, value)
        start = steady_states(start_problem, box=box, time_limit=time_limit)
        if not all(state.family for state in start):
            break
    branches = continue_branches(start_problem, moved.name, within, start=start)
    if not len(branches):
        return branches
    branches = check_complete(branches, _spread(low, high)[:: 2 if brief else 1], box=box)
    if brief:
        return branches
    marks = sorted({low, high, *(p.value for p in branches.points)})
    between = [0.5 * (a + b) for a, b in itertools.pairwise(marks) if b - a > APART * abs(b)]
    return check_complete(branches, between[:8], box=box) if len(branches.points) else branches


def box_of(problem, moved, within, box=None):
    """Bounds of the states that hold all over the range, where they are known; else those that were given."""
    given = tuple(sorted((str(getattr(k, "name", k)), tuple(map(float, v))) for k, v in (box or {}).items()))
    numbers = tuple(sorted((dict(problem.parameters) | problem.inputs() | {moved.name: 0.0}).items()))
    try:
        return dict(_box(_Same(problem, numbers), moved.name, within, given))
    except ProblemError:
        return box


@dataclass(frozen=True)
class _Same:
    """A problem that is the same as another where model and numbers are."""

    problem: object = field(compare=False)
    numbers: tuple
    model: object = None

    def __post_init__(self):
        object.__setattr__(self, "model", self.problem.model)


@functools.lru_cache(maxsize=64)
def _box(same, name, within, given):
    return box_over(same.problem, {name: within}, dict(given))


def _spread(low, high) -> list:
    """Values inside a range at which steady states are counted: even, and in decades where it spans several."""
    even = low + (high - low) * np.array([0.02, 0.25, 0.5, 0.75])
    if low < 0 or high < DECADES * low:
        return even.tolist()
    start = max(low, 1e-4 * high)
    return sorted([*even[1:].tolist(), *np.geomspace(start, high, 8)[1:-1].tolist()])


def changes_of(problem, moved, branches, more=()) -> list:
    """Folds and Hopf points with a tumour, those of the branches and more, each with its kind."""
    names = sorted(tumour_names(problem))
    largest = max((float(b[name].max()) for b in branches for name in names), default=0.0)
    stable = _stable_values(branches, names, PRESENT * largest)
    found = []
    for point in [*branches.points, *more]:
        if sum(point.values[name] for name in names) <= PRESENT * largest:
            continue
        if point.kind == "fold":
            kind, direction = _fold_kind(problem, moved, point, stable, names)
            found.append(fold_threshold(problem, moved, kind, point, direction))
        elif point.kind == "Hopf":
            found.append(cycles_threshold(problem, moved, point))
    return found


def _stable_values(branches, names, least):
    """Values of the parameter at which a branch has a stable tumour state, special points left out."""
    found = []
    for branch in branches:
        burden = sum(branch[name] for name in names)
        found += branch.values[branch.stable & (burden > least)].tolist()
    return found


def _fold_kind(problem, moved, point, stable, names):
    opens, value = point.coefficients["opens"], point.value
    gap = APART * max(abs(value), 1e-12)
    beyond = [v for v in stable if (v > value + gap if opens < 0 else v < value - gap)]
    critical = sorted(point.eigenvalues.real, key=abs)[1:]
    one_stable = all(x < 0 for x in critical)
    where = words_of(point.values, names)
    side = "above" if opens < 0 else "below"
    if opens == 0:
        return "fold", f"two tumour states meet ({where}); degenerate"
    if not one_stable:
        return "fold", f"two unstable tumour states meet ({where}), none of the two {side}"
    if beyond:
        return "fold", f"a stable and an unstable tumour state meet ({where}), none of the two {side}; others are left"
    kind = "critical blockade" if is_blockade(problem.model, moved.symbol) else "fold dose"
    return kind, f"the last stable tumour state ({where}) vanishes: none {side}"


def is_blockade(model, symbol) -> bool:
    """Whether an input acts on the tumour through other states alone, drugs that it doses not counted as such."""
    if symbol not in model.inputs:
        return False
    acting, grown = {symbol}, True
    while grown:
        drugs = {s for s in model.states if s.info.kind == "drug" and model.equations[s].free_symbols & acting}
        grown = not drugs <= acting
        acting |= drugs
    tumour = [model.equations[s] for s in model.states if s.info.kind == "tumour"]
    return all(sp.diff(rate, s) == 0 for rate in tumour for s in acting)


def rare_changes(problem, moved, branches) -> list:
    """Branch points without tumour: curative doses where the rest of the state is stable."""
    names = tumour_names(problem)
    found = []
    for point in branches.points:
        none = all(abs(point.values[name]) == 0 for name in names)
        if point.kind in ("transcritical", "pitchfork") and none:
            growing = sum(point.eigenvalues.real > 1e-9 * max(abs(point.eigenvalues)))
            kind = "clone dose" if growing else "curative dose"
            found.append(transcritical_threshold(problem, moved, point.value, point.values, kind))
    return found
