"""Where a system can rest: points by stability, and how they move with a dose."""

import itertools

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .legend import place_legend
from .names import kind_of, unit_of, value_label
from .style import FONT, colour_of, new_axes

__all__ = ["plot_steady_branches", "plot_steady_states"]

FACE = {"stable": "full", "unstable": "none", "undecided": "left"}
FEW = 25  # levels up to which every state has its mark
NONE_FOUND = "no steady state in the box"


@refuse_unknown_keywords
def plot_steady_states(result, ax=None, *, name=None, scale="linear"):
    """Steady states on the axis of one quantity, with their largest eigenvalue; `plot(steady_states)` calls this.

    Parameters
    ----------
    result : SteadyStates
    ax : Axes, optional
    name : str, optional
        State or observable on the axis; the first tumour state if not given.
    scale : {"linear", "log", "symlog"}

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If there is no such state or observable.

    Examples
    --------
    >>> from remission.analysis import steady_states
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> ax = plot_steady_states(steady_states(Problem(paracrine_loop()).at_constant(e=0.6)))
    >>> ax.get_xlabel(), [text.get_text() for text in ax.get_yticklabels()]
    ('tumour cells (10⁶ cells)', ['1', '2', '3'])
    """
    model = result.problem.model
    name = _checked(model, name)
    ax = new_axes(ax, height=24 + 8.0 * max(len(result), 1))
    colour, rate = colour_of(name, kind_of(model, name)), _rate_unit(model)
    for at, state in enumerate(result):
        ax.plot(
            [_value(state, name)],
            [at],
            linestyle="none",
            marker="o",
            markersize=7,
            color=colour,
            fillstyle=FACE[state.stability],
            markerfacecoloralt="white",
            markeredgewidth=1.4,
            zorder=3,
            clip_on=False,
        )
        ax.axhline(at, color="#E4E4E4", linewidth=0.8, zorder=0)
        words = f"{_value(state, name):.3g}, {_eigenvalue(state, rate)}" + (
            ", one of a family" if getattr(state, "family", False) else ""
        )
        ax.annotate(words, (1.01, at), xycoords=("axes fraction", "data"), va="center", fontsize=FONT["note"])
    ax.set_xscale(scale, **({"linthresh": _threshold(result, name)} if scale == "symlog" else {}))
    ax.set_yticks(range(len(result)), [str(i + 1) for i in range(len(result))])
    ax.set_ylim(-0.6, max(len(result), 1) - 0.4)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.set_ylabel("steady state")
    ax.set_xlabel(value_label(model, [name], unit_of(model, name)))
    ax.margins(x=0.06)
    if not len(result):
        ax.text(0.5, 0.5, NONE_FOUND, transform=ax.transAxes, ha="center", va="center", fontsize=FONT["label"])
    levels = ", ".join(f"{k} = {v:g}" for k, v in dict(result.inputs).items())
    ax.set_title(f"constant {levels}" if levels else "no input", loc="left", fontsize=FONT["label"])
    return ax


@refuse_unknown_keywords
def plot_steady_branches(levels, results, ax=None, *, name=None, xlabel="dose", scale="linear", colour=None, text="",
                         legend=True):  # fmt: skip
    """Steady states against a dose or parameter: stable ones solid, unstable ones dashed.

    Parameters
    ----------
    levels : (n,) array_like
        Increasing.
    results : sequence of SteadyStates, length n
    ax : Axes, optional
    name : str, optional
        State or observable; the first tumour state if not given.
    xlabel : str
    scale : {"linear", "log", "symlog"}
        Of the vertical axis. Zero has no place on a logarithmic one.
    colour : str, optional
    text : str
        Put before "stable" and "unstable" in the legend, to tell several sets apart.
    legend : bool

    Returns
    -------
    Axes

    Notes
    -----
    States of neighbouring levels are joined in order of size, with the least total distance; a state that has no
    partner, or one of other stability, is not joined, so that no line is invented across a fold.
    """
    levels = np.asarray(levels, dtype=float)
    if len(levels) != len(results) or not len(results):
        raise ProblemError(f"plot_steady_branches: {len(levels)} levels and {len(results)} results; give one for each")
    model = results[0].problem.model
    name = _checked(model, name)
    ax, colour = new_axes(ax), colour or colour_of(name, kind_of(model, name))
    found = [sorted((_value(s, name), s.stability) for s in result) for result in results]
    drawn = {}
    for i, states in enumerate(found):
        after = found[i + 1] if i + 1 < len(found) else []
        partner = _partners(states, after)
        for rank, (value, stability) in enumerate(states):
            line = drawn.setdefault(stability, ([], []))
            line[0].append(levels[i])
            line[1].append(value)
            if rank in partner and after[partner[rank]][1] == stability:
                line[0].append(levels[i + 1])
                line[1].append(after[partner[rank]][0])
            line[0].append(np.nan)
            line[1].append(np.nan)
    marker = "o" if len(levels) <= FEW else None
    for stability, (x, y) in sorted(drawn.items()):
        style = {"stable": "-", "unstable": (0, (3, 1.6)), "undecided": ":"}[stability]
        face = colour if stability == "stable" else "white"
        ax.plot(x, y, color=colour, linestyle=style, linewidth=1.5, marker=marker, markersize=3,
                markerfacecolor=face, markeredgewidth=0.8, label=f"{text} {stability}".strip())  # fmt: skip
    ax.set_yscale(scale)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(value_label(model, [name], unit_of(model, name)))
    if legend:
        place_legend(ax)
    return ax


def _partners(before, after):
    """Positions joined, smaller to larger, so that the order stays and the distances are least."""
    few, many = sorted((before, after), key=len)
    if not few:
        return {}
    choices = itertools.combinations(range(len(many)), len(few))
    best = min(choices, key=lambda c: sum(abs(many[j][0] - few[i][0]) for i, j in enumerate(c)))
    return dict(enumerate(best)) if few is before else {j: i for i, j in enumerate(best)}


def _checked(model, name):
    known = [*(s.name for s in model.states), *model.observables]
    if name is None:
        return next((s.name for s in model.states if s.info.kind == "tumour"), known[0])
    name = str(getattr(name, "name", name))
    if name not in known:
        raise ProblemError(f"plot: {model.name} has no state or observable {name!r}; {did_you_mean(name, known)}")
    return name


def _value(state, name):
    return state.values[name] if name in state.values else state[name]


def _rate_unit(model):
    return "" if model.time_unit in ("", "1") else f" per {model.time_unit}"


def _eigenvalue(state, rate):
    values = np.asarray(state.eigenvalues)
    if not len(values):
        return state.stability
    first = values[np.argmax(values.real)]
    around = f" ± {abs(first.imag):.2g}i" if abs(first.imag) > 1e-12 * max(abs(first), 1e-300) else ""
    return f"{state.stability} (λ = {first.real:.3g}{around}{rate})".replace("-", "\N{MINUS SIGN}")


def _threshold(result, name):
    sizes = [abs(_value(s, name)) for s in result if _value(s, name)]
    return min(sizes) / 2 if sizes else 1.0
