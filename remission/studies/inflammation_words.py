"""Words, numbers and tables of the chapter on inflammation."""

import math

from .chapter import Figure, Number, TableOut
from .inflammation import ONE_CELL, SETTLED, disagreement
from .one_at_a_time import span
from .panels import power

__all__ = ["captions", "methods", "numbers", "summary", "tables", "warnings"]

ONE_BY_ONE = "one assumed parameter at a time over its plausible range"
DAYS = (14, 30, 60, 120, 180, 224, 300)
CELLS = "1e6 cells"


def millions(size) -> str:
    """A tumour in words.

    Parameters
    ----------
    size : float
        1e6 cells.

    Returns
    -------
    str

    Examples
    --------
    >>> millions(364.96), millions(3.2e-4), millions(1e-9)
    ('365 million cells', '320 cells', 'less than one cell')
    """
    if size < ONE_CELL:
        return "less than one cell"
    return f"{size:.3g} million cells" if size >= 0.1 else f"{power(size * 1e6, 3)} cells"


def summary(given, limits, swings, options) -> tuple:
    """Paragraphs, the answer first.

    Parameters
    ----------
    given : dict of str -> Arm
    limits : dict
        Of `thresholds`.
    swings : tuple of Swing
    options : dict

    Returns
    -------
    tuple of str
    """
    e, B, day = options["dose"], options["blocker"], options["residual_day"]
    sizes = {name: millions(given[name].size(day)) for name in ("untreated", "blocker", "chemo", "both")}
    return (
        f"In this model neither drug clears the tumour alone; together they do. On day {day:g}, from "
        f"{millions(options['start'])}, chemotherapy of effect {e:g} alone leaves {sizes['chemo']}, a CXCR2 blocker at "
        f"{B:g} times its K_B alone {sizes['blocker']} (untreated: {sizes['untreated']}), and both {sizes['both']}."
        if given["both"].rest == 0 and given["chemo"].rest > 0
        else f"On day {day:g}, from {millions(options['start'])}: untreated {sizes['untreated']}, blocker "
        f"{sizes['blocker']}, chemotherapy {sizes['chemo']}, both {sizes['both']}.",
        _response(given, options),
        _doses(limits, options),
        _blockade(limits, swings, options),
    )


def _response(given, options):
    arm = given["strong chemo"]
    low, when = _nadir(arm)
    back = _back(arm, options["start"])
    again = f"is back at its start on day {back:.0f} and" if math.isfinite(back) else ""
    other = given["strong chemo and weak blocker"]
    fate = "clears it" if other.rest == 0 else f"leaves {millions(other.rest)} in the long run"
    return (
        f"Stronger chemotherapy ({arm.e:g}) gives response and relapse: the tumour shrinks to {millions(low)} by day "
        f"{when:.0f}, {again} settles at {millions(arm.rest)}, because killing calls in the cells that protect the "
        f"rest. A blocker at {other.B:g} times its K_B beside it {fate}."
    )


def _doses(limits, options):
    parts = [
        f"{dose:.4g} with the blocker at {B:g}" + (" (out of reach: full effect is 1)" if dose > 1 else "")
        for B, (dose, _) in limits["clearing"].items()
    ]
    return (
        f"Two doses matter. Above {limits['curative']:.3g} a very small tumour dies out, whatever the blocker. But a "
        f"large one lasts until its steady state vanishes in a fold: at a dose of {', '.join(parts)}. In between the "
        "outcome depends on the size at the start"
        + (
            f": under chemotherapy of {options['dose']:g} alone a tumour above {millions(limits['size'])} comes back, "
            "a smaller one does not. That threshold is a prediction; nobody has measured it."
            if math.isfinite(limits["size"])
            else "."
        )
    )


def _blockade(limits, swings, options):
    blocker, _ = limits["blockade"]
    days, residual = limits["course"]
    low, high = span(swings, 2)
    if not 0 < blocker < math.inf:
        return f"At a dose of {options['dose']:g} no blockade changes whether a large tumour can last."
    text = (
        f"At a dose of {options['dose']:g} the blocker has to exceed {blocker:.3g} times its K_B for every tumour to "
        f"be cleared. This number is soft: over the plausible ranges of the assumed parameters, one at a time, it goes "
        f"from {low:.3g} to {'no blockade at all' if math.isinf(high) else format(high, '.3g')}."
    )
    if math.isfinite(days):
        text += (
            f" The blocker need not last: at {options['full_blocker']:g} times its K_B, {days:.0f} days of it beside "
            f"lasting chemotherapy bring the tumour to {millions(residual)}, from where chemotherapy finishes alone."
        )
    return text


def _nadir(arm):
    from remission.analysis import nadir, nadir_time

    return nadir(arm.solution, of="T"), nadir_time(arm.solution, of="T")


