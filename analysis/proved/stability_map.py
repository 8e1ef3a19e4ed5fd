"""stability_map: which steady states there are and which attract, over a plane of two parameters, in proved cells."""

import time

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords
from remission.solvers import Problem
from remission.solvers.grid import refuse_grid

from ..given import low_high, seconds
from . import answer, plane_cells, points
from .map_value import Region, StabilityMap
from .ranges import box_over, states_at, with_value

__all__ = ["stability_map"]

FINEST = 2.0**-14  # relative side of a cell that is not cut further
SAMPLES = 3  # cells of a group at which steady states are asked for, the largest first


@refuse_unknown_keywords
def stability_map(problem, over, box=None, *, time_limit=20.0, undecided=0.005, progress=True) -> StabilityMap:
    """Regions of the plane of two parameters by their steady states and stabilities, in cells that are proved.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    over : dict of str -> (low, high)
        Two parameters or inputs: the horizontal and the vertical axis.
    box : dict, optional
        State -> (low, high) where steady states are sought. States not named take their declared bounds, together
        with those of a box that no solution leaves where one is found, widened by a hundredth.
    time_limit : float
        Seconds for cutting the plane.
    undecided : float
        Part of the plane that may stay undecided; smaller takes longer, about as its inverse.
    progress : bool
        Show a bar on a terminal.

    Returns
    -------
    StabilityMap

    Raises
    ------
    ProblemError
        If there are not two names, a name is unknown, a range is not one, or no proof can be had for the model.

    Notes
    -----
    A cell is decided where it is proved that no fold, no transcritical point, no vanishing sum of two eigenvalues and
    no state on the edge of the box lies in it: number and stabilities of the steady states are then constant in the
    cell and in all decided cells that touch it, and one proved call of `steady_states` tells them.

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> found = stability_map(Problem(paracrine_loop()), {"e": (0, 1.2), "B": (0, 60)}, undecided=0.05)
    >>> print(found.at(e=0.6, B=10).label)
    two stable: depends on size
    >>> found.at(e=0.6, B=40).label
    'only tumour-free'
    """
    began, time_limit = time.monotonic(), seconds(time_limit, "stability_map")
    over = _checked(problem, over)
    sides = box_over(problem, over, box)
    with _Bar(progress) as tell:
        try:
            cells = plane_cells.cut(problem, over, sides, time_limit, float(undecided), FINEST, tell)
        except ProblemError as error:
            raise ProblemError(f"stability_map of {problem.model.name}: no proof can be had: {error}") from error
    regions, of_cell, notes = _regions(problem, over, sides, cells)
    return StabilityMap(
        problem, over, sides, regions, np.concatenate([cells.quiet, cells.open]),
        np.concatenate([of_cell, np.full(len(cells.open), -1)]), cells.pairs, (*notes, *cells.left),
        time.monotonic() - began,
    )  # fmt: skip


def _checked(problem, over):
    if not isinstance(problem, Problem):
        raise ProblemError(f"stability_map: the first argument must be a Problem, got {type(problem).__name__}")
    refuse_grid(problem, "stability_map")
    reason = answer.why_not()
    if reason:
        raise ProblemError(f"stability_map: no proof can be had: {reason}")
    if not isinstance(over, dict):
        raise ProblemError(f"stability_map: over is a dict of two parameters -> (low, high), got {over!r}")
    over = {getattr(k, "name", k): v for k, v in over.items()}
    if len(over) != 2:
        raise ProblemError(f"stability_map: over has two parameters, got {', '.join(map(str, over)) or 'none'}")
    for name, side in over.items():
        points._checked(problem, name)
        over[name] = low_high(side, f"stability_map: the range of {name}")
    return over


class _Bar:
    """A bar of the share that is decided."""

    def __init__(self, shown):
        from tqdm import tqdm

        form = "{desc}: {percentage:3.1f} %|{bar}| {elapsed}"
        self.bar = tqdm(total=1.0, desc="decided", bar_format=form, disable=not shown or None, delay=1.0, leave=False)

    def __enter__(self):
        return self.tell

    def __exit__(self, *fault):
        self.bar.close()

    def tell(self, share):
        self.bar.update(max(share - self.bar.n, 0.0))


def _regions(problem, over, box, cells):
    """Regions, the number of the region of each quiet cell (-1 where undecided), and notes."""
    names = list(over)
    span = np.array([high - low for low, high in over.values()])
    areas = np.prod((cells.quiet[:, :, 1] - cells.quiet[:, :, 0]) / span, axis=1)
    groups = plane_cells.groups(cells.quiet) if len(cells.quiet) else np.zeros(0, int)
    known, of_cell, notes = {}, np.full(len(cells.quiet), -1), []
    for group in range(int(groups.max(initial=-1)) + 1):
        inside = np.flatnonzero(groups == group)
        for i in inside[np.argsort(-areas[inside], kind="stable")][:SAMPLES]:
            at = dict(zip(names, cells.quiet[i].mean(axis=1).tolist(), strict=True))
            what = _states(problem, at, box)
            if what is not None:
                known.setdefault(what, []).append((at, float(areas[inside].sum()), inside))
                break
        else:
            notes.append(f"the steady states near {at} are not proved, though their number does not change there")
    regions = []
    for what in sorted(known, key=lambda w: -sum(area for _, area, _ in known[w])):
        for _, _, inside in known[what]:
            of_cell[inside] = len(regions)
        at = max(known[what], key=lambda each: each[1])[0]
        regions.append(Region(_label(problem, what), what, sum(area for _, area, _ in known[what]), at))
    return tuple(regions), of_cell, tuple(notes)


def _states(problem, at, box):
    """(tumour states that are there, stability) of each steady state at a point, sorted; None where not proved."""
    for name, value in at.items():
        problem = with_value(problem, name, value)
    found = states_at(problem, box)
    if found is None:
        return None
    tumours = [(i, s.name) for i, s in enumerate(problem.model.states) if s.info.kind == "tumour"]
    return tuple(sorted((tuple(n for i, n in tumours if ends[i, 1] > 0), verdict) for ends, verdict in found))


def _label(problem, what):
    """What a region means, in words."""
    tumours = [s.name for s in problem.model.states if s.info.kind == "tumour"]
    stable = [there for there, stability in what if stability == "stable"]
    if any(stability == "undecided" for _, stability in what):
        return "stability undecided"
    if not stable:
        return "no steady state attracts" if what else "no steady state"
    if not tumours:
        return f"{len(stable)} stable" + (": depends on the start" if len(stable) > 1 else "")
    if set(stable) == {()}:
        return "only tumour-free" if len(stable) == 1 else "only tumour-free, in several ways"
    if len(tumours) == 1:
        if () in stable:
            return "two stable: depends on size" if len(stable) == 2 else "several stable: depends on size"
        return "tumour persists" if len(stable) == 1 else "tumour persists, small or large"
    words = {there: " with ".join(there) + (" alone" if len(there) == 1 else "") for there in stable}
    words = sorted({w if there else "tumour-free" for there, w in words.items()})
    return f"{words[0]} persists" if len(words) == 1 else f"{' or '.join(words)}: depends on the start"
