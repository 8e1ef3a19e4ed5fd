"""What a body does to a drug: modules that are composed with a tumour model.

A dose is an amount and goes into a state by a `Treatment`; the concentration is an observable. To let a
concentration drive a tumour model, join the two and bind the model's input:

    pk = bolus_1cpt()
    C50 = Parameter("C50", 2.0, unit="mg/L")
    treated = compose(pk, tumour).bind({"u": hill(pk.observables["C"], 1, C50)})
"""

from ..errors import ModelError, refuse_unknown_keywords
from ..kinetics import hill
from ..model import Model
from ..symbols import Parameter, State

__all__ = ["bolus_1cpt", "kpd", "oral_1cpt", "two_cpt"]

TEXTBOOK = "standard linear compartment model; Gabrielsson & Weiner, Pharmacokinetic and Pharmacodynamic Data Analysis"


@refuse_unknown_keywords
def bolus_1cpt(drug="") -> Model:
    """One compartment with linear elimination, for doses into the blood.

    Equation: ``central' = -(CL/V_c) central``; ``C = central / V_c``. After a dose D at 0 the concentration is
    ``(D/V_c) exp(-(CL/V_c) t)``.

    Parameters
    ----------
    drug : str
        Added to every name (`central_paclitaxel`), so that two drugs can be composed; nothing is added by default.

    Returns
    -------
    Model
        State `central` (mg, kind drug) into which doses go, parameters `CL` (L/day) and `V_c` (L), observable `C`
        (mg/L); time in days. All values are assumed: enter those of your drug.

    Raises
    ------
    ModelError
        If `drug` cannot be part of a name.

    Examples
    --------
    >>> from remission.models import Parameter, compose, sensitive_resistant
    >>> from remission.models.kinetics import hill
    >>> pk, C50 = bolus_1cpt(), Parameter("C50", 2.0, unit="mg/L")
    >>> treated = compose(pk, sensitive_resistant()).bind({"u": hill(pk.observables["C"], 1, C50)})
    >>> treated.inputs, treated.states
    ((), (central, S, R))
    """
    name = _namer(drug)
    central, CL, V_c = _central(name)
    return Model(
        name("bolus_1cpt"),
        rates={central: -CL / V_c * central},
        observables={name("C"): central / V_c},
        source=TEXTBOOK,
        about="drug given into the blood, one compartment",
    )


@refuse_unknown_keywords
def oral_1cpt(drug="") -> Model:
    """One compartment with first-order absorption, for doses by mouth.

    Equations: ``gut' = -k_a gut``; ``central' = F_oral k_a gut - (CL/V_c) central``; ``C = central / V_c``. After a
    dose D at 0, with k = CL/V_c, ``C = F_oral D k_a / (V_c (k_a - k)) (exp(-k t) - exp(-k_a t))``.

    Parameters
    ----------
    drug : str
        Added to every name, so that two drugs can be composed; nothing is added by default.

    Returns
    -------
    Model
        States `gut` (doses go here) and `central` (mg, kind drug), parameters `k_a` (1/day), `F_oral`, `CL` (L/day)
        and `V_c` (L), observable `C` (mg/L); time in days. All values are assumed.

    Raises
    ------
    ModelError
        If `drug` cannot be part of a name.

    Notes
    -----
    From concentrations after oral doses alone only `CL/F_oral`, `V_c/F_oral` and `k_a` can be learned, and `k_a`
    and `CL/V_c` can change places (flip-flop).

    Examples
    --------
    >>> oral_1cpt().states, oral_1cpt("erlotinib").states
    ((gut, central), (gut_erlotinib, central_erlotinib))
    """
    name = _namer(drug)
    central, CL, V_c = _central(name)
    k_a = Parameter(name("k_a"), 24.0, unit="1/day", plausible=(2, 100), about="absorption rate [assumed]")
    F_oral = Parameter(
        name("F_oral"), 1.0, unit="1", plausible=(0.05, 1), about="part of the dose absorbed [assumed complete]"
    )
    gut = State(name("gut"), 0.0, unit="mg", kind="drug", scale=1.0, about="drug still to be absorbed")
    return Model(
        name("oral_1cpt"),
        rates={gut: 0, central: -CL / V_c * central},
        transfers={(gut, central, F_oral): k_a * gut},
        observables={name("C"): central / V_c},
        source=TEXTBOOK,
        about="drug given by mouth, one compartment",
    )


