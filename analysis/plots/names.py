"""What the quantities of a model are called in a figure: units, kinds, legend entries and axis labels."""

from remission.models import dimension_of
from remission.models.errors import ModelError

from .style import label, pretty_powers, pretty_unit, same_unit

__all__ = ["default_names", "kind_of", "legend_text", "plain", "unit_of", "value_label"]

LONGEST = 34  # characters of a legend entry


def plain(name) -> str:
    """A name as words.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> plain("resistant_fraction"), plain("f_R")
    ('resistant fraction', 'f_R')
    """
    name = str(name)
    words = name.split("_")
    return " ".join(words) if len(words) > 1 and all(len(w) > 2 and w.islower() for w in words) else name


def kind_of(model, name) -> str:
    """Kind of a state, "input" or "observable", as `colour_of` takes it.

    Parameters
    ----------
    model : Model
    name : str

    Returns
    -------
    str
    """
    for state in model.states:
        if state.name == name:
            return state.info.kind
    return "input" if any(s.name == name for s in model.inputs) else "observable"


def unit_of(model, name) -> str:
    """Unit of a state, input or observable as text; empty where it is not declared.

    Parameters
    ----------
    model : Model
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.models import oncogene_withdrawal
    >>> unit_of(oncogene_withdrawal(), "burden"), unit_of(oncogene_withdrawal(), "u")
    ('cells', '1')
    """
    for symbol in (*model.states, *model.inputs):
        if symbol.name == name:
            return symbol.info.unit
    if name not in model.observables:
        return ""
    try:
        unit = dimension_of(model.observables[name], model.time_unit)
    except ModelError:
        return ""
    if unit is None:
        return ""
    written = [s.info.unit for s in model.states if s.info.unit and same_unit(s.info.unit, unit)]
    return written[0] if written else str(unit)


def default_names(model) -> list:
    """Names to draw where none are given: tumour states of one unit and their sum, else all states.

    Parameters
    ----------
    model : Model

    Returns
    -------
    list of str
    """
    tumour = [s for s in model.states if s.info.kind == "tumour"]
    chosen = tumour or list(model.states)
    names = [s.name for s in chosen]
    if len(tumour) > 1:
        names += [n for n, e in model.observables.items() if (e - sum(tumour)).expand() == 0][:1]
    return names


def legend_text(model, name, among=()) -> str:
    """Legend entry of a name: the letter and what it means, without the words that all share.

    Parameters
    ----------
    model : Model
    name : str
    among : sequence of str
        Names that are drawn together.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> legend_text(sensitive_resistant(), "S", ["S", "R"])
    'S: sensitive'
    """
    about = _about(model, name)
    beginning, ending = _shared_words(model, among)
    if about:
        about = about.removeprefix(beginning).removesuffix(ending).strip()
    text = f"{name}: {about}" if about and about != name else plain(name)
    return text if len(text) <= LONGEST else f"{name}: {about.split(' / ')[0].split(',')[0]}"[: LONGEST + 8]


def value_label(model, names, unit) -> str:
    """Label of the axis that shows some names.

    Parameters
    ----------
    model : Model
    names : sequence of str
    unit : str
        Their common unit.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.models import oncogene_withdrawal, sensitive_resistant
    >>> value_label(sensitive_resistant(), ["burden"], "1"), value_label(oncogene_withdrawal(), ["S", "R"], "cells")
    ('burden / carrying capacity', 'cells')
    """
    if len(names) == 1:
        return _single_label(model, names[0], unit)
    printed = pretty_unit(unit)
    shared = " ".join(filter(None, _shared_words(model, names)))
    if shared and not (printed and "/" in shared):
        return label(shared, "" if shared == printed else unit)
    if printed and printed.endswith("cells"):
        return printed
    listed = ", ".join(plain(n) for n in names)
    listed = listed if len(listed) <= 30 else "value"
    return label(listed, unit) if printed else f"{listed} (scaled)"


def _single_label(model, name, unit):
    about = _about(model, name)
    if about:
        said = f" {about}".endswith(f" {pretty_unit(unit)}")  # cells are counted in cells
        return label(pretty_powers(about), "" if said else unit)
    text = label(plain(name), unit)
    parts = [s.name for s in model.states if name in model.observables and model.observables[name].has(s)]
    _, shared = _shared_words(model, parts)
    total = name in model.observables and model.observables[name].is_Add
    return f"{text} / {shared.split(' / ')[1]}" if total and " / " in shared and not pretty_unit(unit) else text


def _about(model, name):
    return next((s.info.about for s in (*model.states, *model.inputs) if s.name == name), "")


def _shared_words(model, names):
    """How all meanings begin and end, such as "cells / carrying capacity"; at least two must have a meaning."""
    abouts = [a.split() for a in (_about(model, n) for n in names) if a]
    if len(abouts) < 2:
        return "", ""
    ending = _common([a[::-1] for a in abouts])[::-1]
    while ending and ending[0] in ("/", "of", "at"):
        ending.pop(0)
    least = min(map(len, abouts))
    if not ending or least <= len(ending):
        return "", ""
    beginning = _common(abouts)
    return " ".join(beginning if len(beginning) + len(ending) < least else []), " ".join(ending)


def _common(lists):
    """The words that all lists start with."""
    found = []
    for words in zip(*lists, strict=False):
        if len(set(words)) > 1:
            break
        found.append(words[0])
    return found
