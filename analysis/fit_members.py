"""One subject of a fit: residuals and exact gradients at given parameter values.

A scale factor of a `Scaled` observable is not searched for: at each set of parameters it takes its best value
(variable projection). The Jacobian is the exact derivative of what is left, its own dependence included (Golub and
Pereyra 1973, SIAM J. Numer. Anal. 10, 413; not Kaufman's approximation). The best value is the root of
    F'(b) = sum w N'(g_i) h_i = 0,   g = b m, h = m   or, for log-normal noise,   g = b + log m, h = 1,
which is convex in b; without censored values one Newton step is the closed form. Its derivative by a parameter is
    b' = -sum w (N'' h dg + N' dh) / sum w N'' h^2.
With `by="maximum"` the factor makes the largest model value equal to the largest value seen; its derivative is exact
too.
"""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import RemissionError
from remission.solvers import sample

from .fit_noise import SEEN, Seen, log_likelihood, noise_terms

__all__ = ["Evaluation", "Member", "Target", "evaluate"]

PENALTY = 1e6  # residual of each value of a subject that cannot be simulated: finite, so that a step back is possible
SMALLEST_PART = 1e-12  # of the largest model value: below it a logarithm is not followed further
MOST_NEWTON_STEPS = 60


@dataclass(frozen=True, eq=False)
class Target:
    """What one observable of a subject is compared with: `output` of the model at positions `at` of the times.

    `scaled` is "" (as it is), "fit" (factor of least cost) or "maximum" (factor that matches the largest values).
    """

    observable: str
    output: str
    scaled: str
    log: bool
    at: np.ndarray
    seen: Seen
    part_of: float = 1.0  # residuals are reported in parts of it


