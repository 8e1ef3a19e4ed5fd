"""Size of treated tumours in patients: the models behind tumour growth inhibition metrics."""

from ..model import Model
from ..symbols import Input, State
from .declare import parameters

__all__ = ["claret", "ribba"]


def claret() -> Model:
    """Tumour size under a drug whose effect fades: shrinkage, nadir, regrowth.

    Equations, sum of longest diameters `y`, kill per exposure `KD`, exposure `E`::

        y'  = KL y - KD E y
        KD' = -lam KD

    At constant exposure ``y = y0 exp(KL t - (KD0 E/lam) (1 - exp(-lam t)))``, with its nadir at
    ``ln(KD0 E/KL)/lam`` if ``KD0 E > KL``.

    Returns
    -------
    Model
        States `y` (mm) and `KD` (1/(g week)); input `E` (daily dose, g); parameters `KL` (growth, 1/week), `KD0` (kill
        at the start, 1/(g week)), `lam` (fading of the kill, 1/week), `y0` (mm); observable `burden`; time in weeks.

    Notes
    -----
    **Main result.** Regrowth comes from resistance that only time makes: at exposures of 1, 2 and 3 g the nadir is at
    week 3.29, 16.37 and 24.02, at 198.7, 163.2 and 119.6 mm from 200. The size at week 7 relative to the start predicts
    survival in the paper.

    **The clock of resistance** starts with the run, whether drug is given or not (the paper writes
    ``KD(t) = KD0 exp(-lam t)``): start the run when treatment starts.

    **Units.** Weeks, and grams of daily dose as exposure, follow a public teaching program for the same paper. The
    public model file (BioModels MODEL1708310001), the source of the values, gives none and rescales time by 86400
    inside its dosing rules: take the equation, not its schedule. These are the values of capecitabine; that program has
    KL = 0.015, KD0 = 0.058, lam = 0.042 for fluorouracil. Ranges are ours.

    References
    ----------
    .. [1] Claret et al. (2009), Journal of Clinical Oncology 27, 4103-4108, doi:10.1200/JCO.2008.21.0807.

    Examples
    --------
    >>> print(claret().equations)
    {y: -E*KD*y + KL*y, KD: -lam*KD}
    """
    k = parameters(
        {
            "KL": (0.021, "1/week", (0.005, 0.1), "growth rate"),
            "KD0": (0.025, "1/(g week)", (0.005, 0.2), "kill per exposure at the start"),
            "lam": (0.053, "1/week", (0.01, 0.3), "rate at which the kill fades"),
            "y0": (200.0, "mm", (20, 400), "size at the start"),
        }
    )
    y = State("y", k["y0"], "mm", "tumour", about="sum of longest diameters", scale=10)
    KD = State("KD", k["KD0"], "1/(g week)", "other", about="kill per exposure", bounds=(0, k["KD0"]), scale=0.01)
    E = Input("E", unit="g", about="exposure: daily dose")
    return Model(
        "claret",
        rates={y: k["KL"] * y - KD * E * y, KD: -k["lam"] * KD},
        observables={"burden": y},
        time_unit="week",
        source="Claret et al. (2009), Journal of Clinical Oncology 27, 4103-4108, doi:10.1200/JCO.2008.21.0807",
        about="tumour size under a drug whose effect fades: growth, shrinkage, regrowth",
    )


def ribba() -> Model:
    """Low-grade glioma that goes on shrinking long after chemotherapy: damage shows when a cell leaves rest.

    Equations, proliferating `P`, quiescent `Q` and damaged quiescent `Qp` tissue, drug `C`, ``P* = P + Q + Qp``::

        P'  = lambda_P P (1 - P*/K) + k_QpP Qp - k_PQ P - gamma C KDE P
        Q'  = k_PQ P - gamma C KDE Q
        Qp' = gamma C KDE Q - k_QpP Qp - delta_Qp Qp
        C'  = -KDE C

    Returns
    -------
    Model
        States `P`, `Q`, `Qp` (mm of mean diameter) and `C` (doses); parameters `lambda_P`, `k_PQ`, `k_QpP`,
        `delta_Qp`, `KDE` (1/month), `gamma` (kill per dose), `K`, `P0`, `Q0` (mm); observable `burden` (P*); time in
        months.

    Notes
    -----
    **Main result.** Six doses, one every month and a half, shrink 48.3 mm to 35.24 mm in month 27.1, twenty months
    after the last dose, with a hundredth of the drug left. Damaged tissue `Qp` dies slowly (`delta_Qp`) and meanwhile
    hides the regrowth of `P`. Response and relapse run at the same time.

    **Corrected.** The public model file (BioModels BIOMD0000000521) writes Q' with `k_PQ` alone; the factor `P`, used
    here, belongs there: `P` loses ``k_PQ P``, the units ask for it, and another public program of this paper has it.

    **Units.** Months and millimetres of mean tumour diameter are not stated where the values were read; they fit a
    tumour of 48 mm followed for years and are assumed. The drug is virtual: `C` counts doses (1 for a course of PCV),
    and the file starts with C = 1; here a dose is given with ``Treatment.bolus({"C": 1})``. Ranges are ours.

    References
    ----------
    .. [1] Ribba et al. (2012), Clinical Cancer Research 18, 5071, PMID 22761472.

    Examples
    --------
    >>> ribba().states
    (P, Q, Qp, C)
    """
    k = _ribba_parameters()
    P = State("P", k["P0"], "mm", "tumour", about="proliferating tissue", scale=1)
    Q = State("Q", k["Q0"], "mm", "tumour", about="quiescent tissue", scale=1)
    Qp = State("Qp", 0.0, "mm", "tumour", about="damaged quiescent tissue", scale=1)
    C = State("C", 0.0, "1", "drug", about="drug in doses", scale=1)
    total = P + Q + Qp
    kill = k["gamma"] * C * k["KDE"]
    return Model(
        "ribba",
        rates={
            P: k["lambda_P"] * P * (1 - total / k["K"]) - kill * P,
            Q: 0,
            Qp: -k["delta_Qp"] * Qp,
            C: -k["KDE"] * C,
        },
        transfers={(P, Q): k["k_PQ"] * P, (Q, Qp): kill * Q, (Qp, P): k["k_QpP"] * Qp},
        observables={"burden": total},
        time_unit="month",
        source="Ribba et al. (2012), Clinical Cancer Research 18, 5071, PMID 22761472",
        about="low-grade glioma: damaged quiescent tissue makes the response outlast the drug",
    )


def _ribba_parameters():
    return parameters(
        {
            "lambda_P": (0.121, "1/month", (0.03, 0.4), "growth rate of proliferating tissue"),
            "k_PQ": (0.00295, "1/month", (0.001, 0.1), "rate at which it comes to rest"),
            "k_QpP": (0.0031, "1/month", (0.001, 0.1), "return of damaged tissue to proliferation"),
            "delta_Qp": (0.0087, "1/month", (0.003, 0.1), "death of damaged tissue"),
            "gamma": (0.729, "1", (0.1, 3), "damage by one dose"),
            "KDE": (0.24, "1/month", (0.05, 1), "loss of drug"),
            "K": (100.0, "mm", (80, 150), "largest tumour"),
            "P0": (7.13, "mm", (1, 20), "proliferating tissue at the start"),
            "Q0": (41.2, "mm", (10, 60), "quiescent tissue at the start"),
        }
    )
