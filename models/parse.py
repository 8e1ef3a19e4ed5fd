"""Expressions written as text, read with a given table of names only.

Sympy's own parser knows S, E, I, N, beta and gamma as its objects; a model that calls a clone `S` must not meet them.
"""

import ast
import operator

import sympy as sp

from .errors import ModelError, did_you_mean

__all__ = ["parse_expression"]

FUNCTIONS = {
    "exp": sp.exp, "log": sp.log, "sqrt": sp.sqrt, "sin": sp.sin, "cos": sp.cos, "tanh": sp.tanh,
    "abs": sp.Abs, "min": sp.Min, "max": sp.Max,
}  # fmt: skip
OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


def parse_expression(text: str, names: dict) -> sp.Expr:
    """Read arithmetic such as `"S + 2*R/(1 + R)"` with the names given and nothing else.

    Parameters
    ----------
    text : str
        Numbers, names, `+ - * / **` (`^` is read as a power), parentheses and the functions
        exp, log, sqrt, sin, cos, tanh, abs, min, max.
    names : dict
        Name -> symbol or expression.

    Returns
    -------
    sympy.Expr
        The expression in the symbols of `names`.

    Raises
    ------
    ModelError
        If the text is not arithmetic or uses a name that is not in the table.

    Examples
    --------
    >>> from remission.models import State
    >>> S = State("S", 1.0)
    >>> parse_expression("2*S + 1", {"S": S})
    2*S + 1
    """
    try:
        tree = ast.parse(text.replace("^", "**"), mode="eval")
    except SyntaxError:
        raise ModelError(f"{text!r} is not an expression") from None
    return _read(tree.body, names, text)


def _read(node, names, text):
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return sp.sympify(node.value)
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise ModelError(f"{text!r} uses {node.id!r}, which has no meaning here; {did_you_mean(node.id, names)}")
        return names[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_read(node.left, names, text), _read(node.right, names, text))
    if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_read(node.operand, names, text))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        if node.func.id not in FUNCTIONS:
            raise ModelError(f"{text!r} calls {node.func.id!r}; {did_you_mean(node.func.id, FUNCTIONS)}")
        return FUNCTIONS[node.func.id](*(_read(a, names, text) for a in node.args))
    raise ModelError(f"{text!r}: {ast.unparse(node)!r} is not arithmetic")
