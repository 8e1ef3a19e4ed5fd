"""Units of measurement: parse a text such as "1e6 cells/(mL day)", compare dimensions, convert."""

import functools
import math
import re
from dataclasses import dataclass, field
from fractions import Fraction

from .errors import ModelError, did_you_mean

__all__ = ["Unit", "conversion", "parse_unit", "same_dimension"]

BASE = ("length", "time", "cell", "amount", "mass")
BASE_UNITS = ("mm", "day", "cell", "mol", "g")
NO_DIMENSION = (Fraction(0),) * len(BASE)
LARGEST_POWER = 30  # a bound, so that a slip such as "mm^1000000" is an answer and not a stuck process


@dataclass(frozen=True)
class Unit:
    """A unit as exponents of length, time, cell, amount and mass, and a factor to mm, day, cell, mol and g.

    Units are equal when dimension and factor are equal, however they were written.

    Parameters
    ----------
    dimension : tuple of Fraction
        Five exponents, in the order length, time, cell, amount, mass.
    exact : Fraction or float
        How many base units one of this unit is; a Fraction unless a root was taken.
    text : str
        How the unit was written; made from the base units when empty.

    Examples
    --------
    >>> volume = parse_unit("mm^2") * parse_unit("mm")
    >>> volume == parse_unit("mm3"), str(volume), parse_unit("mL").factor
    (True, 'mm^3', 1000.0)
    >>> str(parse_unit("mm^2/day") ** Fraction(1, 2))
    'mm/day^(1/2)'
    """

    dimension: tuple = NO_DIMENSION
    exact: Fraction | float = Fraction(1)
    text: str = field(default="", compare=False)

    @property
    def factor(self) -> float:
        """How many base units (mm, day, cell, mol, g and their products) one of this unit is."""
        return float(self.exact)

    @property
    def dimensionless(self) -> bool:
        """True for pure numbers, whatever their factor (a percentage is one)."""
        return self.dimension == NO_DIMENSION

    def same_dimension(self, other) -> bool:
        """Whether values in the two units can be added once one of them is converted."""
        return self.dimension == _unit(other).dimension

    def dimension_text(self) -> str:
        """The dimension in words, such as "cell/(length^3 time)" or "dimensionless"."""
        return _product_text(self.dimension, BASE) or "dimensionless"

    def __mul__(self, other):
        other = _unit(other)
        exponents = tuple(a + b for a, b in zip(self.dimension, other.dimension, strict=True))
        return Unit(exponents, self.exact * other.exact)

    def __truediv__(self, other):
        return self * _unit(other) ** -1

    def __pow__(self, power):
        power = Fraction(power).limit_denominator(1000)
        whole = power.denominator == 1
        factor = self.exact ** (int(power) if whole else float(power))
        return Unit(tuple(a * power for a in self.dimension), factor)

    def __str__(self):
        if self.text:
            return self.text
        names = _product_text(self.dimension, BASE_UNITS)
        if self.factor == 1:
            return names or "1"
        return f"{self.factor:g} {names}".strip()


def _unit(value) -> Unit:
    return value if isinstance(value, Unit) else parse_unit(value)


def _product_text(exponents, names) -> str:
    """Exponents and names as "a b^2/(c d)"; empty when all exponents are zero."""

    def side(sign):
        return [
            name + ("" if abs(e) == 1 else f"^{abs(e)}" if e.denominator == 1 else f"^({abs(e)})")
            for e, name in zip(exponents, names, strict=True)
            if e * sign > 0
        ]

    over, under = side(1), side(-1)
    if not under:
        return " ".join(over)
    below = under[0] if len(under) == 1 else f"({' '.join(under)})"
    return f"{' '.join(over) or '1'}/{below}"


def _base(position, factor=1) -> Unit:
    return Unit(tuple(Fraction(int(i == position)) for i in range(len(BASE))), Fraction(factor))


