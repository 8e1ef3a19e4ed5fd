"""Thresholds of the other models: clones, critical missegregation by three definitions, N*, the latest operation."""

from dataclasses import dataclass

__all__ = ["Missegregation", "clone_doses", "latest_surgery", "missegregation", "operated", "threshold_sizes"]

KAP_R = 0.1  # kill of resistant cells at full dose in the example of `clonal_relapse`; the default is none
LADDER = {"n": 8, "normal": 2}
P_RANGE = (1e-4, 0.3)
MEASURED = (2.5e-4, 1e-2)  # per chromosome and division, cancer cell lines
CUT = 0.999  # part of the primary tumour that an operation takes
DAYS = (60.0, 300.0)  # of the operation, counted from a thousand cells
PACLITAXEL = 18.5 / 46  # missegregations per division under paclitaxel, over the chromosomes of a human cell


@dataclass(frozen=True, eq=False)
class Missegregation:
    """Critical missegregation rates by what is meant.

    Attributes
    ----------
    relapse : Threshold
        (a) half of the tumours relapse after withdrawal.
    ladder : Threshold
        (b) growth of a ladder of chromosome copies under therapy vanishes.
    clones : tuple of Threshold
        (c) net growth of S and of A before withdrawal vanishes: error thresholds.
    """

    relapse: object
    ladder: object
    clones: tuple


def missegregation() -> Missegregation:
    """Critical missegregation by its three definitions.

    Returns
    -------
    Missegregation
    """
    from remission.analysis import relapse_probability, thresholds
    from remission.models import karyotype_ladder, oncogene_withdrawal
    from remission.solvers import Problem

    from .instability import protocol

    kind = "critical missegregation"
    half = thresholds(protocol(), of="p_on", within=(1e-3, 1e-2), kinds=kind, outcome=relapse_probability(), level=0.5)
    ladder = Problem(karyotype_ladder(**LADDER)).at_constant(u=1.0)
    unstable = Problem(oncogene_withdrawal()).at_constant(u=0.0, cin=1.0)
    clones = thresholds(unstable, of="p_on", within=P_RANGE, kinds=kind)
    return Missegregation(half[0], thresholds(ladder, of="beta", within=P_RANGE, kinds=kind)[0], tuple(clones))


def clone_doses() -> dict:
    """Doses at which each clone changes from growing to shrinking.

    Returns
    -------
    dict of str -> Thresholds
        By model.
    """
    from remission.analysis import thresholds
    from remission.models import clonal_relapse, oncogene_withdrawal
    from remission.solvers import Problem

    kinds = ("curative dose", "clone dose")
    two = Problem(clonal_relapse(), parameters={"kap_R": KAP_R})
    return {
        "clonal_relapse": thresholds(two, of="u", kinds=kinds),
        "oncogene_withdrawal": thresholds(Problem(oncogene_withdrawal()), of="u", kinds=kinds),
    }


def threshold_sizes():
    """Tumour size at which rescue by resistance has probability 1 - 1/e.

    Returns
    -------
    Thresholds
    """
    from remission.analysis import thresholds
    from remission.models import rescue_by_aneuploidy
    from remission.solvers import Problem

    return thresholds(Problem(rescue_by_aneuploidy()), kinds="threshold size")


def operated(options):
    """Two sites: the primary is cut out on `day`, and lasting chemotherapy starts then.

    Parameters
    ----------
    options : dict
        Of the chapter.

    Returns
    -------
    Problem
    """
    from remission.models import Parameter, metastasis
    from remission.solvers import Problem, Treatment

    model = metastasis()
    day = Parameter("day", 90.0, unit="day", scale="linear", about="day of the operation")
    treatment = Treatment.surgery({"T1": CUT}, at=day) + Treatment.constant({"e": options["dose"]}, start=day)
    return Problem(model, (0, 400), treatment=treatment)


def latest_surgery(options):
    """Last day of an operation, followed by lasting chemotherapy, after which the tumour does not come back.

    Parameters
    ----------
    options : dict

    Returns
    -------
    Threshold or None
        None where every day is early or late enough.
    """
    from remission.analysis import thresholds

    found = thresholds(operated(options), of="day", within=DAYS, kinds="latest surgery")
    return found[-1] if len(found) else None
