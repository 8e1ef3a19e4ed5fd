"""Problems in files: saved where they are declared, loaded and solved where sympy would take longer than the answer.

A file holds names, units, the generated source of all functions, numbers, and the kernels as text in LLVM's language,
which names no processor: it is compiled where it is loaded and kept in the cache there.
"""

import functools
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .grid import Grid
from .numbers import by_name, check_tolerances, parameter_values, time_span, tolerances
from .saved_file import read_lines, write_lines
from .saved_parts import NeedsEquationsError, pack, unpack

__all__ = ["SavedProblem", "is_problem", "load_problem", "save_problem"]

CHANGEABLE = ("parameters", "t_span", "rtol", "atol")
VECTORS = (4, 8)  # parameters a vector in kernels with sensitivities: which one is asked for depends on the processor


@dataclass(frozen=True, eq=False, repr=False)
class SavedProblem:
    """A problem out of a file: `solve` and `sample` take it like a declared one and give the same numbers.

    Made by `load_problem`. Its equations and its treatment are fixed; their parameters, the time span and the
    tolerances can be changed by `replace`.

    Attributes
    ----------
    model, system, treatment
        Names, meanings and functions, without symbols.
    t_span : (float, float)
    parameters : dict
        Name -> value, of model, treatment and initial values.
    rtol : float
    atol : float, dict or None
    extinction_gate : bool
    grid : Grid

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment, load_problem, sample, save_problem
    >>> daily = Problem(sensitive_resistant(), t_span=(0, 900), treatment=Treatment.constant({"u": 1}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "daily.remission")
    ...     save_problem(daily, file)
    ...     loaded = load_problem(file)
    >>> loaded
    <Problem sensitive_resistant, t from 0 to 900: u = 1 always (saved)>
    >>> slower = loaded.replace(parameters={"r": 0.02})
    >>> sample(slower, [0, 900], ["R"]).values.round(4).tolist()
    [[0.005], [0.7496]]
    """

    model: object
    system: object
    treatment: object
    t_span: tuple
    parameters: dict
    rtol: float
    atol: object
    extinction_gate: bool
    grid: Grid = field(default_factory=Grid)

    def __post_init__(self):
        own = object.__setattr__
        own(self, "t_span", time_span(self))
        known, given = self.system.parameters, parameter_values(self.model, by_name(self.parameters))
        for name in given:
            if name not in known:
                raise ProblemError(f"{self.model.name} has no parameter named {name!r}; {did_you_mean(name, known)}")
        own(self, "parameters", MappingProxyType(given))
        own(self, "_kept", {} if self.treatment.fixed else None)  # as in `Problem`
        check_tolerances(self)

    def __reduce__(self):
        changes = {name: getattr(self, name) for name in CHANGEABLE} | {"parameters": dict(self.parameters)}
        return _changed, (self.model.content, changes)

    def __getattr__(self, what):
        if what in ("initial", "inputs", "at_constant"):
            raise NeedsEquationsError(self.model.name)
        raise AttributeError(f"a saved problem has no {what!r}")

    def __repr__(self):
        return f"<Problem {self.model.name}, t from {self.t_span[0]:g} to {self.t_span[1]:g}: {self.treatment} (saved)>"

    @functools.cached_property
    def p(self) -> list:
        """Parameter values in the order of `system.parameters`."""
        return [self.parameters[name] for name in self.system.parameters]

    def replace(self, **changes) -> "SavedProblem":
        """A changed copy; `parameters` changes the names it gives and keeps the others.

        Parameters
        ----------
        **changes
            `parameters`, `t_span`, `rtol`, `atol`.

        Returns
        -------
        SavedProblem

        Raises
        ------
        ProblemError
            If something else is named, or a value does not fit.
        """
        for name in changes:
            if name not in CHANGEABLE:
                raise ProblemError(
                    f"{self.model.name} came from a file, where {name!r} is fixed: change it in the declared problem "
                    f"and save that again; here {', '.join(CHANGEABLE)} can be changed (a dose, a time or an initial "
                    "value can too, if it is declared as a Parameter)"
                )
        merged = dict(self.parameters) | by_name(changes.get("parameters", {}))
        other = replace(self, **(changes | {"parameters": merged}))
        if changes.keys() == {"parameters"}:
            object.__setattr__(other, "_kept", self._kept)
        return other

    def initial_values(self) -> dict:
        """Initial value of each state, by name."""
        return dict(zip(self.system.states, self.system.y0(self.p).tolist(), strict=True))

    def tolerances(self, rtol=None, atol=None) -> tuple:
        """Relative tolerance, and absolute tolerance per state, shape (n,).

        Parameters
        ----------
        rtol, atol : optional
            Used instead of the problem's own.
        """
        return tolerances(self, rtol, atol)