def _names() -> dict:
    """Every unit name that is understood, prefixes included."""
    day, number = _base(1), Unit()
    spellings = {
        "s sec second seconds": _base(1, Fraction(1, 86400)),
        "min minute minutes": _base(1, Fraction(1, 1440)),
        "h hr hour hours": _base(1, Fraction(1, 24)),
        "d day days": day,
        "wk week weeks": _base(1, 7),
        "mo month months": _base(1, Fraction("30.4375")),
        "y yr year years": _base(1, Fraction("365.25")),
        "cell cells": _base(2),
        "micron microns": _base(0, Fraction(1, 1000)),
        "metre meter": _base(0, 1000),
        "litre liter": _base(0, 1000) ** 3 * Unit(exact=Fraction(1, 1000)),
        "mole moles": _base(3),
        "gram grams": _base(4),
        "1 dimensionless fraction": number,
        "% percent": Unit(exact=Fraction(1, 100)),
    }
    names = {name: unit for group, unit in spellings.items() for name in group.split()}
    litre, mole = names["litre"], names["mole"]
    stems = {"m": names["metre"], "L": litre, "l": litre, "mol": mole, "g": names["gram"], "M": mole / litre}
    stems["s"] = names["s"]
    prefixes = {"": 0, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1, "k": 3, "M": 6, "G": 9}
    for prefix, exponent in prefixes.items():
        for stem, unit in stems.items():
            names.setdefault(prefix + stem, unit * Unit(exact=Fraction(10) ** exponent))
    return names


