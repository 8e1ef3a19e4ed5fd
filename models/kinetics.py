"""Rate laws as expressions: pieces of right-hand sides that keep their units.

Every function takes symbols, numbers or sympy expressions and returns a sympy expression; nothing is evaluated.
A ratio is always formed first (`x / half`), so that a declared unit cancels where it must.
"""

import math

import sympy as sp

from .errors import ModelError, refuse_unknown_keywords

__all__ = ["competitive_inhibition", "gompertz", "hill", "logistic", "mass_action", "michaelis_menten"]


@refuse_unknown_keywords
def logistic(N, r, K, total=None, n=1) -> sp.Expr:
    """Growth that stops at a carrying capacity: `r N (1 - (total / K)**n)`.

    Parameters
    ----------
    N : sympy expression
        The population that grows.
    r : sympy expression
        Growth rate far below `K`, per unit of time.
    K : sympy expression
        Carrying capacity, in the unit of `total`.
    total : sympy expression, optional
        What crowds: the sum of all clones that share the space; `N` alone if not given.
    n : sympy expression
        Shape, dimensionless: 1 is the logistic law, large values brake late (Richards).

    Returns
    -------
    sympy.Expr
        In the unit of `N` per unit of time; zero where `total` is 0 and `N` is 0, or where `total` is `K`.

    Raises
    ------
    ModelError
        If an argument is text or not an expression.

    Examples
    --------
    >>> from remission.models import Parameter, State
    >>> S, R = State("S", 0.5), State("R", 0.1)
    >>> r, K = Parameter("r", 0.1), Parameter("K", 1.0)
    >>> logistic(S, r, K, total=S + R)
    r*S*(1 - (R + S)/K)
    """
    N, r, K, n = _expressions("logistic", N=N, r=r, K=K, n=n)
    total = N if total is None else _expressions("logistic", total=total)[0]
    return r * N * (1 - (total / K) ** n)


@refuse_unknown_keywords
def gompertz(N, r, K, total=None) -> sp.Expr:
    """Growth whose rate falls with the logarithm of size: `r N ln(K / total)`.

    The rate per cell has no upper limit as the tumour gets small, so the law is not for a few cells; at zero it is
    not defined.

    Parameters
    ----------
    N : sympy expression
        The population that grows.
    r : sympy expression
        Rate of braking, per unit of time: the distance to `ln K` shrinks as `exp(-r t)`.
    K : sympy expression
        Size at which growth stops, in the unit of `total`.
    total : sympy expression, optional
        What crowds; `N` alone if not given.

    Returns
    -------
    sympy.Expr
        In the unit of `N` per unit of time.

    Raises
    ------
    ModelError
        If an argument is text or not an expression.

    Examples
    --------
    >>> from remission.models import Parameter, State
    >>> gompertz(State("V", 50.0), Parameter("r", 0.1), Parameter("K", 1e4))
    r*V*log(K/V)
    """
    N, r, K = _expressions("gompertz", N=N, r=r, K=K)
    total = N if total is None else _expressions("gompertz", total=total)[0]
    return r * N * sp.log(K / total)


@refuse_unknown_keywords
def hill(x, n, half=1) -> sp.Expr:
    """Saturating response `(x/half)**n / (1 + (x/half)**n)`, from 0 at `x = 0` to 1.

    Parameters
    ----------
    x : sympy expression
        Dose, concentration or signal.
    n : sympy expression
        Hill exponent, dimensionless, above 0; larger is more switch-like.
    half : sympy expression
        Value of `x` with half the effect, in the unit of `x`.

    Returns
    -------
    sympy.Expr
        Dimensionless.

    Raises
    ------
    ModelError
        If an argument is text or not an expression, or a number given for `n` or `half` is not above 0.

    Examples
    --------
    >>> from remission.models import State
    >>> hill(State("P", 0.0), 2)
    P**2/(P**2 + 1)
    """
    x, n, half = _expressions("hill", x=x, n=n, half=half)
    _positive("hill", n=n, half=half)
    ratio = (x / half) ** n
    return ratio / (1 + ratio)


