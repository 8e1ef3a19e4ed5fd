"""Words, numbers and tables of the chapter on unstable chromosomes."""

import math

import numpy as np

from .chapter import Figure, Number, TableOut
from .instability_figures import critical_over_f_r
from .one_at_a_time import span
from .panels import power

__all__ = ["captions", "methods", "numbers", "summary", "tables", "warnings"]

TENFOLD = "f_r ten times smaller or larger"
ONE_BY_ONE = "one assumed parameter at a time over its plausible range"


def percent(value, digits=3) -> str:
    """A fraction as percent.

    Parameters
    ----------
    value : float
    digits : int
        Significant digits.

    Returns
    -------
    str

    Examples
    --------
    >>> percent(0.36341), percent(1.0), percent(0.000259)
    ('36.3 %', '100 %', '0.0259 %')
    """
    return f"{100 * value:.{digits}g} %"


def summary(low, high, found, swings, options) -> tuple:
    """Paragraphs, the answer first.

    Parameters
    ----------
    low, high : Cohort
    found : Scan
    swings : tuple of Swing
    options : dict

    Returns
    -------
    tuple of str
    """
    ratio = high.lineages.total / low.lineages.total
    few, many = span(swings, 2)
    least, most = (_who(swings, v) for v in (few, many))
    return (
        f"In this model, instability before treatment makes relapse. Tumours that grew with "
        f"{high.p / low.p:.3g} times the missegregation shrink almost as fast when the oncogene is withdrawn "
        f"({percent(high.left(3), 2)} of the dependent cells left on day 3, against {percent(low.left(3), 2)}; "
        f"{percent(high.left(30), 2)} and {percent(low.left(30), 2)} on day 30), yet "
        f"{percent(high.lineages.relapse_probability)} of them relapse against "
        f"{percent(low.lineages.relapse_probability)}.",
        f"The mouse experiment reports the same two facts in words: regression unchanged, relapse more frequent. How "
        f"often anything relapses hangs on f_r, the part of abnormal daughters that no longer need the oncogene, which "
        f"nobody has measured. The ratio of relapse-founding lineages, {ratio:.2f}, does not depend on it; moving the "
        f"other assumed rates one at a time takes the ratio from {few:.2g} "
        f"({least}) to {many:.2g} ({most}).",
        _critical_words(found),
        f"{percent(high.lineages.by_phase[0] / high.lineages.total)} of the lineages that cause relapse at the high "
        f"rate ({percent(low.lineages.by_phase[0] / low.lineages.total)} at the low rate) were there before "
        f"withdrawal. Half of the relapses are seen by day {high.median_relapse:.0f} after withdrawal (low rate: day "
        f"{low.median_relapse:.0f}), when a family reaches {power(options['n_detect'], 1)} cells; "
        f"{percent(high.lineages.cure_fraction)} and {percent(low.lineages.cure_fraction)} never relapse.",
        f"The mean number of independent cells misleads: at the high rate it is {high.at_withdrawal('R'):.1f} at "
        f"withdrawal, which would make relapse certain, but most of that mean is carried by rare tumours that founded "
        f"a lineage early.",
    )


def _who(swings, ratio):
    """The parameter, and its value, that gives a ratio."""
    ends = [(s.parameter, v, r[2]) for s in swings for v, r in ((s.low, s.at_low), (s.high, s.at_high))]
    return next((f"{name} = {value:g}" for name, value, r in ends if r == ratio), "none")


def _critical_words(found):
    critical = found.critical["with crowding"]
    if not math.isfinite(critical):
        return (
            f"Between {power(found.p[0])} and {power(found.p[-1])} missegregations per chromosome and division the "
            "probability of relapse does not pass one half."
        )
    return (
        f"Half of the tumours relapse at {power(critical, 3)} missegregations per chromosome and division (at "
        f"{power(found.critical['without crowding'], 3)} if the tumour around it does not slow a young lineage). "
        f"Measured rates of cancer lines lie between {power(2.5e-4)} and {power(1e-2)}, so the critical rate falls "
        "among them at the assumed f_r; it moves roughly in inverse proportion to f_r."
    )


