"""Findings of the resistance chapter, as numbers and tables."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .chapter import Number, TableOut
from .forecast import paired
from .resistance_figures import WAYS
from .resistance_fits import CANDIDATES, OBSERVABLE

__all__ = ["Findings", "every_table", "numbers"]

INTERVAL = "95 % bootstrap"
COMPARED = (
    ("ours_n0_free", "zhang"),
    ("ours_n0_free", "zhang_four"),
    ("ours_no_crowding", "zhang"),
    ("ours", "zhang"),
    ("ours_two_numbers", "zhang_maximum"),
)


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found.

    Attributes
    ----------
    dataset : Dataset
    options : dict
        As used; with `budget`, `n_starts`, `seed`, `shipped`, and the `n0` that was chosen.
    forecast : Forecast
    means, differences : dict of str to Interval
        By way to forecast; differences are ours minus the other.
    fits : dict of str to Fitted
    published : dict
        Of `published_curves`.
    progressions : dict
        Words for a fit -> dict subject -> Progression.
    inner : dict
        Initial burden -> error of the inner hold-out; empty where it was not run.
    repeats : tuple of (float, float)
        Mean forecast error and sum of squares from other starts.
    bootstrap : (n, n_subjects) array of int
        Resampled subjects of the fits to all visits.
    """

    dataset: object
    options: dict
    forecast: object
    means: dict
    differences: dict
    fits: dict
    published: dict
    progressions: dict
    inner: dict
    repeats: tuple
    bootstrap: np.ndarray

    @property
    def arms(self) -> dict:
        """Arm -> (n_subjects,) mask of the forecast subjects."""
        of = [self.forecast.arms[s] for s in self.forecast.subjects]
        return {arm: np.array([a == arm for a in of]) for arm in dict.fromkeys(of)}

    @property
    def heaviest(self) -> str:
        """The subject that moves the mean difference to Zhang's model most."""
        difference = self.forecast.errors["ours"] - self.forecast.errors["zhang"]
        return self.forecast.subjects[int(np.argmax(np.abs(difference - difference.mean())))]

    @cached_property
    def fractions(self) -> tuple:
        """Resistant part of each subject: keys `subject`, `start`, `end`, `bound`, `other`.

        At the first and at the last fitted visit by the forecast fit, whether the first is at a bound ("low", "high"
        or ""), and on the last fitted visit by the fit to all visits with n0 estimated.
        """
        ours, other, rows = self.forecast.ours, self.fits["ours_n0_free"], []
        for subject in self.forecast.subjects:
            day = float(self.forecast.early.series_of(subject)[0].time[-1])
            row = {"subject": subject, "start": ours.fit.parameters_of(subject)["f_R"]}
            row["bound"] = ours.at_bound("f_R", subject)
            row |= {"end": _fraction(ours, subject, day), "other": _fraction(other, subject, day)}
            rows.append(row)
        return tuple(rows)

    def without_heaviest(self, way) -> float:
        """Mean difference of ours to another way when that subject is left out."""
        difference = self.forecast.errors["ours"] - self.forecast.errors[way]
        return float(np.delete(difference, self.forecast.subjects.index(self.heaviest)).mean())

    def wins(self, way) -> int:
        """Subjects in which ours has the smaller error."""
        return int(np.sum(self.forecast.errors["ours"] < self.forecast.errors[way]))

    def gains(self, words) -> np.ndarray:
        """Days that adaptive dosing adds, of the subjects that progress within the horizon under both."""
        pairs = [(p.adaptive, p.continuous) for p in self.progressions[words].values()]
        return np.array([a - c for a, c in pairs if np.isfinite(a) and np.isfinite(c)])


def fit_words(key, fitted) -> str:
    """How a fit to all visits is called where the initial burden matters."""
    n0 = fitted.fit.estimates.get("n0")
    if n0 is None:
        return f"n0 = {fitted.fit.experiments[0].problem.parameters['n0']:g}, held"
    return f"n0 = {n0:.3f}, estimated"


def _fraction(fitted, subject, day):
    return float(fitted.fit.predict(subject, times=[0.0, day])["resistant_fraction"][-1])


def every_table(found, name) -> tuple:
    """Forecast, in-sample and per-subject tables.

    Parameters
    ----------
    found : Findings
    name : str
        Of the chapter; names of tables begin with it.

    Returns
    -------
    tuple of TableOut
    """
    tables = [_forecast(found, name), _in_sample(found, name), _pairs(found, name), _subjects(found, name)]
    if found.inner:
        rows = tuple((n0, error) for n0, error in found.inner.items())
        caption = "Choice of n0 inside the fitted part: mean error of the inner forecast. The least was taken."
        tables.append(TableOut(f"{name}-n0", caption, (("n0", ""), ("error", "")), rows))
    return tuple(tables)


