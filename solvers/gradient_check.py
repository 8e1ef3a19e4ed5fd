"""check_gradient: forward sensitivities against differences of whole solutions."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import refuse_unknown_keywords

from .solve import parameter_columns, solve

__all__ = ["GradientCheck", "check_gradient"]


@dataclass(frozen=True)
class GradientCheck:
    """Largest disagreement between sensitivities and differences.

    Attributes
    ----------
    worst : float
        Largest difference, relative to the largest entry of each gradient over time (or, where the gradient
        vanishes, to an elasticity of 1e-4).
    errors : dict
        (output, parameter) -> that difference.
    tolerance : float
    """

    worst: float
    errors: dict
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether all gradients agree within the tolerance."""
        return self.worst <= self.tolerance

    def __str__(self):
        name, parameter = max(self.errors, key=self.errors.get)
        verdict = "agree" if self.ok else "DISAGREE"
        return f"gradients {verdict}: worst {self.worst:.2g} (d {name} / d {parameter}), tolerance {self.tolerance:g}"


@refuse_unknown_keywords
def check_gradient(problem, *, outputs=None, vary=None, t_eval=None, method=None, step=1e-4, tolerance=1e-5):
    """Compare forward sensitivities with fourth-order central differences of solutions at tight tolerance.

    Parameters
    ----------
    problem : Problem
    outputs : list of str, optional
        States and observables; all states if not given.
    vary : list of str, optional
        Parameters; all if not given.
    t_eval : array_like, optional
        Times compared; 23 times off the doses if not given. Near a switch whose time depends on a parameter a
        difference is not a derivative: choose times that stay on one side of it.
    method : str, optional
        Integration method.
    step : float
        Step of the differences, relative to the parameter (absolute where it is zero).
    tolerance : float
        Disagreement that still counts as agreement.

    Returns
    -------
    GradientCheck

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, check_gradient
    >>> check_gradient(Problem(sensitive_resistant(), t_span=(0, 50)), vary=["n0", "turnover"]).ok
    True
    """
    names = [problem.system.parameters[c] for c in parameter_columns(problem, vary or "all")]
    outputs = list(problem.system.states) if outputs is None else list(outputs)
    first, last = problem.t_span
    times = np.linspace(first, last, 25)[1:-1] + 0.00237 * (last - first) / 25 if t_eval is None else np.asarray(t_eval)
    tight = {"method": method, "t_eval": times, "rtol": min(problem.rtol, 1e-10), "atol": _tight_atol(problem)}
    exact = solve(problem, sensitivities=names, **tight).require()
    errors = {}
    for name in names:
        value = problem.parameters[name]
        h = step * abs(value) if value else step
        shifted = [solve(problem.replace(parameters={name: value + c * h}), **tight).require() for c in (-2, -1, 1, 2)]
        for output in outputs:
            a, b, c, d = (s[output] for s in shifted)
            difference = (a - 8 * b + 8 * c - d) / (12 * h)
            gradient = exact.sensitivity(output, name)
            least = 1e-4 * np.max(np.abs(exact[output])) / (abs(value) or 1.0)  # where the true gradient is zero
            size = max(np.max(np.abs(difference)), least, 1e-300)
            errors[output, name] = float(np.max(np.abs(gradient - difference)) / size)
    return GradientCheck(max(errors.values()), errors, tolerance)


def _tight_atol(problem):
    _, atol = problem.tolerances()
    return dict(zip(problem.system.states, 1e-4 * atol, strict=True))