NAMES = _names()
SUPERSCRIPTS = {ord(s): f"^{n}" for n, s in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
REPLACE = SUPERSCRIPTS | {ord("µ"): "u", ord("μ"): "u", ord("·"): "*", ord("×"): "*", ord("⁻"): "^-"}
TOKEN = re.compile(
    r"(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]+|%)(?P<digits>-?\d+)?"
    r"|(?P<power>\*\*|\^)\s*(?P<exponent>[+-]?\d+(?:\.\d+)?|\(\s*[+-]?\d+(?:\s*/\s*\d+|\.\d+)?\s*\))"
    r"|(?P<sign>[*/()])"
)


def _tokens(text) -> list:
    """Text as (kind, value) pairs; a power is attached to what stands before it by the parser."""
    clean = re.sub(r"\^\^", "^", re.sub(r"\bper\b", "/", text.translate(REPLACE)))
    clean = re.sub(r"\^-\s*\^", "^-", clean)  # a superscript minus before a superscript digit
    found, position = [], 0
    while position < len(clean):
        if clean[position].isspace():
            position += 1
            continue
        match = TOKEN.match(clean, position)
        if match is None:
            rest = clean[position:]
            raise ModelError(f"unit {text!r} cannot be read at {rest!r}; write it like 'mm^2/day' or '1/(cell day)'")
        position = match.end()
        if match["name"]:
            found.append(("name", match["name"]))
            if match["digits"]:
                found.append(("power", Fraction(match["digits"])))
        elif match["number"]:
            found.append(("number", match["number"]))
        elif match["power"]:
            found.append(("power", Fraction(re.sub(r"[()\s]", "", match["exponent"]))))
        else:
            found.append((match["sign"], match["sign"]))
    return found


def _number(word, text) -> Unit:
    value = float(word)
    if not 1e-100 < value < 1e100:
        raise ModelError(f"unit {text!r} has the scale factor {word}, which is zero or out of range")
    return Unit(exact=Fraction(word))


def _power(unit, power, text) -> Unit:
    if abs(power) > LARGEST_POWER:
        raise ModelError(f"unit {text!r} has the power {power}; at most {LARGEST_POWER} is accepted")
    if abs(math.log10(unit.exact) * power) > 200:
        raise ModelError(f"unit {text!r} has a scale factor out of range")
    return unit**power


def _atom(tokens, text) -> Unit:
    """One name, number or bracket with its power; removes its tokens."""
    kind, word = tokens.pop(0) if tokens else ("end", "")
    if kind == "name":
        if word not in NAMES:
            common = [
                n for n in NAMES if len(n) > 2 or n in ("h", "d", "mm", "cm", "um", "m", "L", "mL", "mg", "g", "nM")
            ]
            near = did_you_mean(word, common)
            near = near.split("? ")[0] + "?" if near.startswith("did") else "it has day, hour, mm, mL, cell, mol, g ..."
            raise ModelError(f"unit {text!r} has the unknown name {word!r}; {near}")
        unit = NAMES[word]
    elif kind == "number":
        unit = _number(word, text)
    elif kind == "(":
        unit = _product(tokens, text)
        if not tokens or tokens.pop(0)[0] != ")":
            raise ModelError(f"unit {text!r} has a bracket that is not closed")
    else:
        raise ModelError(f"unit {text!r} lacks a unit " + (f"before {word!r}" if word != "" else "at its end"))
    while tokens and tokens[0][0] == "power":
        unit = _power(unit, tokens.pop(0)[1], text)
    return unit


def _product(tokens, text) -> Unit:
    """Atoms joined by "*", "/" or a space, until the end or a closing bracket."""
    result, divided = _atom(tokens, text), False
    while tokens and tokens[0][0] != ")":
        sign = tokens[0][0]
        if sign in "*/":
            tokens.pop(0)
        elif divided:
            # Half of the readers take "1/cell day" for 1/(cell day), the other half for day/cell.
            raise ModelError(f"unit {text!r} can be read in two ways; write '1/(cell day)' or 'day/cell'")
        divided = divided or sign == "/"
        atom = _atom(tokens, text)
        result = result / atom if sign == "/" else result * atom
    return result


@functools.lru_cache(maxsize=4096)
def parse_unit(text) -> Unit:
    """Read a unit from a text.

    Known are second, minute, hour, day, week, month (30.4375 days), year (365.25 days), metre, litre, mole,
    gram and molar (with the usual prefixes, "u" for micro), cell, "%", "fraction" and "dimensionless"; scale
    factors ("1e6 cells"), powers ("mm^2", "mm2", "day-1", "mm^(1/2)"), products by a space or "*", quotients
    by "/" or "per", and brackets. An empty text is dimensionless.

    Parameters
    ----------
    text : str
        Upper and lower case are told apart: "mM" is millimolar, "mm" millimetre.

    Returns
    -------
    Unit
        With `text` as given.

    Raises
    ------
    ModelError
        If a name is unknown (with the nearest match), a bracket is left open, or the text can be read in
        two ways ("1/cell day").

    Examples
    --------
    >>> parse_unit("1e6 cells/mL").factor
    1000.0
    >>> parse_unit("1/(cell day)").dimension_text()
    '1/(time cell)'
    >>> parse_unit("%").factor
    0.01
    """
    if isinstance(text, Unit):
        return text
    if not isinstance(text, str):
        raise ModelError(f"a unit is a text such as 'mm^3', got {text!r}")
    if not text.strip():
        return Unit(text="")
    tokens = _tokens(text)
    unit = _product(tokens, text)
    if tokens:
        raise ModelError(f"unit {text!r} has a closing bracket too many")
    return Unit(unit.dimension, unit.exact, text.strip())


def same_dimension(first, second) -> bool:
    """Whether two units measure the same kind of quantity.

    Parameters
    ----------
    first, second : str or Unit

    Returns
    -------
    bool

    Examples
    --------
    >>> same_dimension("mL", "mm^3"), same_dimension("cells", "fraction")
    (True, False)
    """
    return _unit(first).same_dimension(second)


def conversion(given, wanted) -> float:
    """Factor that turns a value in one unit into the value in another.

    Parameters
    ----------
    given, wanted : str or Unit
        Units of the same dimension.

    Returns
    -------
    float
        A value in `given` times this factor is the value in `wanted`; correctly rounded.

    Raises
    ------
    ModelError
        If a unit is unknown or the dimensions differ; both are named.

    Examples
    --------
    >>> conversion("week", "day"), conversion("1e6 cells", "cells"), conversion("ug/mL", "mg/L")
    (7.0, 1000000.0, 1.0)
    """
    one, other = _unit(given), _unit(wanted)
    if not one.same_dimension(other):
        raise ModelError(
            f"{str(one)!r} ({one.dimension_text()}) does not convert to {str(other)!r} ({other.dimension_text()})"
        )
    return float(one.exact / other.exact)
