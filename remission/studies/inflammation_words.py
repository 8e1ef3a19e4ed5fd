"""Words, numbers and tables of the chapter on inflammation."""

import math

from .chapter import Figure, Number, TableOut
from .inflammation import ONE_CELL
from .panels import power

__all__ = ["captions", "methods", "millions", "numbers", "summary", "tables", "warnings"]

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


def summary(given, options) -> tuple:
    """Paragraphs, the answer first.

    Parameters
    ----------
    given : dict of str -> Arm
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
        "At which dose, blockade, size and length of treatment the outcome changes is asked in the chapter on "
        "thresholds.",
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


def _nadir(arm):
    from remission.analysis import nadir, nadir_time

    return nadir(arm.solution, of="T"), nadir_time(arm.solution, of="T")


def _back(arm, start):
    """Day on which a tumour that had shrunk is back at its first size; infinite if never."""
    from remission.analysis import time_to_relapse

    return float(time_to_relapse(arm.solution, start, of="T"))


def numbers(given, grid, options) -> tuple:
    """Every number of the chapter.

    Parameters
    ----------
    given : dict of str -> Arm
    grid : Plane
    options : dict

    Returns
    -------
    tuple of Number
    """
    made, day = [], options["residual_day"]
    for name in ("untreated", "blocker", "chemo", "both"):
        arm = given[name]
        made.append(Number(f"residual_{name}", arm.size(day), CELLS, label=f"tumour on day {day:g}, {_arm(arm)}",
                           note="less than one cell" if arm.size(day) < ONE_CELL else "",
                           headline=name in ("chemo", "both")))  # fmt: skip
        made.append(Number(f"rest_{name}", arm.rest, CELLS, label=f"largest stable tumour, {_arm(arm)}"))
    low, when = _nadir(given["strong chemo"])
    back, where = _back(given["strong chemo"], options["start"]), _arm(given["strong chemo"])
    made += [
        Number("strong_nadir", low, CELLS, label=f"smallest tumour, {where}"),
        Number("strong_nadir_day", when, "day", label=f"day of it, {where}"),
        Number("strong_back_day", back if math.isfinite(back) else None, "day", label=f"back at the start, {where}"),
        Number("plane_failed", grid.n_failed, "", label=f"failed runs of {grid.residual.size} in the plane"),
    ]
    return tuple(made)


def _arm(arm):
    return f"e = {arm.e:g}, B = {arm.B:g}" if math.isfinite(arm.e) else arm.name


def tables(given, grid) -> tuple:
    """Tables of the chapter.

    Parameters
    ----------
    given : dict of str -> Arm
    grid : Plane

    Returns
    -------
    tuple of TableOut
    """
    return (_runs_table(given), _plane_table(grid))


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


def _plane_table(grid):
    columns = (("start", CELLS), ("e", ""), ("B", ""), ("residual", CELLS))
    rows = tuple(
        (size, float(e), float(B), _plain(float(grid.residual[k, j, i]), None))
        for k, size in enumerate(grid.starts)
        for j, B in enumerate(grid.B)
        for i, e in enumerate(grid.e)
    )
    return TableOut("inflammation-plane", "Residual tumour over dose and blocker.", columns, rows)


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
            "inflammation-plane",
            f"Tumour on day {options['residual_day']:g} of constant treatment, from a large and a small start. Right "
            "of the solid line no tumour lasts; left of the broken line every tumour does; in between it depends on "
            "the size at the start. Near the lines day "
            f"{options['residual_day']:g} is too early to see the outcome.",
        ),
    )


def methods(given, grid, options) -> tuple:
    """How it was done.

    Parameters
    ----------
    given : dict of str -> Arm
    grid : Plane
    options : dict

    Returns
    -------
    tuple of str
    """
    proved = all(arm.proved for arm in given.values())
    sure = "proved to be all by interval arithmetic" if proved else "by Newton steps from many starts, not proved"
    return (
        f"Model paracrine_loop at constant dose e (effect, 0 to 1) and blocker B (concentration / its K_B), from "
        f"{millions(options['start'])} with CXCL1/2 in balance with the tumour and myeloid cells at their level "
        "without signal; the blocker and chemotherapy start together.",
        f"Long-run tumours are the largest stable steady states, {sure}. The lines in the plane are the "
        "curves of folds and of transcritical points, followed with exact derivatives.",
        f"Plane: {len(grid.e)} doses times {len(grid.B)} blockers times {len(grid.starts)} starts, {grid.n_failed} "
        "failed.",
    )


def warnings() -> tuple:
    """What to know before quoting a number.

    Returns
    -------
    tuple of str
    """
    return (
        "Rates are assumed, except the loss of CXCL1/2 and myeloid cells, which are those of related signals in "
        "published models. The measured fold changes of Acharyya et al. (2012) were not available to us.",
        "The signals are taken as well mixed in a fixed volume. If the volume grew with the tumour, the thresholds "
        "would vanish. In other tumours blocking CXCR2 had the opposite effect.",
    )
