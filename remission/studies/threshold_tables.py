"""Numbers and tables of the chapter on thresholds."""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np

from .chapter import Number, TableOut
from .one_at_a_time import span
from .threshold_loop import COLUMNS
from .threshold_patients import FITS

__all__ = ["Asked", "as_assumed", "asked", "every_table", "numbers"]

ONE_BY_ONE = "one assumed parameter at a time over its plausible range"
CELLS = "1e6 cells"
AXES = ("dose, e", "dose, e", "blocker / its K_B, B", "tumour (10⁶ cells)")


@dataclass(frozen=True, eq=False)
class Asked:
    """One threshold of the chapter.

    Attributes
    ----------
    name : str
        Key in numbers.json.
    model, words : str
    threshold : Threshold
    column : int or None
        Of the one-at-a-time results.
    note : str
    headline : bool
    """

    name: str
    model: str
    words: str
    threshold: object
    column: int | None = None
    note: str = ""
    headline: bool = False


def asked(found) -> list:
    """Every threshold of the chapter in order.

    Parameters
    ----------
    found : Found

    Returns
    -------
    list of Asked
    """
    return [*_of_loop(found.loop, found.options), *_of_surgery(found), *_of_clones(found), *_of_rates(found)]


def _of_loop(loop, options):
    e, full = options["dose"], options["full_blocker"]
    first = loop.diagrams[0].limits["curative dose"]
    yield Asked("curative_dose", "paracrine_loop", "dose above which a very small tumour dies out", first, 0,
                "for any blocker", True)  # fmt: skip
    for diagram in loop.diagrams:
        own = options["blocker"] == diagram.B
        for fold in diagram.limits.of_kind("fold dose"):
            yield Asked(f"fold_dose_B{diagram.B:g}", "paracrine_loop",
                        f"dose above which no tumour lasts, blocker B = {diagram.B:g}", fold, 1 if own else None,
                        "above full effect, out of reach" if float(fold) > 1 else "")  # fmt: skip
    for blockade in loop.blockade.of_kind("critical blockade"):
        yield Asked("critical_blockade", "paracrine_loop",
                    f"blocker / its K_B above which no tumour lasts, dose {e:g}", blockade, 2, "", True)  # fmt: skip
    for i, (way, threshold) in enumerate(loop.residual.items()):
        own = i == 1
        yield Asked(("residual_bare", "residual_disease", "residual_inflamed")[i], "paracrine_loop",
                    f"tumour at the start that is too much for chemotherapy of {e:g}; {way}", threshold,
                    3 if own else None, "prediction; never measured", own)  # fmt: skip
    if loop.course is not None:
        yield Asked("shortest_blockade", "paracrine_loop",
                    f"shortest course of blocker at B = {full:g} beside lasting chemotherapy of {e:g}", loop.course,
                    headline=True)  # fmt: skip
    if loop.pulsed is not None:
        yield Asked("pulsed_dose", "paracrine_loop",
                    f"dose above which a very small tumour dies out, given {options['pulse_on']:g} of "
                    f"{options['pulse_every']:g} days", loop.pulsed)  # fmt: skip


def _of_surgery(found):
    if found.surgery is not None:
        words = f"last day of an operation (day 0: a thousand cells) before chemotherapy of {found.options['dose']:g}"
        yield Asked("latest_surgery", "metastasis", f"{words} that clears both sites", found.surgery)


def _of_clones(found):
    for model, limits in found.doses.items():
        for t in limits:
            whose = _whose(t) if t.kind == "clone dose" else "every clone"
            yield Asked(f"dose_{whose.replace(' ', '_')}_{model}", model, f"dose above which {whose} shrinks", t)


