"""Where an expression is zero in one of its letters, without a solver that might never come back."""

import functools
from dataclasses import dataclass

import numpy as np
import sympy as sp

__all__ = ["Solved", "solve_for"]

MOST_TERMS = 300  # of an expression that is brought over one denominator
MOST_DEGREE = 12


@dataclass(frozen=True, eq=False)
class Solved:
    """How the zeros of an expression are found.

    Attributes
    ----------
    formulas : tuple of Expr
        All zeros there can be; empty where there is no closed form.
    polynomial : tuple of Expr
        Coefficients of a polynomial that has all zeros of the expression, highest first; empty where it is none.
    absent : tuple of str
        Parameters that are zero in the problem and were left out of the formulas.
    """

    formulas: tuple = ()
    polynomial: tuple = ()
    absent: tuple = ()


@functools.lru_cache(maxsize=512)
def solve_for(expression, letter, zeros=frozenset()) -> Solved:
    """Formulas, or a polynomial, for the zeros of an expression.

    Parameters
    ----------
    expression : Expr
    letter : Symbol
        Occurs in the expression.
    zeros : frozenset of Symbol
        Letters that may be taken as zero if no formula is found otherwise.

    Returns
    -------
    Solved

    Examples
    --------
    >>> import sympy as sp
    >>> r, k, u = sp.symbols("r k u")
    >>> solve_for(r - k * u, u).formulas
    (r/k,)
    """
    plain = {s: sp.Integer(0) for s in zeros & expression.free_symbols}
    less = expression.xreplace(plain) if plain else None
    if less is not None and (less.has(sp.nan, sp.zoo, sp.oo) or letter not in less.free_symbols):
        less = None
    absent = tuple(sorted(s.name for s in plain))
    for form, left_out in ((expression, ()), (less, absent)):
        if form is not None:
            found = _linear(form, letter) or _inverse(form, letter)
            if found:
                return Solved(found, (), left_out)
    for form, left_out in ((expression, ()), (less, absent)):
        coefficients = () if form is None else _polynomial(form, letter)
        if len(coefficients) == 2:
            return Solved((-coefficients[1] / coefficients[0],), coefficients, left_out)
        if len(coefficients) == 3:
            return Solved(_quadratic(*coefficients), coefficients, left_out)
    return Solved((), _polynomial(expression, letter), ())


def _linear(expression, letter):
    slope = sp.diff(expression, letter)
    if slope == 0 or letter in slope.free_symbols:
        slope = sp.expand(slope) if slope.count_ops() < MOST_TERMS else slope
        if slope == 0 or letter in slope.free_symbols:
            return ()
    above = expression.xreplace({letter: sp.Integer(0)})
    return (_tidy(above, -slope),)


def _tidy(above, below):
    """The quotient with as few minus signs as there can be."""
    if below.could_extract_minus_sign() and above.could_extract_minus_sign():
        above, below = -above, -below
    if below.is_Add and all(t.could_extract_minus_sign() for t in below.args):
        above, below = -above, sp.Add(*(-t for t in below.args))
    found = above / below
    shorter = sp.factor_terms(found) if found.count_ops() < MOST_TERMS else found
    return shorter if shorter.count_ops() < found.count_ops() else found


def _inverse(expression, letter):
    """Undo one operation after another where the letter occurs once: expression = 0."""
    value, now = [sp.Integer(0)], expression
    while now != letter:
        if sum(letter in a.free_symbols for a in now.args) != 1:
            return ()
        inner = next(a for a in now.args if letter in a.free_symbols)
        outer = [a for a in now.args if letter not in a.free_symbols]
        if now.is_Add:
            value = [v - sp.Add(*outer) for v in value]
        elif now.is_Mul:
            value = [v / sp.Mul(*outer) for v in value]
        elif now.is_Pow and now.base is inner:
            root = [v ** (1 / now.exp) for v in value]
            value = root + [-v for v in root] if now.exp.is_Integer and now.exp % 2 == 0 else root
        elif isinstance(now, sp.exp) or (now.is_Pow and now.exp is inner):
            value = [sp.log(v) / (1 if isinstance(now, sp.exp) else sp.log(now.base)) for v in value]
        elif isinstance(now, sp.log):
            value = [sp.exp(v) for v in value]
        else:
            return ()
        now = inner
    return () if any(v.has(sp.nan, sp.zoo, sp.oo) for v in value) else tuple(value)