@refuse_unknown_keywords
def michaelis_menten(x, vmax, km) -> sp.Expr:
    """Saturating rate `vmax x / (km + x)`.

    Parameters
    ----------
    x : sympy expression
        Amount or concentration.
    vmax : sympy expression
        Largest rate.
    km : sympy expression
        Value of `x` at half of `vmax`, in the unit of `x`.

    Returns
    -------
    sympy.Expr
        In the unit of `vmax`; about `vmax x / km` for small `x`.

    Raises
    ------
    ModelError
        If an argument is text or not an expression, or a number given for `km` is not above 0.

    Examples
    --------
    >>> from remission.models import Parameter, State
    >>> michaelis_menten(State("C", 0.0), Parameter("vmax", 2.0), Parameter("km", 0.5))
    vmax*C/(km + C)
    """
    x, vmax, km = _expressions("michaelis_menten", x=x, vmax=vmax, km=km)
    _positive("michaelis_menten", km=km)
    return vmax * x / (km + x)


def mass_action(k, *reactants) -> sp.Expr:
    """Rate of an encounter: `k` times the product of the reactants.

    Parameters
    ----------
    k : sympy expression
        Rate constant; its unit makes the product a rate.
    *reactants : sympy expression
        One for each partner; give a partner twice for its square.

    Returns
    -------
    sympy.Expr

    Raises
    ------
    ModelError
        If there is no reactant, or an argument is text or not an expression.

    Examples
    --------
    >>> from remission.models import Parameter, State
    >>> E, T = State("E", 1.0), State("T", 1.0)
    >>> mass_action(Parameter("k", 1e-7), E, T)
    k*E*T
    """
    if not reactants:
        raise ModelError("mass_action: give at least one reactant after the rate constant")
    parts = _expressions("mass_action", k=k, **{f"reactant {i + 1}": r for i, r in enumerate(reactants)})
    return math.prod(parts[1:], start=parts[0])


@refuse_unknown_keywords
def competitive_inhibition(x, inhibitor, half=1, half_inhibitor=1) -> sp.Expr:
    """Occupancy of a receptor by a ligand that an inhibitor competes with: `x / (half (1 + i/k_i) + x)`.

    Parameters
    ----------
    x : sympy expression
        Ligand.
    inhibitor : sympy expression
        Inhibitor `i`.
    half : sympy expression
        Ligand for half occupancy without inhibitor, in the unit of `x`.
    half_inhibitor : sympy expression
        `k_i`, the inhibitor that doubles the ligand needed, in the unit of `inhibitor`.

    Returns
    -------
    sympy.Expr
        Dimensionless, between 0 and 1; enough ligand overcomes any inhibitor.

    Raises
    ------
    ModelError
        If an argument is text or not an expression, or a number given for a half-value is not above 0.

    Examples
    --------
    >>> from remission.models import Input, State
    >>> competitive_inhibition(State("X", 0.0), Input("B"))
    X/(B + X + 1)
    """
    x, inhibitor, half, half_inhibitor = _expressions(
        "competitive_inhibition", x=x, inhibitor=inhibitor, half=half, half_inhibitor=half_inhibitor
    )
    _positive("competitive_inhibition", half=half, half_inhibitor=half_inhibitor)
    return x / (half * (1 + inhibitor / half_inhibitor) + x)


def _expressions(law, **arguments):
    """The arguments as sympy expressions; text is refused, because sympy would read S, E or N as its own objects."""
    found = []
    for name, value in arguments.items():
        try:
            expression = None if isinstance(value, str) else sp.sympify(value)
        except sp.SympifyError:
            expression = None
        if not isinstance(expression, sp.Expr):
            raise ModelError(f"{law}: {name} must be a symbol, a number or an expression, got {value!r}")
        found.append(expression)
    return found


def _positive(law, **arguments):
    for name, value in arguments.items():
        if value.is_number and not value > 0:
            raise ModelError(f"{law}: {name} must be above 0, got {value}")