def _of_rates(found):
    rates = found.missegregation
    yield Asked("missegregation_relapse", "oncogene_withdrawal",
                "missegregation before withdrawal at which half relapse (definition a)", rates.relapse)  # fmt: skip
    yield Asked("missegregation_ladder", "karyotype_ladder",
                "missegregation at which growth under therapy vanishes (definition b)", rates.ladder)  # fmt: skip
    for t in rates.clones:
        whose = _whose(t)
        yield Asked(f"error_threshold_{whose}", "oncogene_withdrawal",
                    f"missegregation at which {whose} stops growing untreated (definition c)", t)  # fmt: skip
    for t in found.sizes:
        way = t.conditions[0]
        name = "direct" if way.startswith("N*_m") else "by_aneuploidy" if way.startswith("N*_a") else "exact"
        words = {"direct": "formula, mutants alone", "by_aneuploidy": "formula, by way of aneuploid cells"}
        yield Asked(f"threshold_size_{name}", "rescue_by_aneuploidy",
                    f"N*, cells that are rescued with probability 1 \N{MINUS SIGN} 1/e; "
                    f"{words.get(name, 'branching process')}", t)  # fmt: skip


def _whose(threshold):
    """Clone that changes; its name opens the words on the direction."""
    return threshold.direction.split(",")[0]


def as_assumed(found) -> dict:
    """Column of the one-at-a-time results -> value as assumed, and the label of its axis."""
    by_column = {a.column: float(a.threshold) for a in asked(found) if a.column is not None}
    by_column.setdefault(1, found.loop.clearing(found.options["blocker"]))
    return {name: (by_column[i], AXES[i]) for i, name in enumerate(COLUMNS) if i in by_column}


def numbers(found) -> tuple:
    """Every number of the chapter.

    Parameters
    ----------
    found : Found

    Returns
    -------
    tuple of Number
    """
    made = []
    for one in asked(found):
        interval = (*span(found.swings, one.column), ONE_BY_ONE) if one.column is not None else (None, None, "")
        made.append(Number(one.name, float(one.threshold), _unit(one.threshold), *interval, one.words, _note(one),
                           one.headline))  # fmt: skip
    made.append(Number("states_missed", sum(d.missed for d in found.loop.diagrams),
                       label="proved steady states that lie on no followed branch"))  # fmt: skip
    return (*made, *_of_men(found.men))


def _of_men(men):
    paused = [p for p in men if p.adaptive]
    if not paused:
        return
    needed = np.array([p.needed["ours"][0] for p in paused])
    given = np.array([p.given for p in paused])
    yield Number("men_paused", len(paused), label="men whose drug was paused")
    yield Number("given_over_needed", float(np.median(given / needed)), low=float(np.min(given / needed)),
                 high=float(np.max(given / needed)), interval="smallest and largest",
                 label="dose given / dose that sensitive cells need, median of men with pauses")  # fmt: skip
    for fit, words in FITS.items():
        low, high = (float(np.median([_width(p, fit) for p in men if p.adaptive == a])) for a in (True, False))
        yield Number(
            f"width_paused_{fit}", low, label=f"upper / lower end of the interval, median with pauses, {words}"
        )
        yield Number(f"width_unpaused_{fit}", high, label=f"the same without pauses, {words}")


def _width(man, fit):
    _, low, high = man.needed[fit]
    return high / low if math.isfinite(low) else math.inf


def _unit(threshold):
    return "" if threshold.unit in ("", "1") else threshold.unit


def _note(one):
    t = one.threshold
    words = [t.found]
    if t.enclosure:
        words.append(f"exactly one proved within {' and '.join(_digits(*t.enclosure))}")
    return "; ".join([*words, *([one.note] if one.note else [])])


def _digits(low, high):
    """Both ends, rounded outward at the second digit in which they differ."""
    if low == high:
        return f"{low!r}", f"{high!r}"
    place = Decimal(1).scaleb((Decimal(high) - Decimal(low)).adjusted() - 1)
    ends = Decimal(low).quantize(place, ROUND_FLOOR), Decimal(high).quantize(place, ROUND_CEILING)
    return tuple(f"{end:f}" for end in ends)


