"""Words of the chapter on thresholds."""

import math

import numpy as np

from .chapter import Figure
from .inflammation_words import millions
from .one_at_a_time import span
from .panels import power
from .threshold_lineages import MEASURED, PACLITAXEL

__all__ = ["captions", "methods", "summary", "warnings"]


def summary(found) -> tuple:
    """Paragraphs, the answer first.

    Parameters
    ----------
    found : Found

    Returns
    -------
    tuple of str
    """
    parts = [_residual(found), _doses(found), _blockade(found), _rates(found), _chance(found), _men(found.men)]
    return tuple(part for part in parts if part)


def _residual(found):
    loop, options = found.loop, found.options
    sizes = [float(t) for t in loop.residual.values()]
    if not sizes:
        return f"At a dose of {options['dose']:g} the outcome does not depend on how much tumour is left."
    low, high = span(found.swings, 3)
    return (
        f"How much may be left has an answer only beside what else is left. Under lasting chemotherapy of "
        f"{options['dose']:g} alone, tumours above {millions(sizes[0])} come back where no signal is there at the "
        f"start, above {millions(sizes[-1])} with the signals that an untreated tumour has called in. These sizes are "
        "near those that imaging first sees, so a tumour gone from the scan can be on either side. They are the "
        "model's; nobody has measured one. With one assumed parameter at a time at the ends of its plausible range, "
        f"the size goes from {_size(low)} to {_size(high)}."
    )


def _size(value):
    if value == 0:
        return "zero (every tumour lasts)"
    return "no limit (every tumour dies out)" if math.isinf(value) else millions(value)


def _doses(found):
    loop = found.loop
    curative = float(loop.diagrams[0].limits["curative dose"])
    parts = []
    for d in loop.diagrams:
        dose = loop.clearing(d.B)
        parts.append(f"{dose:.4g} with the blocker at {d.B:g}" + (" (out of reach: full effect is 1)" * (dose > 1)))
    return (
        f"Two doses part three outcomes. Above {curative:.3g}, the curative dose, a very small tumour dies out, "
        f"whatever the blocker. A large one lasts until its steady state vanishes, at {', '.join(parts)}. Between the "
        "two the outcome depends on what is left."
    )


def _blockade(found):
    loop, options = found.loop, found.options
    blockade = [float(t) for t in loop.blockade.of_kind("critical blockade")]
    if not blockade:
        return f"At a dose of {options['dose']:g} no blockade changes whether a large tumour can last."
    low, high = span(found.swings, 2)
    text = (
        f"At a dose of {options['dose']:g} the blocker has to exceed {blockade[-1]:.3g} times its K_B for every tumour "
        f"to be cleared. This number is soft: it goes from {low:.3g} to "
        f"{'no blockade at all' if math.isinf(high) else format(high, '.3g')} over the same ranges."
    )
    if loop.course is not None:
        first, then = _two_strongest(loop.course)
        text += (
            f" The blocker need not last: at {options['full_blocker']:g} times its K_B, {float(loop.course):.2f} days "
            f"beside lasting chemotherapy bring the tumour to {millions(loop.course_left)}, just across the border. "
            f"This hangs most on {first} and {then}."
        )
    if found.surgery is not None:
        text += (
            f" In the model of two sites, where the primary tumour is cut out and the same chemotherapy starts then, "
            f"the operation has to come before day {float(found.surgery):.0f}, counted from a thousand cells; later "
            "the distant site is beyond its border."
        )
    return text


def _two_strongest(threshold):
    known = {k: v for k, v in threshold.elasticities.items() if math.isfinite(v)}
    best = sorted(known, key=lambda k: -abs(known[k]))[:2]
    return tuple(f"{name} ({known[name]:+.2g} % for 1 %)".replace("-", "\N{MINUS SIGN}") for name in best)


def _rates(found):
    rates = found.missegregation
    S, A = (float(t) for t in rates.clones)
    return (
        f"Critical missegregation is three things. Half of the tumours relapse after withdrawal at "
        f"{power(float(rates.relapse), 3)} missegregations per chromosome and division before it; a sensitive cell "
        f"stops growing untreated at {power(S, 3)}, an aneuploid one at {power(A, 3)}; and a ladder of chromosome "
        f"copies can no longer grow under therapy above {power(float(rates.ladder), 3)}. Cell lines lie between "
        f"{power(MEASURED[0])} and {power(MEASURED[1])}: the first two are among them, the others are not. Paclitaxel "
        f"takes cells to {power(PACLITAXEL, 2)}, far above all."
    )


def _chance(found):
    exact = next(t for t in found.sizes if t.formula is None)
    return (
        f"Whether the last cells go is also a matter of chance, and of mutants. In a model of aneuploid rescue, "
        f"{power(float(exact), 3)} cells that die under a drug leave a growing resistant family with probability "
        f"{1 - math.exp(-1):.2f}. A residue below the border of the first paragraph can still relapse this way, which "
        "the equations of the loop do not say."
    )


