"""What a page of the catalogue says, and its form for the terminal."""

import functools
import inspect
import re
import textwrap
from dataclasses import dataclass

from remission import models
from remission.models.errors import ModelError, RemissionError, did_you_mean

__all__ = ["Page", "page", "page_text"]

LARGEST_SHOWN = 6  # states, up to which a Jacobian is printed
WIDTH = 100


@dataclass(frozen=True, eq=False)
class Page:
    """All that is known of a catalogue model.

    Attributes
    ----------
    name, question, about, source : str
    model : Model
    letters : list of dict
        Rows of `models.text.parameter_table`.
    jacobian : sympy.Matrix or None
        None for a model of more than 6 states.
    totals : tuple of sympy.Expr
        Conserved totals.
    box : InvariantBox
        At the default parameters, for inputs between 0 and 1.
    scaled : ScaledModel or None
    not_scaled : str
        Why there is no scaled form; empty if there is one.
    sections : dict
        Title -> text of the docstring: the text before the first title under "", then `Notes` and `References`.
    """

    name: str
    question: str
    about: str
    source: str
    model: object
    letters: list
    jacobian: object
    totals: tuple
    box: object
    scaled: object
    not_scaled: str
    sections: dict


@functools.cache
def page(name) -> Page:
    """Collect the page of a catalogue model.

    Parameters
    ----------
    name : str

    Returns
    -------
    Page

    Raises
    ------
    RemissionError
        If the catalogue has no model of that name.

    Examples
    --------
    >>> str(page("logistic_growth").box)
    '0 <= V <= 6920'
    """
    rows = {row["name"]: row for row in models.list_models()}
    if name not in rows:
        raise RemissionError(f"the catalogue has no model {name!r}; {did_you_mean(name, rows)}")
    function, row = getattr(models, name), rows[name]
    model = function()
    small = len(model.states) <= LARGEST_SHOWN
    scaled, not_scaled = _scaled(model)
    return Page(
        name, row["question"], row["about"], row["source"], model, models.text.parameter_table(model),
        models.derive.jacobian(model) if small else None, models.derive.conserved_totals(model),
        models.invariant_box(model), scaled, not_scaled, docstring_sections(function),
    )  # fmt: skip


def _scaled(model):
    try:
        return models.nondimensionalise(model), ""
    except ModelError as reason:
        return None, str(reason)


def docstring_sections(function) -> dict:
    """Title -> text of a numpydoc docstring; what stands before the first title has the title "".

    Parameters
    ----------
    function : callable

    Returns
    -------
    dict
    """
    lines, found, title = inspect.getdoc(function).splitlines(), {"": []}, ""
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if after and set(after) == {"-"} and len(after) >= 3 and len(after) == len(line):
            title = line
            found[title] = []
        elif not (title and line and set(line) == {"-"}):
            found[title].append(line)
    return {key: "\n".join(text).strip() for key, text in found.items()}


def page_text(name) -> str:
    """The page of a model for a terminal.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> print(page_text("exponential_growth").splitlines()[0])
    exponential_growth (time in day)
    """
    found = page(name)
    parts = [str(found.model), *_paragraphs(found.about), _table(found.letters), "What follows from the equations"]
    parts[-1] += "\n" + "\n".join(f"  {line}" for line in derived_lines(found))
    for title in ("Notes", "References"):
        if title in found.sections:
            parts.append(f"{title}\n{textwrap.indent(_plain(found.sections[title]), '  ')}")
    return "\n\n".join(parts)


def derived_lines(found) -> list:
    """One line for each thing that the code derives from a model.

    Parameters
    ----------
    found : Page

    Returns
    -------
    list of str
    """
    lines = [f"conserved totals: {', '.join(map(str, found.totals)) or 'none'}"]
    positive = found.box.nonnegative
    lines.append(f"cannot become negative: {', '.join(positive) or 'not shown'}")
    lines.append(f"invariant box (defaults, inputs within 0 and 1): {found.box}")
    if found.jacobian is not None:
        rows = found.jacobian.tolist()
        zeros = sum(entry == 0 for row in rows for entry in row)
        lines.append(f"Jacobian: {len(rows)} x {len(rows)}, {zeros} entries are zero")
        lines += [
            f"  d({s}')/d{r} = {entry}"
            for s, row in zip(found.model.states, rows, strict=True)
            for r, entry in zip(found.model.states, row, strict=True)
            if entry != 0
        ]
    if found.scaled is None:
        lines.append(f"groups: {found.not_scaled}")
    else:
        lines.append("groups (scaled form):")
        lines += [f"  {group} = {e} = {group_value(found, group)}" for group, e in found.scaled.groups.items()]
    return lines


def group_value(found, name) -> str:
    """Value of a group at the defaults; a group that is an input has none.

    Parameters
    ----------
    found : Page
    name : str

    Returns
    -------
    str
    """
    inputs = {s.name for s in found.scaled.model.inputs}
    return "scaled input" if name in inputs else f"{found.scaled.value(name):.4g}"


def _paragraphs(text):
    return [textwrap.fill(text, WIDTH)] if text else []


def _table(rows):
    columns = ("name", "role", "value", "unit", "plausible", "about")
    widths = [max(len(c), *(len(r[c]) for r in rows)) + 2 for c in columns]
    lines = [
        "".join(row[c].ljust(w) for c, w in zip(columns, widths, strict=True)).rstrip()
        for row in ({c: c for c in columns}, *rows)
    ]
    return "\n".join(lines)


def _plain(text):
    """Docstring markup as plain text."""
    text = re.sub(r"^\.\. \[(\d+)\] ", r"[\1] ", text, flags=re.MULTILINE)
    return re.sub(r"\[(\d+)\]_", r"[\1]", text).replace("``", "").replace("**", "")
