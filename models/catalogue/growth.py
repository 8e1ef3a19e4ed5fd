"""Growth laws of an untreated tumour volume, with the values of one published comparison."""

import sympy as sp

from ..kinetics import logistic
from ..model import Model
from ..symbols import Parameter, State

__all__ = [
    "exponential_growth",
    "gompertz_growth",
    "linear_growth",
    "logistic_growth",
    "power_law_growth",
    "surface_growth",
    "von_bertalanffy_growth",
]

SOURCE = (
    "Murphy, Jaafari & Dobrovolny (2016), BMC Cancer 16, 163, doi:10.1186/s12885-016-2164-x; "
    "values as encoded in BioModels BIOMD0000000671"
)


def exponential_growth() -> Model:
    """Unlimited growth of a tumour volume.

    Equation: ``V' = r V``, so ``V(t) = V0 exp(r t)``.

    Returns
    -------
    Model
        State `V` (mm^3), parameters `r` (1/day) and `V0` (mm^3), observable `burden`; time in days.

    Notes
    -----
    The seven growth laws were fitted to one and the same growth curve [1]_. They agree where there were data, 2575 to
    2677 mm^3 on day 100, and part company on day 200: 30,141 mm^3 (exponential), 13,311 (power law), 12,408 (surface),
    10,167 (von Bertalanffy), 10,146 (linear), 6,387 (logistic), 4,602 (Gompertz). Choose by data, not by habit.
    Add a drug by composing a term for the same state, as in the example.

    References
    ----------
    .. [1] Murphy, Jaafari and Dobrovolny (2016), BMC Cancer 16, 163.

    Examples
    --------
    >>> from remission.models import Input, Model, Parameter, compose
    >>> growth = exponential_growth()
    >>> (V,) = growth.states
    >>> kill, u = Parameter("kill", 0.1, unit="1/day"), Input("u", unit="1")
    >>> compose(growth, Model("kill", rates={V: -kill * u * V})).equations[V]
    -u*kill*V + r*V
    """
    V, r = _volume(), Parameter("r", 0.0246, unit="1/day", plausible=(0.005, 0.5), about="growth rate")
    return Model(
        "exponential_growth",
        rates={V: r * V},
        observables={"burden": V},
        source=SOURCE,
        about="unlimited growth of a tumour volume",
    )


def logistic_growth() -> Model:
    """Growth of a tumour volume that stops at a carrying capacity.

    Equation: ``V' = r V (1 - V/K)``, so ``V(t) = K / (1 + (K/V0 - 1) exp(-r t))``.

    Returns
    -------
    Model
        State `V` (mm^3) within 0 and `K`, parameters `r` (1/day), `K` and `V0` (mm^3), observable `burden`; time in
        days.

    Notes
    -----
    The bounds of `V` hold for a start at or below `K`.

    References
    ----------
    .. [1] Murphy, Jaafari and Dobrovolny (2016), BMC Cancer 16, 163.

    Examples
    --------
    >>> print(logistic_growth().equations)
    {V: r*V*(1 - V/K)}
    """
    r = Parameter("r", 0.0295, unit="1/day", plausible=(0.005, 0.5), about="growth rate far below K")
    K = Parameter("K", 6920.0, unit="mm^3", plausible=(1e3, 1e5), about="carrying capacity")
    V = _volume(bounds=(0, K))
    return Model(
        "logistic_growth",
        rates={V: logistic(V, r, K)},
        observables={"burden": V},
        source=SOURCE,
        about="growth that stops at a carrying capacity",
    )


def gompertz_growth() -> Model:
    """Growth of a tumour volume whose rate falls with the logarithm of its size.

    Equation: ``V' = r V ln(K / (V + c))``. With ``c = 0`` this is the classical law and
    ``V(t) = K exp(ln(V0/K) exp(-r t))``; the published fit has ``c`` above zero, which keeps growth from a few cells
    finite.

    Returns
    -------
    Model
        State `V` (mm^3), parameters `r` (1/day; the paper's a), `K` (the paper's b), `c` and `V0` (mm^3), observable
        `burden`; time in days. Growth stops at `K - c`.

    Notes
    -----
    At ``c = 0`` the rate per cell grows without limit as `V` falls to zero: do not use it below a measurable size.

    References
    ----------
    .. [1] Murphy, Jaafari and Dobrovolny (2016), BMC Cancer 16, 163.

    Examples
    --------
    >>> gompertz_growth().parameters
    (c, K, r, V0)
    """
    r = Parameter("r", 0.0919, unit="1/day", plausible=(0.01, 0.5), about="rate of braking (the paper's a)")
    K = Parameter("K", 15500.0, unit="mm^3", plausible=(1e3, 1e5), about="growth stops at K - c (the paper's b)")
    c = Parameter("c", 10700.0, unit="mm^3", plausible=(0, 5e4), scale="linear", about="offset; 0 is the classical law")
    V = _volume()
    return Model(
        "gompertz_growth",
        rates={V: r * V * sp.log(K / (V + c))},
        observables={"burden": V},
        source=SOURCE,
        about="growth rate falls with the logarithm of size",
    )


