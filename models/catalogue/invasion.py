"""Cells that divide and migrate: the front that invades tissue."""

from ..model import Model
from ..symbols import Parameter, State, grad

__all__ = ["bistable_invasion", "glioma_invasion"]


def glioma_invasion() -> Model:
    """Growth to a carrying capacity and random migration: the Fisher-KPP equation as a model of glioma.

    Equation: ``c_t = D c_xx + rho c (1 - c)``.

    Returns
    -------
    Model
        State `c` (cells / carrying capacity), parameters `rho` (1/day), `D` (mm^2/day) and `c0`, flux `-D grad(c)`,
        observable `burden`; time in days, length in mm.

    Notes
    -----
    **Main result.** The rim of the tumour moves at ``2 sqrt(D rho)``, 0.0790 mm/day with these values, whatever
    happens behind it. Its width is of the order of ``sqrt(D/rho)``, 3.3 mm, so that much of a diffuse tumour is below
    what imaging sees. It takes long to settle: between t1 and t2 the speed is
    ``2 sqrt(D rho) - 1.5 sqrt(D/rho) ln(t2/t1)/(t2 - t1)``. A patch narrower than ``pi sqrt(D/rho)``, 10.3 mm, between
    walls where cells are lost dies out.
    `remission.analysis.waves` has these formulas.

    **Homogeneous states.** ``c = 0``, unstable (eigenvalue rho), and ``c = 1``, stable (-rho). On a grid of one cell
    this is logistic growth.

    **Warnings.** One isotropic `D`, no difference between grey and white matter, no cell loss. The values are those of
    one fit of untreated high-grade glioma as read in the comment of a public program: 0.0013 cm^2/day is
    0.13 mm^2/day (x 100, not x 10).

    References
    ----------
    .. [1] Swanson, Alvord and Murray (2000), Cell Proliferation 33, 317-329.
    .. [2] Fisher (1937), Annals of Eugenics 7, 355-369.
    .. [3] Bramson (1983), Memoirs of the American Mathematical Society 285.

    Examples
    --------
    >>> model = glioma_invasion()
    >>> print(model)
    glioma_invasion (time in day)
      dc/dt = rho*c*(1 - c)
      flux of c = -D*grad(c)
      burden = c
      source: Swanson, Alvord & Murray (2000), Cell Proliferation 33, 317-329; values from a public program
    """
    D = Parameter("D", 0.13, unit="mm^2/day", plausible=(1e-3, 1), about="migration: 0.0013 cm^2/day")
    rho = Parameter("rho", 0.012, unit="1/day", plausible=(1e-3, 0.1), about="net growth")
    c0 = Parameter("c0", 0.01, unit="1", plausible=(1e-6, 1), about="density at the start [assumed]")
    c = State("c", c0, unit="1", kind="tumour", scale=1.0, bounds=(0, 1), about="cells / carrying capacity")
    return Model(
        "glioma_invasion",
        rates={c: rho * c * (1 - c)},
        fluxes={c: -D * grad(c)},
        observables={"burden": c},
        source="Swanson, Alvord & Murray (2000), Cell Proliferation 33, 317-329; values from a public program",
        about="growth and migration: the front of a glioma",
    )


def bistable_invasion() -> Model:
    """A tumour that needs company to grow: its front advances or retreats with the threshold.

    Equation: ``c_t = D c_xx + k c (1 - c) (c - a)``.

    Returns
    -------
    Model
        State `c` (cells / carrying capacity), parameters `k` (1/day), `a`, `D` (mm^2/day) and `c0`, flux
        `-D grad(c)`, observable `burden`; time in days, length in mm.

    Notes
    -----
    **Main result.** The front has one speed, ``sqrt(D k/2) (1 - 2 a)``, and one shape,
    ``c = 1/(1 + exp(x sqrt(k/(2 D))))``: below a = 1/2 the tumour invades, above it retreats although c = 1 is
    stable where it is. At a = 1/2 it stalls.

    **Homogeneous states.** ``c = 0`` (eigenvalue -k a) and ``c = 1`` (-k (1 - a)) are stable, ``c = a`` is the
    threshold (k a (1 - a)).

    **Warnings.** The values are a test case of numerical methods, not of a tumour. A seed narrower than the front
    vanishes even above the threshold.

    References
    ----------
    .. [1] Fife and McLeod (1977), Archive for Rational Mechanics and Analysis 65, 335-361.

    Examples
    --------
    >>> bistable_invasion().parameters
    (a, c0, D, k)
    """
    D = Parameter("D", 0.01, unit="mm^2/day", plausible=(1e-4, 1), about="migration [assumed]")
    k = Parameter("k", 1.0, unit="1/day", plausible=(0.01, 10), about="rate of growth and loss [assumed]")
    a = Parameter("a", 0.3, unit="1", plausible=(0.01, 0.99), scale="linear", about="threshold density [assumed]")
    c0 = Parameter("c0", 0.5, unit="1", plausible=(1e-6, 1), about="density at the start [assumed]")
    c = State("c", c0, unit="1", kind="tumour", scale=1.0, bounds=(0, 1), about="cells / carrying capacity")
    return Model(
        "bistable_invasion",
        rates={c: k * c * (1 - c) * (c - a)},
        fluxes={c: -D * grad(c)},
        observables={"burden": c},
        source="Nagumo equation: Fife & McLeod (1977), Arch Ration Mech Anal 65, 335-361, doi:10.1007/BF00250432",
        about="a front that invades or retreats with its threshold density",
    )