def _back(arm, start):
    """Day on which a tumour that had shrunk is back at its first size; NaN if never, infinite time is not asked."""
    import numpy as np
    from scipy.optimize import brentq

    times, sizes = arm.solution.t, arm.solution["T"]
    low = int(np.argmin(sizes))
    above = np.flatnonzero(sizes[low:] > start)
    if low == 0 or not above.size:
        return math.nan
    end = low + above[0]
    return brentq(lambda t: arm.size(t) - start, times[end - 1], times[end])


def numbers(given, found, limits, swings, grid, options) -> tuple:
    """Every number of the chapter.

    Parameters
    ----------
    given : dict of str -> Arm
    found : sequence of Branches
    limits : dict
    swings : tuple of Swing
    grid : Plane
    options : dict

    Returns
    -------
    tuple of Number
    """
    made = list(_thresholds(limits, swings, options))
    day = options["residual_day"]
    for name in ("untreated", "blocker", "chemo", "both"):
        arm = given[name]
        made.append(Number(f"residual_{name}", arm.size(day), CELLS, label=f"tumour on day {day:g}, {_arm(arm)}",
                           note="less than one cell" if arm.size(day) < ONE_CELL else ""))  # fmt: skip
        made.append(Number(f"rest_{name}", arm.rest, CELLS, label=f"largest stable tumour, {_arm(arm)}"))
    low, when = _nadir(given["strong chemo"])
    back, where = _back(given["strong chemo"], options["start"]), _arm(given["strong chemo"])
    made += [
        Number("strong_nadir", low, CELLS, label=f"smallest tumour, {where}"),
        Number("strong_nadir_day", when, "day", label=f"day of it, {where}"),
        Number("strong_back_day", back if math.isfinite(back) else None, "day", label=f"back at the start, {where}"),
        Number("check_of_steady_states", disagreement(found), "",
               label="largest relative difference of steady tumours between scalar equation and search in all states"),
        Number("plane_failed", grid.n_failed, "", label=f"failed runs of {grid.residual.size} in the plane"),
    ]  # fmt: skip
    return tuple(made)


def _thresholds(limits, swings, options):
    yield Number("curative_dose", limits["curative"], "", *span(swings, 0), ONE_BY_ONE,
                 "dose above which a very small tumour dies out", "for any blocker", headline=True)  # fmt: skip
    for B, (dose, size) in limits["clearing"].items():
        own = options["blocker"] == B
        interval = (*span(swings, 1), ONE_BY_ONE) if own else (None, None, "")
        yield Number(f"clearing_dose_B{B:g}", dose, "", *interval,
                     f"dose above which no tumour lasts, blocker B = {B:g}",
                     "above full effect, out of reach" if dose > 1 else "fold" if size > 0 else "transcritical",
                     headline=own)  # fmt: skip
        yield Number(f"fold_size_B{B:g}", size, CELLS, label=f"tumour that vanishes there, blocker B = {B:g}")
    yield Number("critical_blockade", limits["blockade"][0], "", *span(swings, 2), ONE_BY_ONE,
                 f"blocker / its K_B that clears every tumour, dose {options['dose']:g}", headline=True)  # fmt: skip
    size, (days, residual) = limits["size"], limits["course"]
    yield Number("threshold_size", size if math.isfinite(size) else None, CELLS,
                 label=f"tumour above which chemotherapy of {options['dose']:g} alone fails",
                 note="prediction; signals start as in the runs")  # fmt: skip
    where = f"blocker B = {options['full_blocker']:g} beside chemotherapy of {options['dose']:g}"
    yield Number("shortest_blockade", days if math.isfinite(days) else None, "day",
                 label=f"shortest course that clears, {where}")  # fmt: skip
    yield Number("residual_after_blockade", residual if math.isfinite(residual) else None, CELLS,
                 label=f"tumour at the end of that course, {where}")  # fmt: skip


def _arm(arm):
    return f"e = {arm.e:g}, B = {arm.B:g}" if math.isfinite(arm.e) else arm.name


def tables(given, found, grid, swings) -> tuple:
    """Tables of the chapter.

    Parameters
    ----------
    given : dict of str -> Arm
    found : sequence of Branches
    grid : Plane
    swings : tuple of Swing

    Returns
    -------
    tuple of TableOut
    """
    return (_runs_table(given), _steady_table(found), _plane_table(grid), _swing_table(swings))


def _runs_table(given):
    last = next(iter(given.values())).solution.problem.t_span[1]
    days = [d for d in DAYS if d <= last]
    columns = (("treatment", ""), ("e", ""), ("B", ""), *((f"day {d}", CELLS) for d in days), ("long run", CELLS))
    rows = tuple(
        (a.name, _plain(a.e, "1, 7 of 14 days"), a.B, *(a.size(d) for d in days), _plain(a.rest, ""))
        for a in given.values()
    )
    caption = "Tumour under each treatment; the long run is the largest stable steady state (0: none)."
    return TableOut("inflammation-runs", caption, columns, rows)


