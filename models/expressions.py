"""Sympy expressions -> one shared list of assignments -> Python source that runs on floats and on arrays."""

import functools
import keyword
from dataclasses import dataclass

import sympy as sp

from .errors import ModelError
from .operations import OPERATIONS
from .partials import letters_of, partials
from .symbols import t

__all__ = ["Kernel", "function_source", "model_kernel", "sensitivity_source"]

ARGUMENTS = ("t", "y", "p", "u", "z", "d")
MOST_LETTERS = 50
TAKEN = {*OPERATIONS, *ARGUMENTS, "x"}
NAMES = {
    sp.exp: "exp", sp.log: "log", sp.sin: "sin", sp.cos: "cos", sp.tan: "tan", sp.tanh: "tanh", sp.sinh: "sinh",
    sp.cosh: "cosh", sp.Abs: "absolute", sp.sign: "sign", sp.Heaviside: "step",
}  # fmt: skip
RELATIONS = {
    sp.StrictLessThan: "<", sp.LessThan: "<=", sp.StrictGreaterThan: ">", sp.GreaterThan: ">=",
    sp.Equality: "==", sp.Unequality: "!=",
}  # fmt: skip


@dataclass(frozen=True)
class Kernel:
    """Source of a model's functions and the shapes of what they return.

    `source` defines `f`, `observe` and `tangent`, each `(t, y, p, u)` with sequences of numbers (or arrays of one
    shape) and a list as result. `tangent` returns f and then the entries of d f / d (y, p, u) that are not
    structurally zero.

    Parameters
    ----------
    source : str
    states, parameters, inputs, observables : tuple of str
        Names, in the order of y, p, u and of the results of `observe`.
    tangent_at : tuple of int
        Flat positions of the entries of `tangent` in a table of shape (n, n + n_p + n_u).
    observe_at : tuple of int
        The same for `observe_gradient`, in a table of shape (n_observables, n + n_p + n_u).
    """

    source: str
    states: tuple
    parameters: tuple
    inputs: tuple
    observables: tuple
    tangent_at: tuple
    observe_at: tuple


@functools.lru_cache(maxsize=256)
def model_kernel(model) -> Kernel:
    """Derive and write the functions of a model; kept for models that are equal.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Kernel

    Raises
    ------
    ModelError
        If an expression uses an operation that `operations` does not have.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> N, r = State("N", 1.0), Parameter("r", 0.1)
    >>> print(model_kernel(Model("growth", rates={N: r * N})).source.split(chr(10) * 2)[0])
    def f(t, y, p, u):
        (N,) = y
        (r,) = p
        return [r*N]
    """
    groups = (model.states, model.parameters, model.inputs)
    everything = [s for group in groups for s in group]
    rates = [model.equations[s] for s in model.states]
    seen = list(model.observables.values())
    entries, at = _derivatives(rates, everything)
    observed, observed_at = _derivatives(seen, everything)
    sources = [
        function_source("f", rates, groups),
        function_source("tangent", rates + entries, groups),
        function_source("observe", seen, groups),
        function_source("observe_gradient", observed, groups),
    ]
    return Kernel(
        "\n\n".join(sources),
        *(tuple(s.name for s in group) for group in groups),
        tuple(model.observables),
        at,
        observed_at,
    )


def function_source(name, expressions, groups) -> str:
    """Python source of a function `name(t, y, p, u)` that returns a list of values.

    Parameters
    ----------
    name : str
    expressions : list of sympy.Expr
    groups : (states, parameters, inputs)
        Symbols that the arguments y, p and u unpack to.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.models import Parameter
    >>> k = Parameter("k", 1.0)
    >>> print(function_source("g", [k**2 / 3], ((), (k,), ())))
    def g(t, y, p, u):
        (k,) = p
        return [(k*k)/3.0]
    """
    lines, results = _body(expressions, groups)
    return "\n".join([f"def {name}(t, y, p, u):", *lines, f"    return [{', '.join(results)}]"])


