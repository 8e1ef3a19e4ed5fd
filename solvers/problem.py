"""Problem: a model with numbers; frozen, changed by `replace`."""

from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType

import numpy as np
import sympy as sp

from remission.models import Model, State
from remission.models.errors import ModelError, ProblemError, did_you_mean, refuse_unknown_keywords

from .grid import Grid
from .numbers import by_name, check_tolerances, parameter_values, time_span, tolerances
from .space.start import is_profile, letters_of_profiles
from .system import System, make_system
from .treatment import Treatment, unknown_target

__all__ = ["Problem"]


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """A model with parameter values, initial state, time span, treatment and tolerances.

    Parameters
    ----------
    model : Model
    t_span : (float, float)
        First and last time, in the model's unit.
    parameters : dict
        Name (or Parameter) -> value, for those that differ from their default. The attribute `parameters` then
        lists all of them, those of the treatment and of the initial values included.
    initial : dict
        State (or its name) -> number or expression in Parameters, where it differs from the default. On a grid also
        an expression in the position x (and y), an array of the grid's shape, or a function of the positions.
    treatment : Treatment
    grid : Grid
    rtol : float
        Relative tolerance.
    atol : float or dict, optional
        Absolute tolerance, one or per state. By default, where states have `cells_per_unit`, 1e-3 cell or `rtol`
        times the smallest clone at the start, whichever is less; else `rtol` times the state's declared scale,
        its initial value, or 1.
    extinction_gate : bool
        Set a tumour state to zero when it falls below one cell. Off by default; needs `cells_per_unit`.

    Raises
    ------
    ProblemError
        If a name is unknown, a value is not finite, or the treatment does not fit the model.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> daily = Problem(sensitive_resistant(), t_span=(0, 900), treatment=Treatment.constant({"u": 1}))
    >>> daily.replace(parameters={"turnover": 0.3}).parameters["turnover"]
    0.3
    """

    model: Model
    t_span: tuple = (0.0, 365.0)
    parameters: dict = field(default_factory=dict)
    initial: dict = field(default_factory=dict)
    treatment: Treatment = field(default_factory=Treatment)
    grid: Grid = field(default_factory=Grid)
    rtol: float = 1e-6
    atol: float | dict | None = None
    extinction_gate: bool = False

    def __post_init__(self):
        own = object.__setattr__
        _check_types(model=self.model, treatment=self.treatment, grid=self.grid)
        own(self, "t_span", time_span(self))
        own(self, "initial", MappingProxyType(_initial(self)))
        own(self, "profiles", MappingProxyType({k: v for k, v in self.initial.items() if is_profile(v)}))
        given = parameter_values(self.model, by_name(self.parameters))
        _check_targets(self)
        table = {s.name: s.info.value for s in self.system.parameter_symbols}
        for name in given:
            if name not in table:
                raise _no_parameter(self.model, name, table)
        own(self, "parameters", MappingProxyType(table | given))
        own(self, "_given", given)
        # What follows from the treatment alone, kept by `make_schedule` and `itinerary` where no Parameter enters it.
        own(self, "_kept", None if self.treatment.parameters() else {})
        check_tolerances(self)

    def __reduce__(self):
        return Problem, (
            self.model, self.t_span, dict(self.parameters), dict(self.initial), self.treatment, self.grid, self.rtol,
            self.atol, self.extinction_gate,
        )  # fmt: skip

    def __repr__(self):
        return f"<Problem {self.model.name}, t from {self.t_span[0]:g} to {self.t_span[1]:g}: {self.treatment}>"

    @cached_property
    def system(self) -> System:
        """The compiled right-hand side and its derivatives."""
        local = {k: v for k, v in self.initial.items() if k not in self.profiles}
        used = tuple(sorted(letters_of_profiles(self.profiles), key=str))  # parameters of the problem too
        return make_system(self.model, tuple(sorted(local.items())), (*self.treatment.expressions(), *used))

    @cached_property
    def p(self) -> list:
        """Parameter values in the order of `system.parameters`."""
        return [self.parameters[name] for name in self.system.parameters]

    def replace(self, **changes) -> "Problem":
        """A changed copy. `parameters` and `initial` change the names they give and keep the others.

        Parameters
        ----------
        **changes
            Any argument of `Problem`.

        Returns
        -------
        Problem

        Raises
        ------
        ProblemError
            If a name is not an argument of `Problem`.

        Examples
        --------
        >>> from remission.models import sensitive_resistant
        >>> Problem(sensitive_resistant()).replace(t_span=(0, 10)).t_span
        (0.0, 10.0)
        """
        if changes.keys() == {"parameters"}:
            return self._with_numbers(changes["parameters"])
        names = [f.name for f in fields(self)]
        for name in changes:
            if name not in names:
                raise ProblemError(f"Problem.replace() has no {name!r}; {did_you_mean(name, names)}")
        parts = {name: getattr(self, name) for name in names} | changes
        _check_types(**{name: parts[name] for name in ("model", "treatment", "grid")})
        parts["parameters"] = dict(self._given) | by_name(changes.get("parameters", {}))
        parts["initial"] = dict(self.initial) | by_name(changes.get("initial", {}))
        if "parameters" not in changes and ("model" in changes or "treatment" in changes or "initial" in changes):
            known = _known_parameters(parts["model"], parts["treatment"], parts["initial"])
            parts["parameters"] = {k: v for k, v in parts["parameters"].items() if k in known}
        return Problem(**parts)

    def _with_numbers(self, parameters):
        """The same problem at other parameter values, which shares all that does not depend on them."""
        given = parameter_values(self.model, by_name(parameters))
        for name in given:
            if name not in self.parameters:
                raise _no_parameter(self.model, name, self.parameters)
        other = object.__new__(Problem)
        other.__dict__.update(self.__dict__)
        other.__dict__.pop("p", None)
        object.__setattr__(other, "parameters", MappingProxyType(dict(self.parameters) | given))
        object.__setattr__(other, "_given", self._given | given)
        return other

    def initial_values(self) -> dict:
        """Initial value of each state, by name."""
        return dict(zip(self.system.states, self.system.y0(self.p).tolist(), strict=True))

    def at_constant(self, **levels) -> "Problem":
        """The same problem with inputs held constant, such as `problem.at_constant(u=1.0)`.

        Parameters
        ----------
        **levels
            Input -> level; inputs not named keep their default.

        Returns
        -------
        Problem

        Raises
        ------
        ProblemError
            If a name is not an input.

        Examples
        --------
        >>> from remission.models import sensitive_resistant
        >>> Problem(sensitive_resistant()).at_constant(u=0.5).inputs()
        {'u': 0.5}
        """
        return self.replace(treatment=Treatment.constant(levels) if levels else Treatment.none())

    def inputs(self) -> dict:
        """Constant level of each input; a `ProblemError` if the treatment changes in time."""
        if not _is_constant(self.treatment):
            offer = ", ".join(f"{s.name}=..." for s in self.model.inputs)
            raise ProblemError(
                f"{self.model.name}: the treatment changes in time ({self.treatment}); this needs constant inputs: "
                f"use problem.at_constant({offer})"
            )
        levels = {s.name: s.info.default for s in self.model.inputs}
        values = dict(zip(self.system.parameter_symbols, self.p, strict=True))
        for name in {w.target for w in self.treatment.windows}:
            own = [w.level for w in self.treatment.windows if w.target == name]
            levels[name] = float(sum(e.subs({s: values[s] for s in e.free_symbols}) for e in own))
        return levels

    def tolerances(self, rtol=None, atol=None) -> tuple:
        """Tolerances as numbers.

        Parameters
        ----------
        rtol, atol : optional
            Used instead of the problem's own.

        Returns
        -------
        (float, (n,) array)
            Relative tolerance, and absolute tolerance per state.
        """
        return tolerances(self, rtol, atol)