def every_table(found, name) -> tuple:
    """Tables of the chapter.

    Parameters
    ----------
    found : Found
    name : str
        Of the chapter.

    Returns
    -------
    tuple of TableOut
    """
    made = [
        _values_table(found, name),
        _swing_table(found.swings, name),
        _states_table(found.loop, name),
        _residue_table(found.loop, name),
    ]
    return (*made, _men_table(found.men, name)) if found.men else tuple(made)


def _values_table(found, name):
    columns = (
        ("threshold", ""), ("of", ""), ("value", ""), ("unit", ""), ("found", ""), ("proved from", ""),
        ("proved to", ""), ("moves most with", ""), ("elasticity", ""), ("mechanism", ""), ("model", ""),
    )  # fmt: skip
    rows = []
    for one in asked(found):
        t = one.threshold
        low, high = _digits(*t.enclosure) if t.enclosure else ("", "")
        rows.append((one.words, t.of, float(t), _unit(t), t.found, low, high, *_strongest(t), t.mechanism, one.model))
    caption = (
        "Every threshold: value, how it was found, the ends between which it is proved to lie, and the parameter that "
        "moves it most (percent of the value for one percent of the parameter)."
    )
    return TableOut(f"{name}-values", caption, columns, tuple(rows))


def _strongest(threshold):
    known = {k: v for k, v in threshold.elasticities.items() if math.isfinite(v)}
    if not known:
        return "", None
    name = max(known, key=lambda k: abs(known[k]))
    return name, known[name]


def _swing_table(swings, name):
    columns = (("parameter", ""), ("unit", ""), ("at", ""), *((c, CELLS if c == COLUMNS[3] else "") for c in COLUMNS))
    rows = tuple(
        (s.parameter, "" if s.unit == "1" else s.unit, value, *result)
        for s in swings
        for value, result in ((s.low, s.at_low), (s.high, s.at_high))
    )
    caption = (
        "Thresholds of the loop with each assumed parameter alone at both ends of its plausible range. A dose above 1 "
        "is out of reach. Critical blockade: 0 where the dose clears alone, ∞ where no blockade makes it clear. "
        "Residual disease: 0 where every tumour lasts, ∞ where none does."
    )
    return TableOut(f"{name}-assumptions", caption, columns, rows)


def _states_table(loop, name):
    columns = (
        ("B", ""), ("e", ""), ("T", CELLS), ("proved from", CELLS), ("proved to", CELLS), ("stability", ""),
        ("largest eigenvalue", "1/day"),
    )  # fmt: skip
    rows = tuple(
        (d.B, e, s["T"], *s.enclosure.get("T", (None, None)), s.stability, float(s.eigenvalues[0].real))
        for d in loop.diagrams
        for e, states in d.proved
        for s in states
    )
    sure = "proved to be all" if loop.proved else "not proved to be all"
    return TableOut(f"{name}-steady-states", f"Steady states of the loop, {sure}.", columns, rows)


def _residue_table(loop, name):
    columns = (("B", ""), ("e", ""), ("most that may be left", CELLS))
    rows = tuple((r.B, float(e), float(T)) for r in loop.residues for e, T in zip(r.e, r.size, strict=True))
    caption = "Residual disease over the dose: tumours above it last, CXCL1/2 in balance and no myeloid cells called."
    return TableOut(f"{name}-residual-disease", caption, columns, rows)


def _men_table(men, name):
    columns = [("subject", ""), ("arm", ""), ("days", "day"), ("given / full dose", "")]
    for words in FITS.values():
        columns += [(f"needed, {words}", ""), (f"from, {words}", ""), (f"to, {words}", "")]
    rows = tuple((p.subject, p.arm, p.days, p.given, *(_plain(v) for fit in FITS for v in p.needed[fit])) for p in men)
    caption = (
        "Dose above which sensitive cells shrink in an empty niche by each man's fit, with the 95 % interval of its "
        "logarithm, beside the mean dose given. Empty: the growth rate is at a bound."
    )
    return TableOut(f"{name}-patients", caption, tuple(columns), rows)


def _plain(value):
    return float(value) if math.isfinite(value) else None