@functools.lru_cache(maxsize=512)
def _polynomial(expression, letter):
    if expression.count_ops() > MOST_TERMS:
        return ()
    above, _ = sp.fraction(sp.together(expression))
    if not above.is_polynomial(letter):
        return ()
    found = tuple(sp.Poly(above, letter).all_coeffs())
    return found if 2 <= len(found) <= MOST_DEGREE + 1 else ()


def _quadratic(a, b, c):
    root = sp.sqrt(b**2 - 4 * a * c)
    return (-b + root) / (2 * a), (-b - root) / (2 * a)


@functools.lru_cache(maxsize=512)
def numeric(expressions, symbols):
    """A function of values of the symbols for a tuple of expressions: a list of numbers or arrays."""
    return sp.lambdify(symbols, list(expressions), "numpy", cse=True)


def zeros_between(solved, expression, letter, symbols, numbers, within) -> tuple:
    """Zeros of an expression in a range, in order, and whether these are all.

    Parameters
    ----------
    solved : Solved
    expression : Expr
    letter : Symbol
    symbols : tuple of Symbol
    numbers : tuple of float
        Their values; that of the letter is not used.
    within : (low, high)

    Returns
    -------
    list of (float, Expr or None), bool
        Value and formula; whether no zero was missed.
    """
    low, high = within
    at = symbols.index(letter)
    function = numeric((expression,), symbols)

    def g(values):
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(function(*numbers[:at], values, *numbers[at + 1 :])[0]), np.shape(values))

    if solved.formulas:
        with np.errstate(all="ignore"):
            values = numeric(solved.formulas, symbols)(*(np.complex128(x) for x in numbers))
        pairs = [(complex(v), e) for v, e in zip(values, solved.formulas, strict=True)]
        real = [(float(v.real), e) for v, e in pairs if abs(v.imag) <= 1e-12 * abs(v) and np.isfinite(v.real)]
        return _each_once((v, e) for v, e in real if low <= v <= high and _is_zero(g, v)), True
    if solved.polynomial:
        with np.errstate(all="ignore"):
            coefficients = np.array(numeric(solved.polynomial, symbols)(*numbers), dtype=float)
        if np.all(np.isfinite(coefficients)) and coefficients.any():
            roots = np.roots(coefficients)
            size = np.maximum(np.abs(roots), 1e-300)
            real = [float(_polished(coefficients, r)) for r in roots[np.abs(roots.imag) <= 1e-7 * size].real]
            sure = bool(np.all((np.abs(roots.imag) > 1e-4 * size) | (np.abs(roots.imag) == 0)))
            return _each_once((v, None) for v in real if low <= v <= high and _is_zero(g, v)), sure
    return [(v, None) for v in sign_changes(lambda v: float(g(np.float64(v))), grid(within), g(grid(within)))], False


def _polished(coefficients, root):
    slope = np.polyder(coefficients)
    for _ in range(3):
        by = np.polyval(slope, root)
        root = root - np.polyval(coefficients, root) / by if by else root
    return root


def _is_zero(g, value):
    """Whether the expression itself is zero there, and not only a polynomial that has more zeros."""
    near = abs(value) * 1e-6 or 1e-6
    sides = g(np.array([value - near, value, value + near]))
    return bool(np.isfinite(sides[1]) and abs(sides[1]) <= 1e-3 * np.nanmax(np.abs(sides)) + 1e-300)


def _each_once(pairs):
    found = []
    for value, formula in sorted(pairs, key=lambda pair: pair[0]):
        if not found or value - found[-1][0] > 1e-12 * max(abs(value), 1e-300):
            found.append((value, formula))
    return found


def grid(within, count=400) -> np.ndarray:
    """Values even in the range, and even in the logarithm near an end at zero."""
    low, high = within
    even = np.linspace(low, high, count)
    if low >= 0:
        start = max(low, 1e-6 * high)
        even = np.concatenate([even, np.geomspace(start, high, count)])
    return np.unique(even)


def sign_changes(function, values, at) -> list:
    """Zeros between neighbouring values of which the function's values (known) differ in sign."""
    from scipy.optimize import brentq

    found = [float(v) for v, f in zip(values, at, strict=True) if f == 0]
    for i in np.flatnonzero(np.sign(at[:-1]) * np.sign(at[1:]) < 0):
        root = brentq(function, values[i], values[i + 1], xtol=1e-300, rtol=4 * np.finfo(float).eps)
        reach = max(abs(at[i]), abs(at[i + 1]))
        if abs(function(root)) <= reach:  # not a pole
            found.append(float(root))
    return sorted(found)