@dataclass(frozen=True, eq=False)
class Member:
    """A subject: its problem, the times at which it was looked at, and what was seen."""

    subject: str
    problem: object
    times: np.ndarray
    targets: tuple

    @property
    def n_data(self) -> int:
        """Number of values, censored ones included."""
        return sum(len(target.at) for target in self.targets)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A subject at given parameter values.

    Attributes
    ----------
    residual : (n_data,) array
        Weighted; half its square sum is minus the log-likelihood, constants aside.
    jacobian : (n_data, k) array or None
        Its exact derivative by the wanted parameters, on their natural scale.
    information : (n_data, k) array or None
        Rows whose products sum to the expected Hessian, scale factors eliminated.
    predictions : tuple of (n,) arrays
        On the scale of the noise, one for each target.
    scales : tuple
        Scale factor of each target, None where it has none.
    message : str
        Why it could not be simulated.
    """

    residual: np.ndarray
    jacobian: np.ndarray | None
    information: np.ndarray | None
    predictions: tuple
    scales: tuple
    message: str = ""

    @property
    def cost(self) -> float:
        """Half the sum of squares."""
        return 0.5 * float(self.residual @ self.residual)


def evaluate(member, values, wanted, sigmas, gradient=True) -> Evaluation:
    """Compare a subject's data with its model.

    Parameters
    ----------
    member : Member
    values : dict
        Parameter -> value, all that the fit varies in this subject.
    wanted : tuple of str
        Parameters to differentiate by.
    sigmas : (n_groups,) array
    gradient : bool
        Whether derivatives are computed.

    Returns
    -------
    Evaluation
        A simulation that fails gives finite penalties, zero derivatives, and a message.
    """
    outputs = list(dict.fromkeys(target.output for target in member.targets))
    names = list(wanted) if gradient else []
    try:
        with np.errstate(all="ignore"):
            samples = sample(member.problem.replace(parameters=values), member.times, outputs, names)
    except RemissionError as fault:
        return _failed(member, len(wanted), str(fault))
    if not samples.success:
        return _failed(member, len(wanted), samples.message)
    gradients = samples.gradients if gradient else np.zeros((*samples.values.shape, 0))
    if names == []:
        gradients = np.zeros((*samples.values.shape, 0))
    if not (np.all(np.isfinite(samples.values)) and np.all(np.isfinite(gradients))):
        return _failed(member, len(wanted), "a value or a gradient is not a finite number")
    parts = []
    for target in member.targets:
        column = outputs.index(target.output)
        sigma = sigmas[target.seen.group]
        part = _compare(target, samples.values[target.at, column], gradients[target.at, column], sigma)
        if part is None:
            return _failed(member, len(wanted), f"{target.output} is zero throughout: no scale factor fits")
        parts.append(part)
    stack = [np.concatenate([part[i] for part in parts]) for i in range(3)]
    return Evaluation(
        stack[0],
        stack[1] if gradient else None,
        stack[2] if gradient else None,
        tuple(part[3] for part in parts),
        tuple(part[4] for part in parts),
    )


def likelihood(member, evaluation, sigmas) -> float:
    """Log-likelihood of a subject's data at an evaluation's predictions."""
    pairs = zip(member.targets, evaluation.predictions, strict=True)
    return sum(log_likelihood(target.seen, g, sigmas[target.seen.group]) for target, g in pairs)


def _failed(member, k, message):
    n = member.n_data
    predictions = tuple(np.full(len(target.at), np.nan) for target in member.targets)
    zeros = np.zeros((n, k))
    return Evaluation(np.full(n, PENALTY), zeros, zeros, predictions, (np.nan,) * len(member.targets), message)


def _compare(target, m, dm, sigma):
    """Residual, Jacobian, information, predictions and scale factor of one target; None where no scale fits."""
    seen, scale = target.seen, None
    if target.log:
        floor = SMALLEST_PART * np.max(np.abs(m), initial=1e-300)
        above = m > floor
        m, dm = np.where(above, m, floor), np.where(above[:, None], dm, 0.0)
        base, dbase, h, dh = np.log(m), dm / m[:, None], np.ones(len(m)), np.zeros_like(dm)
    else:
        base, dbase, h, dh = m, dm, m, dm
    if target.scaled:
        b = _best(seen, base, h, sigma, target.log) if target.scaled == "fit" else _by_maximum(seen, m, target.log)
        if b is None:
            return None
        g, dg = (b + base, dbase) if target.log else (b * base, b * dbase)
        scale = float(np.exp(b)) if target.log else float(b)
    else:
        g, dg = base, dbase
    residual, slope, first, second = noise_terms(seen, g, sigma)
    second = np.maximum(second, 0.0)
    w, informed = seen.weight, dg
    if target.scaled == "maximum":
        top = int(np.argmax(m))
        informed = dg = dg - np.outer(h, dm[top] / m[top] * (1.0 if target.log else b))
    elif target.scaled:
        bend = (w * second) @ h**2
        direct = (w * second * h) @ dg
        informed = dg - np.outer(h, direct / bend)
        dg = dg - np.outer(h, (direct + (w * first) @ dh) / bend)
    root = np.sqrt(w)
    jacobian = (root * slope)[:, None] * dg
    return root * residual, jacobian, np.sqrt(w * second)[:, None] * informed, g, scale


def _by_maximum(seen, m, log):
    """Factor (its logarithm when `log`) that makes the largest model value the largest value seen."""
    largest, top = np.max(seen.y[seen.code == SEEN], initial=-np.inf), np.max(m)
    if not (np.isfinite(largest) and top > 0):
        return None
    return float(largest - np.log(top)) if log else float(largest / top)


def _best(seen, base, h, sigma, log):
    """Scale factor (its logarithm when `log`) of least cost; convex, so damped Newton steps find it."""
    here = seen.code == SEEN
    weight = np.where(here, seen.weight / seen.unit_sd**2, 0.0)
    bend = weight @ h**2
    if not (np.isfinite(bend) and bend > 0):
        return None
    b = float((weight * h) @ (seen.y - (base if log else 0.0)) / bend)
    if seen.all_seen:
        return b

    def state(b):
        residual, _, first, second = noise_terms(seen, b + base if log else b * base, sigma)
        return 0.5 * seen.weight @ residual**2, (seen.weight * first) @ h, (seen.weight * second) @ h**2

    cost, push, bend = state(b)
    for _ in range(MOST_NEWTON_STEPS):
        step = -push / bend
        if abs(step) <= 1e-13 * (1.0 + abs(b)):
            break
        new = state(b + step)
        while not new[0] <= cost * (1 + 1e-14) and abs(step) > 1e-14 * (1.0 + abs(b)):
            step /= 2
            new = state(b + step)
        b, (cost, push, bend) = b + step, new
    return b
