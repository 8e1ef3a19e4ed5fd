"""A fit beside its data: curves of one subject, panels of many, and what was predicted beyond the fitted part."""

import logging

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .comparison import plot_observed_predicted
from .legend import place_legend
from .names import kind_of, legend_text, plain, unit_of
from .points import draw_points
from .solution import curve
from .style import FONT, LINES, PALETTE, colour_of, figure, label, line_of, log_ticks, new_axes, time_label
from .treatment import drug_spans, given_of, note, shade_spans

__all__ = ["plot_fit", "plot_prediction", "plot_subjects"]

logger = logging.getLogger("remission")
OTHERS = ("wine", "green", "purple", "sky")  # further fits in the same panel
LATER = (0, (3.2, 1.6))
PANEL = 34.0  # millimetres, the height of a panel among many


@refuse_unknown_keywords
def plot_fit(fit, ax=None, *, subject=None, observable=None, held_out=None, others=None, parts=(), relative=False,
             treatment=None, t_end=None, scale="linear", legend=True):  # fmt: skip
    """One subject's data and fitted curve, drug shaded; `plot(fit)` calls this.

    Without a subject, where there are several: observed against fitted values of all (`plot_subjects` draws the
    curves of all of them).

    Parameters
    ----------
    fit : Fit
    ax : Axes, optional
    subject : str, optional
    observable : str, optional
        Name in the table; the first one if not given.
    held_out : Experiment, optional
        Data that were not fitted: hollow points. The curve goes on to them, dashed, behind a line at the last
        fitted value.
    others : dict, optional
        Legend entry -> another Fit of the same subject, drawn as well.
    parts : sequence of str
        States drawn under the curve in their own colours, scaled like the observable.
    relative : bool
        Divide by the subject's largest fitted value.
    treatment : Treatment, optional
        Predict under this instead of the subject's own.
    t_end : float, optional
        Last time of the curve.
    scale : {"linear", "log"}
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If there is no such subject or observable.
    """
    subject, several = _checked_subject(fit, subject)
    if several:
        return _all_subjects(fit, ax, observable, legend)
    ax = new_axes(ax)
    series = _series(fit, subject, observable)
    late = _late_series(held_out, subject, series.observable)
    unit = _divisor(series) if relative else 1.0
    try:
        prediction = _predicted(fit, subject, series, late, treatment, t_end)
    except ProblemError as fault:
        logger.warning("plot: %s", fault)
        prediction = None
        note(ax, "could not be fitted")
    if prediction is not None:
        _curves(ax, fit, prediction, series, parts, unit, split=_split(series, prediction))
    for i, (text, other) in enumerate((others or {}).items()):
        _other(ax, other, subject, series, late, unit, text, PALETTE[OTHERS[i % len(OTHERS)]], LINES[i % 3 + 1])
    draw_points(ax, series, divide=unit, label="fitted" if late is not None else "observed")
    if late is not None:
        draw_points(ax, late, divide=unit, label="held out", hollow=True)
    if prediction is not None:
        _window(ax, prediction, series)
    _finish(ax, fit, subject, series, scale, relative)
    if legend:
        place_legend(ax)
    return ax