def _men(men):
    paused, rest = [p for p in men if p.adaptive], [p for p in men if not p.adaptive]
    if not paused:
        return "" if men else "No fits of patients are at hand, so no threshold is drawn beside data."
    fit = "ours"
    ratio = np.array([p.given / p.needed[fit][0] for p in paused])
    inside = sum(not p.clear(fit) for p in paused)
    above = sum(p.given > p.needed[fit][2] for p in paused)
    text = (
        f"Data say something about one of these numbers. In {len(paused)} men whose abiraterone was paused, the part "
        f"of the time on drug was {np.median(ratio):.2f} times (median; {ratio.min():.2f} to {ratio.max():.2f}) what "
        f"their sensitive cells need to shrink by their own fits: inside the 95 % interval in {inside}, above it in "
        f"{above}, below it in {len(paused) - inside - above}. Dosing by PSA keeps a man near this threshold, and a "
        "fit that follows his PSA has to find it there, so the agreement is no test of the model."
    )
    if rest:
        open_ = sum(not p.clear(fit) or math.isnan(p.needed[fit][1]) for p in rest)
        text += (
            f" Without pauses the same fits do not tell what is needed: in {open_} of {len(rest)} men not even whether "
            "it is more or less than the full dose. No dose is curative in this model, whose resistant cells are not "
            "killed; on that, and on all other thresholds of this chapter, the data say nothing."
        )
    return text


def captions(options, name, drawn) -> tuple:
    """Figures of the chapter.

    Parameters
    ----------
    options : dict
    name : str
        Of the chapter.
    drawn : tuple of str

    Returns
    -------
    tuple of Figure
    """
    texts = {
        "steady-states": "Steady tumours against the dose of chemotherapy, followed by continuation: stable (solid) "
        "and unstable (dashed). Circles: all steady states at these doses. Between the curative dose and "
        "the fold the unstable state parts tumours that die out from tumours that grow back. The axis is linear below "
        "1.",
        "map": "What can last over dose and blocker. Each coloured cell is proved for all values in it; grey cells "
        "are undecided, they hold the curves on which steady tumours come and go. (b) Around the curative dose: with a "
        "strong blocker a very small tumour comes in without a jump, and below the curative dose a small one can last "
        "beside a large one.",
        "residual-disease": "Residual disease. (a) Largest tumour at the start that still dies out, CXCL1/2 in "
        "balance and no myeloid cells called yet; shaded: 4.2 to 10 million cells, taken as first seen in published "
        f"models. (b) The border at a dose of {options['dose']:g} without blocker against the myeloid cells that are "
        "left, CXCL1/2 and S100A8/9 in balance with them, and two courses of full blockade beside it, a fifth shorter "
        "and a fifth longer than needed; dots: the blocker ends. (c) Shortest course of blocker beside lasting "
        "chemotherapy of that dose.",
        "assumptions": "What the thresholds of the loop hang on: each assumed parameter alone at both ends of its "
        "plausible range, those that matter most on top. Arrows: beyond the axis, zero or never (see the table).",
        "missegregation": "(a) Critical missegregation by its three definitions, beside rates of cancer cell lines "
        "(shaded) and of cells under paclitaxel. (b) Probability that a tumour of sensitive cells is rescued under a "
        "drug; N*, where it is 1 \N{MINUS SIGN} 1/e, by the branching process and by the two formulas.",
        "patients": "Dose that sensitive cells need to shrink in an empty niche by each man's fit, with its 95 % "
        "interval, beside the dose that he was given, averaged over time. Hollow: growth rate at its bound, no "
        "interval.",
    }
    return tuple(Figure(f"{name}-{key}", texts[key]) for key in drawn)


def methods(found) -> tuple:
    """How it was done.

    Parameters
    ----------
    found : Found

    Returns
    -------
    tuple of str
    """
    n = sum(len(d.proved) for d in found.loop.diagrams)
    missed = sum(d.missed for d in found.loop.diagrams)
    sure = "proved to be all" if found.loop.proved else "looked for by Newton steps, which proves nothing,"
    return (
        "Thresholds at constant doses: curative doses from the growth rates of rare clones in closed form, folds by "
        "continuation of all steady states, solved on the equations that define them. Where a proof is given, interval "
        "arithmetic has shown that exactly one such point lies within the ends. Derivatives by implicit "
        "differentiation.",
        f"Steady states were {sure} at {n} pairs of dose and blocker; {missed} of them lie on no followed "
        "branch. Residual disease is where a line of starts crosses the stable manifold of the unstable state; the "
        "shortest course is where the run itself ends on it.",
        "Ranges: each assumed parameter alone at both ends of its plausible range, everything computed anew.",
        "Measured: cell lines missegregate 2.5e-4 to 1e-2 times per chromosome and division (Stana et al. 2025, from "
        "others), under paclitaxel 18.5 times per division (Lynch et al. 2022), here over 46 chromosomes; a human "
        "tumour is first seen at 4.19 million cells (Avanzini et al., in Stana et al. 2025) or at 10 million.",
        "Patients: fits of the chapter on resistance; the dose needed is r / kill, its interval from their covariance "
        "on the logarithm. Given: part of the time on drug from the first dose to the last visit.",
    )


def warnings() -> tuple:
    """What to know before quoting a number.

    Returns
    -------
    tuple of str
    """
    return (
        "A proof is about the equations and the parameters as given. Almost all of these are assumed, and the ranges "
        "beside a threshold say far more about it than its digits.",
        "Residual disease, course and clearing dose suppose that signals are well mixed in a fixed volume and that "
        "blocking CXCR2 helps; in other tumours it did the opposite.",
    )