@refuse_unknown_keywords
def save_problem(problem, file, *, sensitivities=()):
    """Write a problem to a file that `load_problem` reads without sympy.

    Parameters
    ----------
    problem : Problem
        With any treatment; doses, times and initial values that are parameters can be changed after loading.
    file : str or path
        An existing file is replaced.
    sensitivities : list of str or "all"
        Parameters whose derivatives the loaded problem is to carry in compiled code, in the order in which they will
        be asked for. Without it, derivatives come from SciPy's methods.

    Raises
    ------
    ProblemError
        If it is not a declared problem, or a name is unknown.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, load_problem, save_problem, solve
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "untreated.remission")
    ...     save_problem(Problem(sensitive_resistant(), t_span=(0, 100)), file)
    ...     solution = solve(load_problem(file))
    >>> float(solution["burden"][-1].round(4))
    0.7036
    """
    from .kernels.build import emitted
    from .solve import parameter_columns

    if isinstance(problem, SavedProblem) or not is_problem(problem):
        what = "came from a file: copy the file" if isinstance(problem, SavedProblem) else f"is {problem!r}"
        raise ProblemError(f"save_problem: the first argument must be a declared Problem; this {what}")
    columns = parameter_columns(problem, list(sensitivities) if not isinstance(sensitivities, str) else sensitivities)
    wanted, reason = _wanted_kernels(problem, columns)
    texts = [{"text": emitted(problem.model, options)} for options in wanted]
    listed = {"kernels": [asdict(options) for options in wanted], "unsupported": reason, "call": _call()}
    write_lines(file, [pack(problem) | listed, *texts])


@refuse_unknown_keywords
def load_problem(file) -> SavedProblem:
    """Read a problem that `save_problem` wrote; needs neither sympy nor SciPy.

    A file holds code that runs when the problem is solved: load files that you or people you trust have made.

    Parameters
    ----------
    file : str or path

    Returns
    -------
    SavedProblem
        `solve` and `sample` take it; the first call compiles its kernel, unless the cache has it.

    Raises
    ------
    ProblemError
        If the file is something else, damaged, or from a newer version.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from remission.models import exponential_growth
    >>> from remission.solvers import Problem, load_problem, sample, save_problem
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "growth.remission")
    ...     save_problem(Problem(exponential_growth(), t_span=(0, 10)), file)
    ...     growth = load_problem(file)
    >>> sorted(growth.parameters)
    ['V0', 'r']
    """
    path = Path(os.fspath(file))
    return from_content(path.read_bytes(), str(path))


def is_problem(value) -> bool:
    """Whether something can be solved: a declared problem, or one out of a file."""
    if isinstance(value, SavedProblem):
        return True
    from .problem import Problem

    return isinstance(value, Problem)


def from_content(content, name="the saved problem") -> SavedProblem:
    """A problem from the content of its file."""
    import json

    head, (first, *lines), (_, *digests) = read_lines(content, name)
    plain = json.loads(first)
    kernels, reason = {}, plain["unsupported"]
    if plain["call"] != _call():
        reason = f"{name} was saved by remission {head['written_by']}, whose compiled calls differ: save it again"
    elif not reason:
        options = [_options(o) for o in plain["kernels"]]
        kernels = dict(zip(options, zip(digests, lines, strict=True), strict=True))
    model, system, treatment = unpack(plain, kernels, reason, content)
    return SavedProblem(
        model, system, treatment, plain["t_span"], plain["values"], plain["rtol"], plain["atol"],
        plain["extinction_gate"],
    )  # fmt: skip


def _changed(content, changes):
    return from_content(content).replace(**changes)


def _wanted_kernels(problem, columns):
    """Options of every kernel that `solve` and `sample` may ask for; or none, and why."""
    from .kernels.single import compiled_sample, reason_not

    if reason := reason_not(problem):
        return [], f"when the file was written: {reason}"
    from .kernels.build import asked_by
    from .kernels.drive import CompiledLoop
    from .kernels.tables import METHODS
    from .methods import COMPILED
    from .moving import Moving

    end, names = np.array([problem.t_span[1]]), problem.system.states
    wanted = {}
    for carried in ((), columns) if columns else ((),):
        methods = [m for m in COMPILED if not (carried and METHODS[m].explicit)]  # which carry no sensitivities
        calls = [functools.partial(CompiledLoop, Moving(problem, carried), method) for method in methods]
        if not (problem.treatment.rules or problem.extinction_gate):
            calls.append(functools.partial(compiled_sample, problem, end, names, carried))
        for call in calls:
            options = replace(asked_by(call).portable(), seeds=None if carried else (), controlled=bool(carried))
            wanted |= dict.fromkeys([replace(options, width=w) for w in VECTORS] if carried else [options])
    return list(wanted), ""


def _options(plain):
    """Options of a kernel as `kernels.build` has them: JSON knows lists only."""
    from .kernels.build import Options

    return Options(**{k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()})


def _call():
    """What caller and kernel must agree on; a file whose kernels expect something else is solved by SciPy."""
    from .kernels.record import FIELDS, STATUS

    return {"fields": list(FIELDS), "status": list(STATUS)}