@functools.lru_cache(maxsize=256)
def sensitivity_source(model, columns, steered) -> str:
    """Source of `augmented(t, z, p, u, d)`: rates of z = (y, s_1, ..., s_k), every product written out.

    Parameters
    ----------
    model : Model
    columns : tuple of int or None
        For each carried parameter its position in `model.parameters`; None for one that the model does not have.
    steered : bool
        Whether levels of inputs depend on carried parameters: `d[m * k + j]` is then d u_m / d p_j.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> N, r = State("N", 1.0), Parameter("r", 0.1)
    >>> print(sensitivity_source(Model("growth", rates={N: r * N}), (0,), False))
    def augmented(t, z, p, u, d):
        y = z[:1]
        (N,) = y
        (r,) = p
        (s_0_0,) = z[1:]
        f_0 = r*N
        g_0 = r
        g_1 = N
        return [f_0, g_0*s_0_0 + g_1]
    """
    groups = (model.states, model.parameters, model.inputs)
    n, k = len(model.states), len(columns)
    own = [model.parameters[c] for c in columns if c is not None]
    wanted = [*model.states, *own, *(model.inputs if steered else ())]
    rates = [model.equations[s] for s in model.states]
    entries, at = _derivatives(rates, wanted)
    lines, results = _body(rates + entries, groups)
    names = [f"f_{i}" for i in range(n)] + [f"g_{i}" for i in range(len(entries))]
    lines += [f"    {name} = {text}" for name, text in zip(names, results, strict=True)]
    table = {divmod(place, len(wanted)): f"g_{i}" for i, place in enumerate(at)}
    places = [n + own.index(model.parameters[c]) if c is not None else None for c in columns]
    carried = [_sensitivity_text(i, j, k, table, places, n, wanted, steered) for j in range(k) for i in range(n)]
    carried_names = ", ".join(f"s_{i}_{j}" for j in range(k) for i in range(n))
    head = ["def augmented(t, z, p, u, d):", f"    y = z[:{n}]"]
    unpack = f"    ({carried_names}{',' if n * k == 1 else ''}) = z[{n}:]"
    body = lines[: len(lines) - len(names)] + [unpack] + lines[len(lines) - len(names) :]
    return "\n".join(head + body + [f"    return [{', '.join(names[:n] + carried)}]"])


def _sensitivity_text(i, j, k, table, places, n, wanted, steered):
    """Text of s_j' of state i: a row of the Jacobian times s_j, and the direct terms."""
    terms = [f"{table[i, m]}*s_{m}_{j}" for m in range(n) if (i, m) in table]
    if places[j] is not None and (i, places[j]) in table:
        terms.append(table[i, places[j]])
    if steered:
        first = n + len({p for p in places if p is not None})
        terms += [f"{table[i, m]}*d[{(m - first) * k + j}]" for m in range(first, len(wanted)) if (i, m) in table]
    return " + ".join(terms) or "0.0"


def _body(expressions, groups):
    """Lines that unpack what is used and compute what is shared, and the text of each result."""
    letters = {t: "t"}
    for group in groups:
        letters |= {s: _python_name(s.name) for s in group}
    lines = []
    used = letters_of(expressions)
    for argument, group in zip(("y", "p", "u"), groups, strict=True):
        if group and used & set(group):
            unpacked = ", ".join(letters[s] for s in group)
            lines.append(f"    ({unpacked}{',' if len(group) == 1 else ''}) = {argument}")
    names = sp.numbered_symbols("x_")
    if sum(map(len, groups)) > MOST_LETTERS:  # cse looks for common factors as well, pair by pair
        shared, results = [(next(names), e) for e in _repeated(expressions)], expressions
        letters |= {symbol: symbol.name for symbol, _ in shared}
    else:
        shared, results = sp.cse(expressions, symbols=names, order="none")
    for symbol, expression in shared:
        lines.append(f"    {symbol.name} = {_emit(expression, letters)}")
        letters[symbol] = letters[expression] = symbol.name
    return lines, [_emit(e, letters) for e in results]


def _repeated(expressions):
    """Parts that occur more than once, each after its own parts."""
    seen, again = {}, set()

    def visit(expression):
        if expression.is_Atom or expression.is_number:
            return
        if expression in seen:
            again.add(expression)
            return
        for part in expression.args:
            visit(part)
        if isinstance(expression, sp.Expr):
            seen[expression] = None

    for expression in expressions:
        visit(expression)
    return [e for e in seen if e in again]


def _derivatives(expressions, symbols):
    """Derivatives that are not structurally zero and their flat positions in a (rows, symbols) table."""
    table = partials(expressions, symbols)
    return list(table.values()), tuple(i * len(symbols) + j for i, j in table)