def _steady_table(found):
    columns = (("B", ""), ("e", ""), ("T", CELLS), ("stability", ""), ("largest eigenvalue", "1/day"))
    rows = tuple(
        (branch.B, e, s["T"], s.stability, float(s.eigenvalues[0].real))
        for branch in found
        for e, states in branch.checked
        for s in states
    )
    caption = "Steady states found by the search in all states."
    return TableOut("inflammation-steady-states", caption, columns, rows)


def _plane_table(grid):
    columns = (("start", CELLS), ("e", ""), ("B", ""), ("residual", CELLS))
    rows = tuple(
        (size, float(e), float(B), _plain(float(grid.residual[k, j, i]), None))
        for k, size in enumerate(grid.starts)
        for j, B in enumerate(grid.B)
        for i, e in enumerate(grid.e)
    )
    return TableOut("inflammation-plane", "Residual tumour over dose and blocker.", columns, rows)


def _swing_table(swings):
    columns = (
        ("parameter", ""), ("unit", ""), ("at", ""), ("curative dose", ""), ("clearing dose with blocker", ""),
        ("critical blockade", ""),
    )  # fmt: skip
    rows = tuple(
        (s.parameter, "" if s.unit == "1" else s.unit, value, *result)
        for s in swings
        for value, result in ((s.low, s.at_low), (s.high, s.at_high))
    )
    caption = (
        "Thresholds with each assumed parameter alone at both ends of its plausible range. A dose above 1 is out of "
        "reach; a critical blockade of 0 means that the dose clears alone, “never” that no blockade makes it clear."
    )
    return TableOut("inflammation-assumptions", caption, columns, rows)


def _plain(value, other):
    return value if math.isfinite(value) else other


def captions(options) -> tuple:
    """Figures of the chapter.

    Parameters
    ----------
    options : dict

    Returns
    -------
    tuple of Figure
    """
    return (
        Figure(
            "inflammation-trajectories",
            "(a) Tumour under no treatment, blocker alone, chemotherapy alone and both; the axis ends at one cell, "
            "below which the equations mean little. (b) Protection, the part by which S100A8/9 lowers the kill "
            "(relative to its largest effect); that of the untreated tumour ends where that under chemotherapy does. "
            "(c) Stronger chemotherapy: response, then relapse; with a weak blocker the tumour is cleared.",
        ),
        Figure(
            "inflammation-steady-states",
            "Steady tumours against the dose of chemotherapy: stable (solid) and unstable (dashed), from the scalar "
            "equation; circles from the independent search in all five states. Between the curative dose and the fold "
            "the unstable state separates tumours that die out from those that grow back. The axis is linear below 1.",
        ),
        Figure(
            "inflammation-plane",
            f"Tumour on day {options['residual_day']:g} of constant treatment, from a large and a small start. Right "
            "of the solid line no tumour lasts; left of the broken line every tumour does; in between it depends on "
            "the size at the start. Near the lines day "
            f"{options['residual_day']:g} is too early to see the outcome.",
        ),
    )


def methods(found, grid, options) -> tuple:
    """How it was done.

    Parameters
    ----------
    found : sequence of Branches
    grid : Plane
    options : dict

    Returns
    -------
    tuple of str
    """
    n_checked = sum(len(branch.checked) for branch in found)
    return (
        f"Model paracrine_loop at constant dose e (effect, 0 to 1) and blocker B (concentration / its K_B), from "
        f"{millions(options['start'])} with CXCL1/2 in balance with the tumour and myeloid cells at their level "
        "without signal; the blocker and chemotherapy start together.",
        "With the signals at rest the model is one equation for the tumour, whose roots are the steady states; because "
        "no component lowers another's signal (a cooperative system) they are stable where growth falls with size. "
        f"At {n_checked} pairs of dose and blocker all states were also sought by Newton steps from many starts in the "
        "full system, and compared. Folds are where growth per cell, maximised over size, passes zero.",
        f"Plane: {len(grid.e)} doses times {len(grid.B)} blockers times {len(grid.starts)} starts, "
        f"{grid.n_failed} failed. Threshold size and shortest course by halving, judged {SETTLED:g} days after the "
        "start.",
    )


def warnings() -> tuple:
    """What to know before quoting a number.

    Returns
    -------
    tuple of str
    """
    return (
        "Rates are assumed, except the loss of CXCL1/2 and myeloid cells, which are those of related signals in "
        "published models. The measured fold changes of Acharyya et al. (2012) were not available to us. Every "
        "threshold hangs on kap, r, rho, mP and T_X; see the table of assumptions.",
        "The signals are taken as well mixed in a fixed volume. If the volume grew with the tumour, the thresholds "
        "would vanish. In other tumours blocking CXCR2 had the opposite effect.",
    )
