"""Thresholds of the inflammatory loop: doses, blockade, size of the tumour, length of the blockade."""

import functools
import math

from .inflammation import SETTLED, treated
from .one_at_a_time import one_at_a_time
from .quasi_steady import balance_of, clearing_blocker, clearing_dose, curative_dose

__all__ = ["thresholds"]


def thresholds(options, progress) -> tuple:
    """Curative dose, clearing doses, critical blockade, threshold size, shortest blockade; and what they hang on.

    Parameters
    ----------
    options : dict
    progress : bool

    Returns
    -------
    dict, tuple of Swing
        The dict holds `curative`, `clearing` (blocker -> dose and size), `blockade` (blocker and size), `size` and
        `course` (days and residual; NaN where no course is needed or none is long enough).
    """
    from tqdm import tqdm

    problem = treated(options["dose"], 0.0)

    def answers(parameters):
        balance = balance_of(problem.replace(parameters=parameters))
        return (
            curative_dose(balance),
            clearing_dose(balance, options["blocker"])[0],
            clearing_blocker(balance, options["dose"])[0],
        )

    balance = balance_of(problem)
    found = {
        "curative": curative_dose(balance),
        "clearing": {B: clearing_dose(balance, B) for B in options["blockers"]},
        "blockade": clearing_blocker(balance, options["dose"]),
        "size": _threshold_size(options),
        "course": _shortest_course(options),
    }
    bar = functools.partial(tqdm, desc="assumed rates", disable=None if progress else True, leave=False)
    return found, one_at_a_time(answers, problem.model, ("T0",), bar)


def _grows_back(problem, **parameters):
    """Whether the tumour is there for good: larger at the end than the unstable state of the last treatment."""
    from remission.solvers import sample

    end = problem.t_span[1]
    values = sample(problem.replace(parameters=parameters), [end - 50, end], ["T"]).values[:, 0]
    return bool(values[1] > 1 and values[1] > 0.9 * values[0])


def _halved(question, low, high, steps=40):
    """Where the answer to a question changes between two values."""
    below, above = question(low), question(high)
    if below == above:
        return math.nan
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if question(middle) == below else (low, middle)
    return (low + high) / 2


def _threshold_size(options):
    """Smallest initial tumour that lasts under chemotherapy alone; NaN where the answer is the same for all sizes."""
    problem = treated(options["dose"], 0.0, t_end=SETTLED)
    return _halved(lambda size: _grows_back(problem, T0=size), 1e-3, options["start"])


def _shortest_course(options):
    """(days, residual tumour) of the shortest course of full blockade beside lasting chemotherapy that clears."""
    from remission.models import Parameter
    from remission.solvers import Treatment, sample

    days = Parameter("course", 30.0, unit="day", about="length of the blockade")
    treatment = Treatment.constant({"e": options["dose"]}) + Treatment.constant(
        {"B": options["full_blocker"]}, end=days
    )
    problem = treated(0, 0, t_end=SETTLED, start=options["start"], treatment=treatment)
    shortest = _halved(lambda length: _grows_back(problem, course=length), 1.0, SETTLED / 2)
    if math.isnan(shortest):
        return math.nan, math.nan
    residual = sample(problem.replace(parameters={"course": shortest}), [shortest], ["T"]).values[0, 0]
    return shortest, float(residual)
