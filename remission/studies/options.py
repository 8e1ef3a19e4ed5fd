"""Options of a chapter: what its table in the study file may say, with defaults and one check of types."""

from remission.models.errors import RemissionError

__all__ = ["read_options"]


def read_options(spec, defaults) -> dict:
    """Options of a chapter over their defaults, each of the type of its default.

    Parameters
    ----------
    spec : dict
        Table of the chapter in the study file.
    defaults : dict
        Name -> default: a whole number, a number, or a tuple of numbers (any length of 1 or more).

    Returns
    -------
    dict
        Name -> value for every name in `defaults`.

    Raises
    ------
    RemissionError
        If a value has another type, is not above zero, or a list is empty or holds a number below zero.

    Examples
    --------
    >>> read_options({"name": "a", "n": 8}, {"n": 32, "p": 0.5})
    {'n': 8, 'p': 0.5}
    """
    found = {}
    for name, default in defaults.items():
        value = spec.get(name, default)
        place = f"chapter {spec.get('name', '')!r}, option {name}"
        if isinstance(default, tuple):
            if not (isinstance(value, (list, tuple)) and value and all(_is_number(v) and v >= 0 for v in value)):
                raise RemissionError(
                    f"{place}: a list of numbers of 0 or more such as {list(default)} is expected, got {value!r}"
                )
            found[name] = tuple(float(v) for v in value)
        elif isinstance(default, int):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise RemissionError(f"{place}: a whole number such as {default} is expected, got {value!r}")
            found[name] = value
        elif not _is_number(value) or value <= 0:
            raise RemissionError(f"{place}: a number above zero such as {default:g} is expected, got {value!r}")
        else:
            found[name] = float(value)
    return found


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)
