"""The doses that keep a tumour bearable because sensitive cells go on holding resistant ones down."""

from ..model import Model
from ..symbols import Input, State
from .declare import parameters

__all__ = ["dose_window"]


def dose_window() -> Model:
    """Enough drug to make the tumour bearable, not so much that resistant cells are let loose: bistable.

    Equations, sensitive `S` and resistant `R` cells, death by drug `delta`::

        S' = r S (1 - (S + R)/K) - delta S
        R' = r R (1 - (c S + R)/K)

    Returns
    -------
    Model
        States `S`, `R` (in the unit of `K`); input `delta` (1/day); parameters `r` (1/day), `c` (how much more a
        sensitive cell holds a resistant one down), `K`, `K_tol` (bearable burden), `S0`, `R0`; observables `burden`,
        `tolerable_fraction` (burden/K_tol), `resistant_fraction`; time in days.

    Notes
    -----
    **Main result.** Sensitive cells alone, at K (1 - delta/r), are stable as long as ``delta < r (1 - 1/c)``
    (0.013333), resistant cells alone, at K, for every ``delta > 0``: which one wins depends on the start. That tumour
    is bearable if ``delta > r (1 - K_tol/K)`` (0.01): between the two lies the window of doses. At delta = 0.005 all
    of the starts (800, 190), (200, 200), (450, 500) end at S = 750; at 0.012 only the first is held, at S = 400; at
    0.014 all end at R = 1000.

    **Reconstruction.** The values and the starts are in the legend of figure 2 [1]_; the equations are ours, rebuilt
    from what the legend says of the three cases, which they reproduce. The legend gives no unit of time; the day is
    assumed. `c` = 1 would be plain competition without a window. Ranges are ours.

    **Bounds** 0 to `K` hold for a start inside.

    References
    ----------
    .. [1] Effective dose window for containing tumor burden under tolerable level (2023), npj Systems Biology and
       Applications, doi:10.1038/s41540-023-00279-4, figure 2.

    Examples
    --------
    >>> model = dose_window()
    >>> model.inputs, list(model.observables)
    ((delta,), ['burden', 'tolerable_fraction', 'resistant_fraction'])
    """
    k = parameters(
        {
            "r": (0.02, "1/day", (0.005, 0.1), "growth rate"),
            "c": (3.0, "1", (1.1, 10), "how much a sensitive cell holds a resistant one down"),
            "K": (1000.0, "1", (700, 2000), "carrying capacity"),
            "K_tol": (500.0, "1", (200, 650), "bearable burden"),
            "S0": (450.0, "1", (1, 600), "sensitive cells at the start"),
            "R0": (50.0, "1", (1e-3, 100), "resistant cells at the start [assumed]"),
        }
    )
    seen = {"unit": "1", "kind": "tumour", "scale": 1e-3, "bounds": (0, k["K"])}
    S = State("S", k["S0"], about="sensitive cells", **seen)
    R = State("R", k["R0"], about="resistant cells", **seen)
    delta = Input("delta", unit="1/day", about="death of sensitive cells by the drug")
    return Model(
        "dose_window",
        rates={
            S: k["r"] * S * (1 - (S + R) / k["K"]) - delta * S,
            R: k["r"] * R * (1 - (k["c"] * S + R) / k["K"]),
        },
        observables={"burden": S + R, "tolerable_fraction": (S + R) / k["K_tol"], "resistant_fraction": R / (S + R)},
        source=(
            "Effective dose window for containing tumor burden under tolerable level (2023), npj Systems Biology and "
            "Applications, doi:10.1038/s41540-023-00279-4 (values; equations rebuilt here)"
        ),
        about="doses that keep a tumour bearable: sensitive cells hold resistant ones down",
    )