def numbers(low, high, found, swings, problem, options) -> tuple:
    """Every number of the chapter.

    Parameters
    ----------
    low, high : Cohort
    found : Scan
    swings : tuple of Swing
    problem : Problem
    options : dict

    Returns
    -------
    tuple of Number
    """
    made = [n for c in (low, high) for n in _of_cohort(c, problem, options)]
    ratio = high.lineages.total / low.lineages.total
    made.append(
        Number("lineage_ratio", ratio, "", *span(swings, 2), ONE_BY_ONE,
               "relapse-founding lineages, high over low instability", "independent of f_r", headline=True)
    )  # fmt: skip
    for key, how in (("critical_rate", "with crowding"), ("critical_rate_free", "without crowding")):
        made.append(_critical(key, how, found, problem))
    p, n = found.critical["with crowding"], problem.parameters["n_chromosomes"]
    m = 1 - (1 - p) ** n if math.isfinite(p) else None
    made.append(Number("critical_abnormal_divisions", m, "", label="abnormal divisions at the critical rate"))
    return tuple(made)


def _critical(key, how, found, problem):
    value = found.critical[how]
    f_r, p = critical_over_f_r(found, problem.parameters["f_r"], how)
    own = problem.parameters["f_r"] * np.array([10.0, 0.1])
    order = np.argsort(f_r)
    low, high = np.interp(np.log(own), np.log(f_r[order]), np.log(p[order]), left=np.nan, right=np.nan)
    known = np.isfinite([low, high]).all() and math.isfinite(value)
    return Number(
        key,
        value if math.isfinite(value) else None,
        "per chromosome and division",
        math.exp(low) if known else None,
        math.exp(high) if known else None,
        TENFOLD if known else "",
        f"missegregation rate at which half relapse, {how}",
        "" if math.isfinite(value) else "half is not passed in the rates that were looked at",
        headline=key == "critical_rate",
    )


def _of_cohort(c, problem, options):
    bounds = next(p.info.plausible for p in problem.model.parameters if p.name == "f_r")
    words = "plausible f_r, " + " to ".join(power(b, 1) for b in bounds)

    def relapse(lineages):
        return [-math.expm1(-lineages.total * b / problem.parameters["f_r"]) for b in bounds]

    where = f"{c.name} instability"
    early = c.lineages.by_phase[0] / c.lineages.total
    yield Number(f"relapse_{c.name}", c.lineages.relapse_probability, "", *relapse(c.lineages), words,
                 f"probability of relapse, {where}", "with crowding of the lineage",
                 headline=c.name == "high")  # fmt: skip
    yield Number(f"relapse_{c.name}_free", c.free.relapse_probability, "", *relapse(c.free), words,
                 f"probability of relapse, {where}", "without crowding of the lineage")  # fmt: skip
    yield Number(f"lineages_{c.name}", c.lineages.total, "", label=f"expected established lineages, {where}")
    yield Number(f"lineages_{c.name}_free", c.free.total, "", label=f"the same without crowding, {where}")
    yield Number(f"founded_before_{c.name}", early, "", label=f"part founded before withdrawal, {where}")
    yield Number(f"cure_{c.name}", c.lineages.cure_fraction, "", label=f"cure fraction, {where}")
    median = c.median_relapse
    yield Number(
        f"median_relapse_{c.name}", median if math.isfinite(median) else None, "day",
        label=f"day after withdrawal by which half of the relapses are seen, {where}",
        note=f"a family is seen at {power(options['n_detect'], 1)} cells",
    )  # fmt: skip
    yield Number(f"withdrawn_{c.name}", c.withdrawn, "day",
                 label=f"from one cell to {power(options['withdraw_at'], 1)} cells, {where}")  # fmt: skip
    yield Number(f"aneuploid_{c.name}", c.at_withdrawal("aneuploid_fraction"), "",
                 label=f"aneuploid part at withdrawal, {where}")  # fmt: skip
    yield Number(f"mean_independent_{c.name}", c.at_withdrawal("R"), "cells",
                 label=f"mean of R at withdrawal, {where}", note="an expectation, not a tumour")  # fmt: skip
    for day in (3, 30):
        yield Number(f"left_day_{day}_{c.name}", c.left(day), "",
                     label=f"S + A left on day {day} after withdrawal, {where}")  # fmt: skip


def tables(low, high, found, swings, problem) -> tuple:
    """Tables of the chapter.

    Parameters
    ----------
    low, high : Cohort
    found : Scan
    swings : tuple of Swing
    problem : Problem

    Returns
    -------
    tuple of TableOut
    """
    return (_scan_table(found), _survival_table(low, high), _frailty_table(low, high), _swing_table(swings))


def _scan_table(found):
    rows = zip(found.p, found.withdrawn, *found.probability.values(), strict=True)
    columns = (
        ("p_on", "per chromosome and division"), ("withdrawal", "day"), ("relapse with crowding", ""),
        ("relapse without crowding", ""),
    )  # fmt: skip
    caption = "Probability of relapse over the missegregation rate before withdrawal."
    return TableOut("instability-probability", caption, columns, tuple(tuple(map(_plain, row)) for row in rows))


