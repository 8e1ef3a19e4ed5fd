"""What follows from the equations by differentiation and linear algebra."""

import sympy as sp

__all__ = [
    "conserved_totals",
    "input_derivatives",
    "jacobian",
    "parameter_derivatives",
    "right_hand_side",
    "second_derivatives",
]


def right_hand_side(model) -> sp.Matrix:
    """The column f of y' = f, in the order of `model.states`.

    Parameters
    ----------
    model : Model

    Returns
    -------
    sympy.Matrix
        Shape (n, 1), in units of the states per unit of time.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> S = State("S", 1.0)
    >>> right_hand_side(Model("decay", rates={S: -Parameter("k", 0.5) * S}))
    Matrix([[-k*S]])
    """
    return sp.Matrix([model.equations[s] for s in model.states])


def jacobian(model) -> sp.Matrix:
    """Derivatives of the right-hand side by the states.

    Parameters
    ----------
    model : Model

    Returns
    -------
    sympy.Matrix
        Shape (n, n): row i, column j is d f_i / d y_j.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> S = State("S", 1.0)
    >>> jacobian(Model("decay", rates={S: -Parameter("k", 0.5) * S**2}))
    Matrix([[-2*k*S]])
    """
    return _derivatives(model, model.states)


def parameter_derivatives(model) -> sp.Matrix:
    """Derivatives of the right-hand side by the parameters.

    Parameters
    ----------
    model : Model

    Returns
    -------
    sympy.Matrix
        Shape (n, number of parameters), columns in the order of `model.parameters`.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> S = State("S", 1.0)
    >>> parameter_derivatives(Model("decay", rates={S: -Parameter("k", 0.5) * S}))
    Matrix([[-S]])
    """
    return _derivatives(model, model.parameters)


def input_derivatives(model) -> sp.Matrix:
    """Derivatives of the right-hand side by the inputs, shape (n, number of inputs).

    Parameters
    ----------
    model : Model

    Returns
    -------
    sympy.Matrix
        Columns in the order of `model.inputs`.

    Examples
    --------
    >>> from remission.models import Input, Model, State
    >>> S = State("S", 1.0)
    >>> input_derivatives(Model("killed", rates={S: -Input("u") * S}))
    Matrix([[-S]])
    """
    return _derivatives(model, model.inputs)


def second_derivatives(model) -> tuple:
    """Second derivatives of the right-hand side by states and by states and parameters.

    Parameters
    ----------
    model : Model

    Returns
    -------
    (dict, dict)
        `{(i, j, k): d2 f_i / d y_j d y_k}` and `{(i, j, k): d2 f_i / d y_j d p_k}`; only entries that are not zero.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> S = State("S", 1.0)
    >>> second_derivatives(Model("decay", rates={S: -Parameter("k", 0.5) * S**2}))
    ({(0, 0, 0): -2*k}, {(0, 0, 0): -2*S})
    """
    first = jacobian(model)
    by_state, by_parameter = {}, {}
    for i in range(first.rows):
        for j in range(first.cols):
            for symbols, found in ((model.states, by_state), (model.parameters, by_parameter)):
                for k, symbol in enumerate(symbols):
                    if first[i, j].has(symbol):
                        found[i, j, k] = sp.diff(first[i, j], symbol)
    zero = sp.Integer(0)
    return tuple({k: v for k, v in found.items() if v != zero} for found in (by_state, by_parameter))


def conserved_totals(model) -> tuple:
    """Weighted sums of states that no term of the model changes.

    Each right-hand side is written as a sum of distinct terms; a total is a combination of rows in which every term
    cancels (the left null space of the table of coefficients).

    Parameters
    ----------
    model : Model

    Returns
    -------
    tuple of sympy.Expr
        Independent totals with integer weights; empty when there are none.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> S, R, k = State("S", 1.0), State("R", 0.0), Parameter("k", 0.1)
    >>> conserved_totals(Model("two", transfers={(S, R): k * S}))
    (R + S,)
    """
    rows, terms = [], {}
    for state in model.states:
        row = {}
        for term in sp.Add.make_args(sp.expand(model.equations[state])):
            weight, rest = term.as_coeff_Mul(rational=False)
            if weight != 0:
                terms.setdefault(rest, len(terms))
                row[rest] = row.get(rest, 0) + sp.nsimplify(weight, rational=True)
        rows.append(row)
    table = sp.zeros(len(rows), max(len(terms), 1))
    for i, row in enumerate(rows):
        for rest, weight in row.items():
            table[i, terms[rest]] = weight
    totals = []
    for vector in table.T.nullspace():
        scale = sp.ilcm(1, *(sp.Rational(v).q for v in vector))
        total = sum((scale * v * s for v, s in zip(vector, model.states, strict=True)), sp.Integer(0))
        negative = all(v <= 0 for v in vector)
        totals.append(-total if negative else total)
    return tuple(totals)


def _derivatives(model, symbols):
    entries = [[sp.diff(model.equations[s], by) for by in symbols] for s in model.states]
    return sp.Matrix(len(model.states), len(symbols), [e for row in entries for e in row])
