"""What was given, drawn behind curves: shading, strips, and marks for single doses and surgery."""

from dataclasses import dataclass

import numpy as np

from .style import FONT, PALETTE, colour_of, pretty_unit

__all__ = ["Given", "drug_spans", "given_of", "mark_events", "shade_spans", "shade_treatment"]

BACKGROUND, STRIP = "background", "strip"
STRIP_HEIGHT, STRIP_GAP = 0.035, 0.012  # parts of the height of the axes


@dataclass(frozen=True)
class Given:
    """One input or infusion: `spans` are (start, end, level) with a level other than zero, joined where equal."""

    name: str
    kind: str
    unit: str
    spans: tuple

    @property
    def text(self) -> str:
        """Words for the legend."""
        levels = {round(level, 12) for *_, level in self.spans}
        if len(levels) > 1:
            return f"given: {self.name} (darker: more)"
        unit = pretty_unit(self.unit)
        return f"given: {self.name} = {levels.pop():g}{' ' + unit if unit else ''}"


def given_of(solution) -> tuple:
    """Inputs and infusions that were really given, in the order of the model.

    Parameters
    ----------
    solution : Solution
        The levels are read from its segments, so that adaptive rules show what they did.

    Returns
    -------
    tuple of Given
        Only those with a level other than zero at some time.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment, solve
    >>> pulses = Treatment.intermittent({"u": 1}, on=7, off=14)
    >>> given_of(solve(Problem(sensitive_resistant(), t_span=(0, 30), treatment=pulses)))[0].spans
    ((0.0, 7.0, 1.0), (21.0, 28.0, 1.0))
    """
    model, segments = solution.problem.model, solution.trace.segments
    found = []
    for row, symbol in enumerate(model.inputs):
        spans = _joined((s.start, s.end, float(s.inputs[row])) for s in segments)
        found.append(Given(symbol.name, "input", symbol.info.unit, spans))
    return tuple(g for g in (*found, *_infusions(solution)) if g.spans)


def _infusions(solution):
    from remission.solvers.schedule import make_schedule

    problem = solution.problem
    (begin, stop), found = problem.t_span, {}
    for window in make_schedule(problem, False).windows:
        if window.into_state and window.level:
            found.setdefault(window.row, []).append((max(window.start, begin), min(window.end, stop), window.level))
    for row, spans in found.items():
        state = problem.model.states[row]
        yield Given(f"infusion of {state.name}", "drug", "", _joined(sorted(spans)))


def _joined(pieces) -> tuple:
    spans = []
    for start, end, level in pieces:
        if level == 0 or end <= start:
            continue
        if spans and spans[-1][2] == level and abs(spans[-1][1] - start) <= 1e-9 * max(1.0, abs(start)):
            spans[-1] = (spans[-1][0], end, level)
        else:
            spans.append((start, end, level))
    return tuple(spans)


def drug_spans(solution, name=None) -> tuple:
    """Intervals in which a drug was given.

    Parameters
    ----------
    solution : Solution
    name : str, optional
        An input; any input or infusion if not given.

    Returns
    -------
    tuple of (start, end)
    """
    given = [g for g in given_of(solution) if name is None or g.name == name]
    edges = sorted((start, end) for g in given for start, end, _ in g.spans)
    merged = []
    for start, end in edges:
        if merged and start <= merged[-1][1] + 1e-9 * max(1.0, abs(start)):
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def shade_spans(ax, spans, *, name="u", kind="input", text=None, alpha=0.18):
    """Shade intervals over the full height of the axes.

    Parameters
    ----------
    ax : Axes
    spans : sequence of (start, end) or (start, end, level)
        Levels darken the shade in proportion to the largest one.
    name, kind : str
        Whose colour is taken.
    text : str, optional
        Legend entry, given once.
    alpha : float
        Opacity at the largest level.

    Returns
    -------
    list of Rectangle
    """
    highest = max((abs(span[2]) for span in spans if len(span) > 2), default=1.0)
    drawn = []
    for span in spans:
        strength = abs(span[2]) / highest if len(span) > 2 else 1.0
        colour = colour_of(name, kind)
        patch = ax.axvspan(span[0], span[1], facecolor=colour, alpha=alpha * strength, edgecolor="none", zorder=0)
        patch.set_gid(BACKGROUND)
        drawn.append(patch)
    if drawn and text:
        max(drawn, key=lambda p: p.get_alpha()).set_label(text)
    return drawn