def von_bertalanffy_growth() -> Model:
    """Growth of a tumour volume fed through its surface, with loss in proportion to volume.

    Equation: ``V' = a V^(2/3) - b V``, so ``V(t) = (a/b + (V0^(1/3) - a/b) exp(-b t/3))^3``, and
    ``(V0^(1/3) + a t/3)^3`` when ``b`` is zero.

    Returns
    -------
    Model
        State `V` (mm^3), parameters `a` (mm/day), `b` (1/day) and `V0` (mm^3), observable `burden`; time in days.

    Notes
    -----
    The published fit has practically no loss (b = 3.46e-19 per day) [1]_. At exactly zero the rate has no finite
    derivative and the equation has more than one solution, so it has no meaning for a tumour that was eradicated.

    References
    ----------
    .. [1] Murphy, Jaafari and Dobrovolny (2016), BMC Cancer 16, 163.

    Examples
    --------
    >>> print(von_bertalanffy_growth().equations)
    {V: a*V**(2/3) - b*V}
    """
    a = Parameter("a", 0.2344, unit="mm/day", plausible=(0.05, 5), about="growth per surface")
    b = Parameter("b", 3.46e-19, unit="1/day", plausible=(0, 0.5), scale="linear", about="loss per volume")
    V = _volume()
    return Model(
        "von_bertalanffy_growth",
        rates={V: a * V ** sp.Rational(2, 3) - b * V},
        observables={"burden": V},
        source=SOURCE,
        about="growth through the surface, loss by volume",
    )


def power_law_growth() -> Model:
    """Growth of a tumour volume by a power of its size, the law of Mendelsohn.

    Equation: ``V' = r V0 (V/V0)^b``, so ``V(t) = V0 (1 + (1 - b) r t)^(1/(1 - b))``.

    Returns
    -------
    Model
        State `V` (mm^3), parameters `r` (1/day, growth rate at the first measurement), `b` and `V0` (mm^3), observable
        `burden`; time in days.

    Notes
    -----
    The exponent counts the part of the tumour that divides: 1 is the exponential law, 2/3 growth through the surface.
    The paper writes ``a V^b``, which has a unit that depends on b; its a = 0.105 for volumes in mm^3 is
    ``r V0^(1 - b)``. Below ``b = 1`` the rate has no finite derivative at ``V = 0``.

    References
    ----------
    .. [1] Murphy, Jaafari and Dobrovolny (2016), BMC Cancer 16, 163.

    Examples
    --------
    >>> print(power_law_growth().equations)
    {V: V0*r*(V/V0)**b}
    """
    start = 0.105 * 220 ** (0.785 - 1)
    r = Parameter("r", start, unit="1/day", plausible=(0.005, 0.5), about="growth rate at V0: 0.105 V0^(b - 1)")
    b = Parameter("b", 0.785, unit="1", plausible=(0.5, 0.99), scale="linear", about="exponent")
    V = _volume()
    (V0,) = V.info.initial.free_symbols
    return Model(
        "power_law_growth",
        rates={V: r * V0 * (V / V0) ** b},
        observables={"burden": V},
        source=SOURCE,
        about="growth by a power of the volume",
    )


def linear_growth() -> Model:
    """Growth of a tumour volume that is exponential at first and then gains the same volume each day.

    Equation: ``V' = a V/(V + b)``, so ``V + b ln V`` grows by ``a`` a day:
    ``V(t) = b W((V0/b) exp((V0 + a t)/b))`` with Lambert's W.

    Returns
    -------
    Model
        State `V` (mm^3), parameters `a` (mm^3/day), `b` and `V0` (mm^3), observable `burden`; time in days.

    Notes
    -----
    The early growth rate is a/b, 0.031 per day with the published values.

    References
    ----------
    .. [1] Murphy, Jaafari and Dobrovolny (2016), BMC Cancer 16, 163.

    Examples
    --------
    >>> print(linear_growth().equations)
    {V: a*V/(b + V)}
    """
    a = Parameter("a", 132.0, unit="mm^3/day", plausible=(10, 1000), about="gain of a large tumour")
    b = Parameter("b", 4300.0, unit="mm^3", plausible=(100, 1e5), about="volume at which growth turns linear")
    V = _volume()
    return Model(
        "linear_growth",
        rates={V: a * V / (V + b)},
        observables={"burden": V},
        source=SOURCE,
        about="exponential growth that turns linear",
    )


def surface_growth() -> Model:
    """Growth of a tumour volume that is exponential at first and then confined to its surface.

    Equation: ``V' = a V/(V + b)^(1/3)``. The time from ``V0`` to ``V`` is closed, ``a t = F(V) - F(V0)``, with
    ``y = (V + b)^(1/3)``, ``c = b^(1/3)`` and
    ``F = 3 y + c [ln(y - c) - ln(y^2 + c y + c^2)/2 - sqrt(3) arctan((2 y + c)/(sqrt(3) c))]``.

    Returns
    -------
    Model
        State `V` (mm^3), parameters `a` (mm/day), `b` and `V0` (mm^3), observable `burden`; time in days.

    Notes
    -----
    The early growth rate is a/b^(1/3), 0.033 per day with the published values. A large tumour gains ``a V^(2/3)``.

    References
    ----------
    .. [1] Murphy, Jaafari and Dobrovolny (2016), BMC Cancer 16, 163.

    Examples
    --------
    >>> print(surface_growth().equations)
    {V: a*V/(b + V)**(1/3)}
    """
    a = Parameter("a", 0.291, unit="mm/day", plausible=(0.02, 5), about="growth per surface")
    b = Parameter("b", 708.0, unit="mm^3", plausible=(10, 1e4), about="volume at which only the surface grows")
    V = _volume()
    return Model(
        "surface_growth",
        rates={V: a * V / (V + b) ** sp.Rational(1, 3)},
        observables={"burden": V},
        source=SOURCE,
        about="exponential growth that is confined to the surface later",
    )


def _volume(bounds=None):
    V0 = Parameter("V0", 220.0, unit="mm^3", plausible=(20, 2000), about="volume at the first measurement")
    return State("V", V0, unit="mm^3", kind="tumour", scale=1.0, bounds=bounds, about="tumour volume")