@refuse_unknown_keywords
def two_cpt(drug="") -> Model:
    """Blood and tissue with exchange, for doses into the blood.

    Equations: ``central' = -(CL/V_c) central - (Q/V_c) central + (Q/V_p) peripheral``;
    ``peripheral' = (Q/V_c) central - (Q/V_p) peripheral``; ``C = central / V_c``. After a dose the concentration is a
    sum of two exponentials.

    Parameters
    ----------
    drug : str
        Added to every name, so that two drugs can be composed; nothing is added by default.

    Returns
    -------
    Model
        States `central` (doses go here) and `peripheral` (mg, kind drug), parameters `CL`, `Q` (L/day), `V_c`, `V_p`
        (L), observables `C` and `C_peripheral` (mg/L); time in days. All values are assumed.

    Raises
    ------
    ModelError
        If `drug` cannot be part of a name.

    Examples
    --------
    >>> two_cpt().parameters
    (CL, Q, V_c, V_p)
    """
    name = _namer(drug)
    central, CL, V_c = _central(name)
    Q = Parameter(name("Q"), 30.0, unit="L/day", plausible=(1, 1000), about="flow between blood and tissue [assumed]")
    V_p = Parameter(name("V_p"), 30.0, unit="L", plausible=(1, 1000), about="volume of the tissue [assumed]")
    peripheral = State(name("peripheral"), 0.0, unit="mg", kind="drug", scale=1.0, about="drug in tissue")
    return Model(
        name("two_cpt"),
        rates={central: -CL / V_c * central},
        transfers={(central, peripheral): Q / V_c * central, (peripheral, central): Q / V_p * peripheral},
        observables={name("C"): central / V_c, name("C_peripheral"): peripheral / V_p},
        source=TEXTBOOK,
        about="drug given into the blood, exchange with tissue",
    )


@refuse_unknown_keywords
def kpd(drug="") -> Model:
    """Effect of doses without any concentration measured (K-PD).

    Equations: ``biophase' = -KDE biophase``; ``dose_rate = KDE biophase``;
    ``effect = dose_rate / (EDK50 + dose_rate)``. After a dose D at 0 the rate is ``D KDE exp(-KDE t)``.

    Parameters
    ----------
    drug : str
        Added to every name, so that two drugs can be composed; nothing is added by default.

    Returns
    -------
    Model
        State `biophase` (mg, kind drug) into which doses go, parameters `KDE` (1/day) and `EDK50` (mg/day),
        observables `dose_rate` (mg/day) and `effect` (between 0 and 1); time in days. All values are assumed.

    Raises
    ------
    ModelError
        If `drug` cannot be part of a name.

    References
    ----------
    .. [1] Jacqmin et al. (2007), Journal of Pharmacokinetics and Pharmacodynamics 34, 57-85.

    Examples
    --------
    >>> from remission.models import compose, sensitive_resistant
    >>> module = kpd()
    >>> compose(module, sensitive_resistant()).bind({"u": module.observables["effect"]}).inputs
    ()
    """
    name = _namer(drug)
    KDE = Parameter(name("KDE"), 0.5, unit="1/day", plausible=(0.01, 10), about="loss from the biophase [assumed]")
    EDK50 = Parameter(name("EDK50"), 10.0, unit="mg/day", plausible=(0.1, 1e3), about="half-effect rate [assumed]")
    biophase = State(name("biophase"), 0.0, unit="mg", kind="drug", scale=1.0, about="drug at its site of action")
    rate = KDE * biophase
    return Model(
        name("kpd"),
        rates={biophase: -rate},
        observables={name("dose_rate"): rate, name("effect"): hill(rate, 1, EDK50)},
        source="Jacqmin et al. (2007), J. Pharmacokinet. Pharmacodyn. 34, 57-85, doi:10.1007/s10928-006-9035-z",
        about="doses to effect without a measured concentration",
    )


def _namer(drug):
    if drug and not (isinstance(drug, str) and f"x_{drug}".isidentifier()):
        raise ModelError(f"drug {drug!r} cannot be part of a name: give letters, digits and underscores")
    return lambda name: f"{name}_{drug}" if drug else name


def _central(name):
    CL = Parameter(name("CL"), 20.0, unit="L/day", plausible=(1, 1000), about="clearance [assumed]")
    V_c = Parameter(name("V_c"), 20.0, unit="L", plausible=(1, 1000), about="volume of the blood compartment [assumed]")
    central = State(name("central"), 0.0, unit="mg", kind="drug", scale=1.0, about="drug in blood")
    return central, CL, V_c