def _check_types(**given):
    for name, kind in (("model", Model), ("treatment", Treatment), ("grid", Grid)):
        value = given[name]
        if not isinstance(value, kind):
            raise ProblemError(f"Problem: {name} must be a {kind.__name__}, got {value!r}")


def _initial(problem):
    found = {}
    for name, value in by_name(problem.initial).items():
        try:
            symbol = problem.model.symbol(name)
        except ModelError as fault:
            raise ProblemError(f"initial: {fault}") from None
        if not isinstance(symbol, State):
            raise ProblemError(f"initial: {name!r} is not a state of {problem.model.name}")
        if is_profile(value):
            if not problem.grid.spatial:
                raise ProblemError(f"initial: {name} differs from place to place, and the grid has one cell")
            found[name] = value if isinstance(value, sp.Basic) or callable(value) else np.array(value, dtype=float)
            continue
        expression = sp.sympify(value)
        if not isinstance(expression, sp.Expr) or expression.has(sp.nan, sp.oo, -sp.oo, sp.zoo):
            raise ProblemError(f"initial: {name} must be a finite number or an expression, got {value!r}")
        found[name] = expression
    return found


def _no_parameter(model, name, known):
    return ProblemError(f"{model.name} has no parameter named {name!r}; {did_you_mean(name, known)}")


def _known_parameters(model, treatment, initial):
    symbols = [*model.parameters, *treatment.parameters()]
    profiles = {k: v for k, v in initial.items() if is_profile(v)}
    symbols += list(letters_of_profiles(profiles))
    for name in initial.keys() - profiles.keys():
        symbols += list(sp.sympify(initial[name]).free_symbols)
    return {s.name for s in symbols}


def _check_targets(problem):
    """Refuse treatments that name what the model does not have."""
    model, states, inputs = problem.model, problem.model.states, problem.model.inputs
    state_names, input_names = [s.name for s in states], [s.name for s in inputs]
    for window in problem.treatment.windows:
        names, what = (state_names, "states") if window.into_state else (input_names, "inputs")
        if window.target not in names:
            hint = " (a state: use bolus or infusion)" if window.target in state_names else ""
            raise unknown_target(window.target, names, f"{model.name}{hint}, among its {what},")
    for jump in problem.treatment.jumps:
        if jump.target not in state_names:
            raise unknown_target(jump.target, state_names, f"{model.name}, among its states,")
    for rule in problem.treatment.rules:
        for name, _ in (level for mode in rule.levels for level in mode):
            if name not in input_names:
                raise unknown_target(name, input_names, f"{model.name}, among its inputs,")
        watched = [*state_names, *model.observables]
        if rule.of not in watched:
            raise unknown_target(rule.of, watched, f"{model.name}, among states and observables,")
    if problem.extinction_gate:
        bare = [s.name for s in states if s.info.kind == "tumour" and not s.info.cells_per_unit]
        if bare:
            raise ProblemError(f"{model.name}: the extinction gate needs cells_per_unit of {', '.join(bare)}")


def _is_constant(treatment):
    always = all(w.start == -sp.oo and w.end == sp.oo and not w.into_state for w in treatment.windows)
    return always and not treatment.jumps and not treatment.rules