def _forecast(found, name):
    arms, rows = found.arms, []
    for way, (text, *_) in WAYS.items():
        errors, mean = found.forecast.errors[way], found.means[way]
        row = [text, mean.mean, mean.low, mean.high, float(np.median(errors))]
        row += [float(errors[mask].mean()) for mask in arms.values()]
        if way == "ours":
            rows.append((*row, *[None] * 5))
            continue
        d = found.differences[way]
        rows.append((*row, d.mean, d.low, d.high, found.wins(way), found.without_heaviest(way)))
    n, heaviest = len(found.forecast.subjects), found.heaviest
    columns = ["forecast by", "mean", "low", "high", "median", *(f"mean, {a.split(' (')[0]}" for a in arms)]
    columns += ["ours minus it", "d low", "d high", f"ours better, of {n}", f"difference without {heaviest}"]
    caption = (
        f"Forecast: root mean square error of the predicted visits of {n} subjects, PSA / highest fitted PSA, with 95 "
        "% bootstrap intervals (subjects resampled, paired for differences)."
    )
    return TableOut(f"{name}-forecast", caption, tuple((c, "") for c in columns), tuple(rows))


def _in_sample(found, name):
    rows = []
    if found.published:
        for key, text in (("maximum", "divided by its maximum"), ("free", "free scale for each man")):
            rows.append((f"published curves, {text}", None, float(found.published[key].mean()), None, None))
    for key, candidate in CANDIDATES.items():
        one = found.fits[key]
        label = candidate.label.replace("n0 given", f"n0 = {found.options['n0']:g} (the forecast model)")
        rows.append((label, one.n_parameters, float(one.rmse.mean()), one.rss, one.aicc))
    caption = (
        f"All {found.fits['ours'].fit.n_data} visits fitted. Parameters: scale factors, cohort parameters, noise and a "
        "chosen n0 counted. RMSE: mean over subjects, PSA / highest PSA. AICc takes residuals as independent, which "
        "serial PSA is not: a ranking, no more."
    )
    columns = (("model", ""), ("parameters", ""), ("mean RMSE", ""), ("sum of squares", ""), ("AICc", ""))
    return TableOut(f"{name}-in-sample", caption, columns, tuple(rows))


def in_sample_difference(found, key, other):
    """Mean over subjects of the RMSE of one fit to all visits minus that of another, with interval."""
    return paired(found.fits[key].rmse, found.bootstrap, found.fits[other].rmse)


def _pairs(found, name):
    rows = []
    for key, other in COMPARED:
        one, two, d = found.fits[key], found.fits[other], in_sample_difference(found, key, other)
        better = int(np.sum(one.rmse < two.rmse))
        labels = (CANDIDATES[key].label, CANDIDATES[other].label)
        rows.append((*labels, one.n_parameters, two.n_parameters, d.mean, d.low, d.high, better, one.aicc - two.aicc))
    columns = ("model", "minus", "parameters", "its parameters", "difference of mean RMSE", "low", "high", "better in")
    caption = (
        f"In-sample comparisons over {len(found.fits['ours'].fit.subjects)} subjects, paired bootstrap 95 %; a "
        "negative difference favours the first."
    )
    columns = tuple((c, "") for c in (*columns, "difference of AICc"))
    return TableOut(f"{name}-in-sample-pairs", caption, columns, tuple(rows))


def _subjects(found, name):
    seen, rows = found.forecast, []
    parts = {row["subject"]: row for row in found.fractions}
    first, second = found.progressions.values()
    for i, subject in enumerate(seen.subjects):
        (early,), (late,) = seen.early.series_of(subject), seen.late.series_of(subject)
        own, part = seen.ours.fit.parameters_of(subject), parts[subject]
        rows.append(
            (
                subject, early.arm.split(" (")[0], len(early), len(late), float(early.value.max()),
                *(float(seen.errors[way][i]) for way in WAYS), own["r"], own["f_R"], part["bound"], part["end"],
                part["other"], *_days(first.get(subject), found), *_days(second.get(subject), found),
            )
        )  # fmt: skip
    n0s = list(found.progressions)
    columns = [("subject", ""), ("arm", ""), ("fitted", "visits"), ("predicted", "visits")]
    columns += [(f"highest fitted {OBSERVABLE}", "ng/mL"), *((f"error, {WAYS[way][0]}", "") for way in WAYS)]
    columns += [("r", "1/day"), ("f_R", ""), ("f_R at bound", ""), ("resistant part at last fitted visit", "")]
    columns.append(("the same, n0 estimated from all visits", ""))
    columns += [(f"progression, {way}, {n0}", "day") for n0 in n0s for way in ("continuous", "adaptive")]
    caption = (
        "Each subject: forecast errors, own numbers of our forecast fit, and progression by the fits to all visits."
    )
    return TableOut(f"{name}-subjects", caption, tuple(columns), tuple(rows))