def shade_treatment(ax, solution, *, marks=True) -> list:
    """Show what was given: one input as shading, several as strips along the top, single doses as triangles.

    Parameters
    ----------
    ax : Axes
        Its curves are drawn and its scale is set: strips raise the upper limit of y to have a place of their own.
    solution : Solution
    marks : bool
        Whether doses, surgery and extinctions are marked.

    Returns
    -------
    list
        The patches and lines drawn.
    """
    given = given_of(solution)
    drawn = []
    if len(given) == 1:
        drawn = shade_spans(ax, given[0].spans, name=given[0].name, kind=given[0].kind, text=given[0].text)
    elif given:
        any_drug = drug_spans(solution)
        _raise_top(ax, len(given))
        drawn = shade_spans(ax, any_drug, alpha=0.07)
        for row, one in enumerate(given):
            drawn += _strip(ax, one, row)
    return drawn + (mark_events(ax, solution) if marks else [])


def _raise_top(ax, n):
    """Keep the uppermost part of the axes free for n strips."""
    part = n * (STRIP_HEIGHT + STRIP_GAP) + STRIP_GAP
    transform = ax.yaxis.get_transform()
    low, high = transform.transform(np.array(ax.get_ylim(), dtype=float))
    ax.set_ylim(top=float(transform.inverted().transform(np.array([low + (high - low) / (1 - part)]))[0]))


def _strip(ax, given, row):
    from matplotlib.patches import Rectangle

    highest = max(abs(level) for *_, level in given.spans)
    bottom = 1 - (row + 1) * (STRIP_HEIGHT + STRIP_GAP)
    drawn = []
    for start, end, level in given.spans:
        drawn.append(
            Rectangle(
                (start, bottom),
                end - start,
                STRIP_HEIGHT,
                transform=ax.get_xaxis_transform(),
                facecolor=colour_of(given.name, given.kind),
                alpha=0.25 + 0.6 * abs(level) / highest,
                edgecolor="none",
                gid=STRIP,
                zorder=2,
            )
        )
        ax.add_patch(drawn[-1])
    max(drawn, key=lambda p: p.get_alpha()).set_label(given.text)
    return drawn


def mark_events(ax, solution) -> list:
    """Triangles at single doses, crosses at surgery and at clones that fell below one cell.

    Parameters
    ----------
    ax : Axes
    solution : Solution

    Returns
    -------
    list of Line2D
        One for each kind of mark, with its legend entry.
    """
    drawn = []
    for look, text, height, times in _marks(solution):
        (line,) = ax.plot(
            times,
            [height] * len(times),
            linestyle="none",
            markersize=5,
            transform=ax.get_xaxis_transform(),
            label=text,
            clip_on=False,
            zorder=4,
            **look,
        )
        drawn.append(line)
    return drawn


def _marks(solution):
    """(style, legend entry, height, times) of each kind of mark."""
    doses, removals, gates = {}, {}, {}
    for event in solution.events:
        if event.kind == "gate":
            gates.setdefault(event.label, []).append(event.time)
        elif event.kind == "dose" and event.label.endswith(" removed"):
            part, _, target = event.label.removesuffix(" removed").partition(" of ")
            removals.setdefault((event.time, part), []).append(target)
        elif event.kind == "dose":
            amount, _, target = event.label.partition(" into ")
            doses.setdefault(target, []).append((event.time, amount))
    for target, given in doses.items():
        amounts = {amount for _, amount in given}
        text = f"{amounts.pop()} into {target}" if len(amounts) == 1 else f"doses into {target}"
        yield {"marker": "v", "color": PALETTE["black"]}, text, 0.985, [time for time, _ in given]
    merged = {}
    for (time, part), targets in removals.items():
        text = f"surgery: {100 * float(part):.3g} % of {', '.join(targets)}"
        merged.setdefault(text, []).append(time)
    for text, times in merged.items():
        yield {"marker": "X", "color": PALETTE["wine"]}, text, 0.985, times
    for text, times in gates.items():
        yield {"marker": "x", "color": colour_of(text.split()[0], "tumour")}, text, 0.03, times


def note(ax, text, *, x=0.02, y=0.04):
    """A small remark in the corner of an axes, such as why a run ended early.

    Parameters
    ----------
    ax : Axes
    text : str
    x, y : float
        Position in parts of the axes.

    Returns
    -------
    Text
    """
    box = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.5}
    return ax.text(x, y, text, transform=ax.transAxes, fontsize=FONT["note"], color="#444444", bbox=box, zorder=6)