def _python_name(name):
    clash = name in TAKEN or keyword.iskeyword(name) or name.startswith(("x_", "s_", "f_", "g_"))
    return name + "_" if clash else name


def _emit(expression, letters) -> str:
    """Python text of an expression; every operand that is not a name or a number is put in parentheses."""
    if expression in letters:
        return letters[expression]
    if expression.is_number and expression.is_real and not expression.has(sp.Function):
        return repr(float(expression))
    if expression.is_Add:
        return " + ".join(_emit_factor(a, letters) if not a.is_Mul else _emit(a, letters) for a in expression.args)
    if expression.is_Mul:
        return _emit_product(expression, letters)
    if expression.is_Pow:
        return _emit_power(*expression.as_base_exp(), letters)
    if isinstance(expression, sp.exp):
        return f"exp({_emit(expression.args[0], letters)})"
    if isinstance(expression, (sp.Min, sp.Max)):
        word = "minimum" if isinstance(expression, sp.Min) else "maximum"
        text = _emit(expression.args[0], letters)
        for argument in expression.args[1:]:
            text = f"{word}({text}, {_emit(argument, letters)})"
        return text
    if isinstance(expression, sp.Piecewise):
        return _emit_piecewise(expression, letters)
    if type(expression) in RELATIONS:
        left, right = (_emit(a, letters) for a in expression.args)
        return f"({left} {RELATIONS[type(expression)]} {right})"
    if isinstance(expression, (sp.And, sp.Or)):
        word = " & " if isinstance(expression, sp.And) else " | "
        return "(" + word.join(_emit(a, letters) for a in expression.args) + ")"
    if type(expression) in NAMES:
        return f"{NAMES[type(expression)]}({_emit(expression.args[0], letters)})"
    raise ModelError(
        f"the operation {type(expression).__name__} in {expression} has no numbers behind it; "
        f"there is: + - * / **, {', '.join(OPERATIONS)}"
    )


def _emit_factor(expression, letters):
    text = _emit(expression, letters)
    plain = (expression.is_number and not text.startswith("-")) or text.endswith(")")
    plain = expression in letters or (plain and not expression.is_Add and not expression.is_Mul)
    return text if plain else f"({text})"


def _emit_product(expression, letters):
    above, below = [], []
    for factor in expression.args:
        base, exponent = factor.as_base_exp()
        if factor in letters:
            above.append(letters[factor])
        elif factor.is_Pow and exponent.is_number and exponent.is_negative:
            below.append(_emit_power(base, -exponent, letters))
        elif isinstance(factor, sp.Rational) and factor.q != 1:
            above += [repr(float(factor.p))] if factor.p != 1 else []
            below.append(repr(float(factor.q)))
        else:
            above.append(_emit_factor(factor, letters))
    if above and above[0] == "(-1.0)" and len(above) > 1:  # -a*b reads and runs better than (-1.0)*a*b
        above = ["-" + above[1], *above[2:]]
    text = "*".join(above) or "1.0"
    return text + "".join(f"/{b}" if _closed(b) else f"/({b})" for b in below)


def _closed(text):
    return text.isidentifier() or text.replace(".", "").isdigit() or (text.endswith(")") and text[0].isalpha())


def _emit_power(base, exponent, letters):
    text = _emit_factor(base, letters)
    if exponent == 1:
        return text
    if exponent == sp.Rational(1, 2):
        return f"sqrt({_emit(base, letters)})"
    if exponent.is_Integer and exponent < 0:
        inner = _emit_power(base, -exponent, letters)
        return f"1.0/{inner}" if _closed(inner) else f"1.0/({inner})"
    if exponent.is_Integer and exponent <= 4 and base.is_Symbol:
        return "*".join([text] * int(exponent))
    if exponent.is_Integer:
        return f"{text}**{int(exponent)}"
    return f"power({_emit(base, letters)}, {_emit(exponent, letters)})"


def _emit_piecewise(expression, letters):
    *pieces, (last, condition) = expression.args
    text = (
        _emit(last, letters)
        if condition == sp.true
        else f"where({_emit(condition, letters)}, {_emit(last, letters)}, nan)"
    )
    for value, condition in reversed(pieces):
        text = f"where({_emit(condition, letters)}, {_emit(value, letters)}, {text})"
    return text