def _days(one, found):
    if one is None or not one.defined:
        return ("not defined",) * 2
    horizon = found.options["horizon"]
    return tuple(f"> {horizon:g}" if np.isinf(v) else round(float(v), 1) for v in (one.continuous, one.adaptive))


def numbers(found) -> tuple:
    """Every number of the chapter, headlines first.

    Parameters
    ----------
    found : Findings

    Returns
    -------
    tuple of Number
    """
    results = []
    for way, (text, *_) in WAYS.items():
        mean = found.means[way]
        label = f"forecast error, {text}"
        results.append(
            Number(f"forecast_{way}", mean.mean, "", mean.low, mean.high, INTERVAL, label, headline=way == "ours")
        )
    for way, d in found.differences.items():
        label = f"forecast error, ours minus {WAYS[way][0]}"
        note = f"median {np.median(found.forecast.errors['ours'] - found.forecast.errors[way]):.3f}; better in "
        note += f"{found.wins(way)} of {len(found.forecast.subjects)}; {found.without_heaviest(way):.3f} without "
        note += found.heaviest
        paired_text = "95 % paired bootstrap"
        results.append(
            Number(f"forecast_ours_minus_{way}", d.mean, "", d.low, d.high, paired_text, label, note, way != "mean")
        )
    for key, value in found.published.items():
        text = {"maximum": "divided by its maximum", "free": "free scale for each man"}[key]
        results.append(
            Number(f"published_{key}", float(value.mean()), label=f"in-sample error, published curves, {text}")
        )
    for key, one in found.fits.items():
        if not key.startswith("forecast_"):
            results.append(
                Number(
                    f"in_sample_{key}", float(one.rmse.mean()), label=f"in-sample error, {CANDIDATES[key].label}",
                    note=f"{one.n_parameters} parameters, AICc {one.aicc:.1f}, sum of squares {one.rss:.3f}",
                )
            )  # fmt: skip
    results += [*_cohort(found), *_progression(found), *_choice(found)]
    return tuple(results)


def _cohort(found):
    fit = found.forecast.ours.fit
    for name, label in (("kill", "rate at which the drug kills"), ("r_R", "net growth rate, resistant")):
        value, error = fit.estimates[name], fit.standard_errors[name]
        low, high = (value - 1.96 * error, value + 1.96 * error) if np.isfinite(error) else (None, None)
        yield Number(f"cohort_{name}", value, "1/day", low, high, "95 %, linear", f"{label} (forecast fit)")
    yield Number(
        "forecast_sum_of_squares", found.forecast.ours.rss, label="sum of squares of our fit to the early visits"
    )
    bounds = [row["bound"] for row in found.fractions]
    for side, text in (("low", "no resistant cells visible"), ("high", "hardly any sensitive cells")):
        yield Number(f"f_R_at_{side}_bound", bounds.count(side), "subjects", label=f"f_R at its {side} bound: {text}")


def _progression(found):
    for key, (text, ahead) in zip(("held", "estimated"), found.progressions.items(), strict=True):
        gains = found.gains(text)
        both = np.array([(p.continuous, p.adaptive) for p in ahead.values() if np.isfinite(p.continuous + p.adaptive)])
        undefined = sum(not p.defined for p in ahead.values())
        if not len(gains):
            continue
        note = f"{len(gains)} subjects with both; not defined in {undefined}; the gain is not identified"
        for i, way in enumerate(("continuous", "adaptive")):
            label = f"median time to progression, {way} dosing, {text}"
            yield Number(f"progression_{way}_n0_{key}", float(np.median(both[:, i])), "day", label=label, note=note)
        yield Number(
            f"adaptive_gain_n0_{key}", float(np.median(gains)), "day", float(gains.min()), float(gains.max()),
            "range over subjects", f"median gain by adaptive dosing, {text}", note,
        )  # fmt: skip


def _choice(found):
    for n0, error in found.inner.items():
        yield Number(f"inner_error_n0_{n0:g}", error, label=f"error of the inner forecast, n0 = {n0:g}")
    for i, (error, rss) in enumerate(found.repeats, 1):
        yield Number(
            f"forecast_ours_repeat_{i}",
            error,
            label=f"forecast error, ours, other starts {i}",
            note=f"sum of squares {rss:.4f}",
        )