@refuse_unknown_keywords
def plot_subjects(fit, *, subjects=None, observable=None, held_out=None, others=None, parts=(), relative=False,
                  t_end=None, scale="linear", ncols=4, width="double", sharey=None, titles=None):  # fmt: skip
    """Panels of all subjects with one legend above.

    Parameters
    ----------
    fit : Fit
    subjects : sequence of str, optional
        All if not given.
    observable, held_out, others, parts, relative, t_end, scale
        As in `plot_fit`.
    ncols : int
        Panels in a row.
    width : {"single", "double"} or float
    sharey : bool, optional
        One vertical axis for all; by default where `relative`.
    titles : dict, optional
        Subject -> title of its panel.

    Returns
    -------
    Figure
    """
    chosen = list(fit.subjects) if subjects is None else list(subjects)
    for subject in chosen:
        _checked_subject(fit, subject)
    ncols = min(ncols, len(chosen))
    nrows = -(-len(chosen) // ncols)
    sharey = relative if sharey is None else sharey
    fig, axes = figure(ncols, nrows, width=width, height=nrows * PANEL + 22, sharey=sharey)
    panels = np.atleast_1d(axes).ravel()
    for ax, subject in zip(panels, chosen, strict=False):
        plot_fit(fit, ax, subject=subject, observable=observable, held_out=held_out, others=others, parts=parts,
                 relative=relative, t_end=t_end, scale=scale, legend=False)  # fmt: skip
        ax.set_title((titles or {}).get(subject, str(subject)), loc="left", fontsize=FONT["tick"], pad=3)
    if sharey:
        top = max(ax.dataLim.y1 for ax in panels[: len(chosen)])
        panels[0].set_ylim(top=top * 1.06 if scale == "linear" else top * 1.5)
    _outer_labels(fig, panels, len(chosen))
    return fig


@refuse_unknown_keywords
def plot_prediction(prediction, ax=None, *, names=None, scale="linear", legend=True):
    """Predicted curves of one subject; `plot(prediction)` calls this.

    Parameters
    ----------
    prediction : Prediction
    ax : Axes, optional
    names : str or list of str, optional
        Observables of the table, states or observables of the model; what was observed, if not given.
    scale : {"linear", "log"}
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If there is no such name.
    """
    names = [names] if isinstance(names, str) else list(names or list(prediction.units) or list(prediction.values)[:1])
    for name in names:
        if name not in prediction.values:
            raise ProblemError(f"plot: the prediction has no {name!r}; {did_you_mean(name, prediction.values)}")
    ax, model = new_axes(ax), prediction.solution.problem.model
    for name in names:
        known = name in prediction.solution.names
        text = legend_text(model, name, names) if known else plain(name)
        colour = colour_of(name, kind_of(model, name))
        ax.plot(prediction.t, prediction.values[name], color=colour, linestyle=line_of(name) if known else "-",
                linewidth=1.6, label=text)  # fmt: skip
    units = {prediction.units.get(name, unit_of(model, name)) for name in names}
    ax.set_ylabel(label(", ".join(plain(n) for n in names), units.pop() if len(units) == 1 else ""))
    ax.set_xlabel(time_label(model.time_unit))
    ax.set_xlim(prediction.t[0], prediction.t[-1])
    ax.set_yscale(scale)
    log_ticks(ax.yaxis)
    if scale == "linear":
        ax.set_ylim(bottom=min(0, ax.get_ylim()[0]) if np.nanmin(prediction.values[names[0]]) < 0 else 0)
    _shade(ax, prediction.solution)
    ax.set_title(str(prediction.subject), loc="left", fontsize=FONT["title"])
    if legend:
        place_legend(ax)
    return ax


def _checked_subject(fit, subject):
    """The subject, and whether all are meant."""
    subjects = list(fit.subjects)
    if subject is None:
        return subjects[0], len(subjects) > 1
    if subject not in subjects:
        raise ProblemError(f"plot: the fit has no subject {subject!r}; {did_you_mean(subject, subjects)}")
    return subject, False


def _experiment_of(fit, subject):
    return next(e for e in fit.experiments if subject in e.subjects)


def _series(fit, subject, observable):
    series = {s.observable: s for s in _experiment_of(fit, subject).series_of(subject)}
    name = next(iter(series)) if observable is None else observable
    if name not in series:
        raise ProblemError(f"plot: {subject} has no observable {name!r}; {did_you_mean(name, series)}")
    return series[name]


def _late_series(held_out, subject, observable):
    if held_out is None or subject not in held_out.subjects:
        return None
    return next((s for s in held_out.series_of(subject) if s.observable == observable), None)


def _divisor(series):
    largest = np.nanmax(series.value) if np.isfinite(series.value).any() else 1.0
    return largest if largest > 0 else 1.0


def _end(series, late, t_end):
    return t_end if t_end is not None else max(s.time[-1] for s in (series, late) if s is not None and len(s.time))


def _predicted(fit, subject, series, late, treatment, t_end):
    """Prediction to the last value; the drug recorded with held-out data goes on beyond the fitted part."""
    return fit.predict(subject, treatment=treatment, t_end=_end(series, late, t_end))


def _split(series, prediction):
    """Time at which the fitted part ends, None where there is nothing after it."""
    last = float(series.time[-1])
    return last if prediction.t[-1] > last * (1 + 1e-9) + 1e-9 else None


def _curves(ax, fit, prediction, series, parts, unit, split):
    model, factor = prediction.solution.problem.model, fit.scale_of(series.subject, series.observable) / unit
    names = [*parts, series.output]
    for name in names:
        times, values = curve(prediction.solution, name)
        whole = name == series.output
        colour = colour_of(name, kind_of(model, name))
        text = "model" if whole else legend_text(model, name, names)
        look = {"color": colour, "linewidth": 1.7 if whole else 1.2, "zorder": 2.6 if whole else 2.4}
        style = "-" if whole else line_of(name)
        early = times <= split if split is not None else np.ones(len(times), bool)
        ax.plot(times[early], factor * values[early], linestyle=style, label=text, gid=name, **look)
        if split is not None:
            later = times >= times[early][-1]
            ax.plot(times[later], factor * values[later], linestyle=LATER if whole else style,
                    label="model, predicted" if whole else None, gid=f"{name} predicted", **look)  # fmt: skip


def _other(ax, other, subject, series, late, unit, text, colour, style):
    if subject not in other.subjects:
        return
    its = _series(other, subject, series.observable)
    try:
        prediction = other.predict(subject, t_end=_end(series, late, None))
    except ProblemError as fault:
        logger.warning("plot: %s", fault)
        return
    times, values = curve(prediction.solution, its.output)
    factor = other.scale_of(subject, its.observable) / unit
    ax.plot(times, factor * values, color=colour, linestyle=style, linewidth=1.3, label=text, zorder=2.5)


def _window(ax, prediction, series):
    split = _split(series, prediction)
    if split is not None:
        ax.axvline(split, color=PALETTE["grey"], linewidth=0.9, linestyle=":", zorder=1, label="end of fitted part")
    _shade(ax, prediction.solution)


def _shade(ax, solution):
    given = given_of(solution)
    text = given[0].text if len(given) == 1 else "drug given"
    spans = given[0].spans if len(given) == 1 else drug_spans(solution)
    shade_spans(ax, spans, text=text)


def _finish(ax, fit, subject, series, scale, relative):
    model = _experiment_of(fit, subject).problem.model
    name = plain(series.observable)
    ax.set_ylabel(f"{name} / its largest fitted value" if relative else label(name, series.unit))
    ax.set_xlabel(time_label(model.time_unit))
    ax.set_title(str(subject), loc="left", fontsize=FONT["title"])
    ax.set_yscale(scale)
    log_ticks(ax.yaxis)
    lines = [line.get_xdata() for line in ax.lines if line.get_transform() == ax.transData]
    ax.set_xlim(min(0, *(np.min(x) for x in lines if len(x))), max(np.max(x) for x in lines if len(x)) * 1.02)
    if scale == "linear" and np.nanmin(np.append(series.value, 0)) >= 0:
        ax.set_ylim(bottom=0)


def _all_subjects(fit, ax, observable, legend):
    observed, fitted, groups, unit, name = [], [], [], "", observable
    for experiment in fit.experiments:
        errors = fit.errors_on(experiment)
        for subject in experiment.subjects:
            for s in experiment.series_of(subject):
                name = name or s.observable
                if s.observable == name:
                    observed.append(s.value)
                    fitted.append(s.value + errors[subject][s.observable])
                    groups += [subject] * len(s.value)
                    unit = s.unit
    if not observed:
        known = {s.observable for e in fit.experiments for x in e.subjects for s in e.series_of(x)}
        raise ProblemError(f"plot: the fit has no observable {name!r}; {did_you_mean(name, known)}")
    return plot_observed_predicted(np.concatenate(observed), np.concatenate(fitted), ax, groups=groups,
                                   name=plain(name), unit=unit, legend=legend)  # fmt: skip


def _outer_labels(fig, panels, n):
    """Labels once for all panels, and one legend above them."""
    first = panels[0]
    fig.supxlabel(first.get_xlabel(), fontsize=FONT["label"])
    fig.supylabel(first.get_ylabel(), fontsize=FONT["label"])
    entries = {}
    for ax in panels[:n]:
        for handle, text in zip(*ax.get_legend_handles_labels(), strict=True):
            entries.setdefault(text, handle)
        ax.set(xlabel="", ylabel="")
    for ax in panels[n:]:
        ax.set_visible(False)
    fig.legend(entries.values(), entries.keys(), loc="outside upper center", ncols=min(len(entries), 5),
               fontsize=FONT["legend"], frameon=False, handlelength=2.2)  # fmt: skip