def _survival_table(low, high):
    columns = [("day after withdrawal", "day")]
    columns += [(f"{c.name} {how} crowding", "") for c in (low, high) for how in ("with", "without")]
    series = (low.days, low.survival, low.survival_free, high.survival, high.survival_free)
    rows = tuple(tuple(map(float, row)) for row in zip(*series, strict=True))
    caption = "Relapse-free fraction, with and without crowding of the lineage."
    return TableOut("instability-survival", caption, tuple(columns), rows)


def _frailty_table(low, high):
    from remission.analysis.relapse_counts import lognormal_frailty

    rows = []
    for sd in (0.0, 0.5, 1.0, 1.5):
        chances = [float(lognormal_frailty(c.lineages.total, sd)) for c in (low, high)]
        rows.append((sd, *chances))
    columns = (("sd of log lineages between animals", ""), ("relapse, low", ""), ("relapse, high", ""))
    caption = "Animals that differ in their expected lineages (log-normal, mean one): fewer relapse at the same mean."
    return TableOut("instability-frailty", caption, columns, tuple(rows))


def _swing_table(swings):
    columns = (
        ("parameter", ""), ("unit", ""), ("at", ""), ("relapse, low", ""), ("relapse, high", ""),
        ("lineages, high / low", ""),
    )  # fmt: skip
    rows = [
        (s.parameter, s.unit if s.unit != "1" else "", value, *map(_plain, result))
        for s in swings
        for value, result in ((s.low, s.at_low), (s.high, s.at_high))
    ]
    caption = (
        "Each assumed parameter alone at both ends of its plausible range. Empty: no tumour forms, dependent cells "
        "stay after withdrawal, or (last column) no lineage can establish."
    )
    return TableOut("instability-assumptions", caption, columns, tuple(rows))


def _plain(value):
    return float(value) if math.isfinite(value) else None


def captions(low, high, options) -> tuple:
    """Figures of the chapter.

    Parameters
    ----------
    low, high : Cohort
    options : dict

    Returns
    -------
    tuple of Figure
    """
    return (
        Figure(
            "instability-regression",
            f"Regression after withdrawal. (a) Dependent cells S + A relative to withdrawal at missegregation rates of "
            f"{power(low.p)} and {power(high.p)} per chromosome and division. (b, c) Which cells they are. Independent "
            "cells are not drawn: their mean is not the size of any tumour.",
        ),
        Figure(
            "instability-probability",
            "(a) Probability of relapse by the lineage model against the missegregation rate before withdrawal, with "
            "and without crowding of young lineages; shaded: f_r ten times smaller to ten times larger. (b) The rate "
            "at which half of the tumours relapse against f_r, which is assumed.",
        ),
        Figure(
            "instability-survival",
            f"Relapse-free survival after withdrawal, with crowding of the lineage; a relapse is seen when a family "
            f"reaches {power(options['n_detect'], 1)} cells. Dotted: cure fraction.",
        ),
    )


def methods(options, found) -> tuple:
    """How it was done.

    Parameters
    ----------
    options : dict
    found : Scan

    Returns
    -------
    tuple of str
    """
    return (
        f"Model oncogene_withdrawal. One cell grows with the oncogene and the cause of instability on until S + A "
        f"reaches {power(options['withdraw_at'], 1)} cells; then both are switched off. Independent cells R count "
        "neither for the switch nor for the crowding of S and A, because their mean is not a tumour.",
        "Relapse is counted by the lineage model: lineages are founded as a Poisson process along the solution, each "
        "is a birth-death process whose rates change at withdrawal and, with crowding, with the tumour around it "
        "(Kendall 1948). A tumour relapses if at least one lineage establishes.",
        f"{len(found.p)} rates between {power(found.p[0])} and {power(found.p[-1])}, evenly in the logarithm; critical "
        "rates by root search at a relative tolerance of 1e-9 of the rate. Expected lineages are proportional to f_r, "
        "which gives the ranges over f_r without further runs.",
    )


def warnings() -> tuple:
    """What to know before quoting a number.

    Returns
    -------
    tuple of str
    """
    return (
        "Rates are assumed, chosen to match what is reported in words (Sotillo et al. 2010; Fisher et al. 2001); f_r "
        "is free. The relapse counts of the mouse experiment were not available to us, so nothing here is fitted.",
        "Which missegregation rates the two groups of mice had is assumed too. The model makes unstable tumours grow "
        "more slowly; the experiment reports that Mad2 cooperates with Kras.",
    )
