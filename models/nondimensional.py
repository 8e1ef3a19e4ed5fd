"""ScaledModel form of a model: states and time in units of the model's own parameters, and the groups that remain."""

import itertools
from dataclasses import dataclass

import sympy as sp

from .dimensions import dimension_of
from .errors import ModelError, did_you_mean, refuse_unknown_keywords
from .model import Model, _zero_numerically
from .symbols import Input, Lineage, Parameter, State, t
from .units import parse_unit

__all__ = ["ScaledModel", "nondimensionalise"]

NUMBER = parse_unit("1")


@dataclass(frozen=True, eq=False)
class ScaledModel:
    """A model in scaled form and how to get there: a state is its scale times the scaled state.

    Attributes
    ----------
    model : Model
        The scaled model; its time and all its symbols are plain numbers. The names are those of the original.
    groups : dict
        Name of a scaled parameter or input -> expression in the original symbols; only what enters an equation.
    initial_groups : dict
        The same for parameters that enter the initial values alone.
    time_scale : sympy.Expr
        Original time that is one unit of scaled time.
    state_scales : dict
        Name of a state -> expression in the original parameters; 1 for a state that had no unit.
    original : Model
        The model that was scaled.
    """

    model: Model
    groups: dict
    initial_groups: dict
    time_scale: sp.Expr
    state_scales: dict
    original: Model

    def value(self, name) -> float:
        """Number of a group at the default values of the original model, inputs included.

        Parameters
        ----------
        name : str
            A key of `groups` or `initial_groups`.

        Returns
        -------
        float

        Raises
        ------
        ModelError
            If there is no group of that name.
        """
        known = self.groups | self.initial_groups
        if name not in known:
            raise ModelError(f"{self.model.name} has no group {name!r}; {did_you_mean(name, known)}")
        return _number(known[name])

    def __str__(self):
        lines = [f"{self.original.name} in scaled form"]
        if self.time_scale != 1:
            unit = self.original.time_unit
            lines.append(f"  time in units of {self.time_scale} = {_number(self.time_scale):.6g} {unit}")
        for state in self.original.states:
            scale = self.state_scales[state.name]
            if scale != 1:
                lines.append(f"  {state} in units of {scale} = {_number(scale):.6g} ({state.info.unit})")
        for title, groups in (("group", self.groups), ("start", self.initial_groups)):
            lines += [f"  {title} {name} = {e} = {_number(e):.6g}" for name, e in groups.items()]
        lines += [f"  d{s}/dt = {e}" for s, e in self.model.equations.items()]
        return "\n".join(lines)


@refuse_unknown_keywords
def nondimensionalise(model, scales=None) -> ScaledModel:
    """The model without units: states in units of their scales, time in units of one, parameters as groups.

    Every symbol gets the dimension of its declared unit; what is not declared counts as dimensionless. The time scale
    and one scale for each dimension of the states are the repeating quantities of Buckingham's theorem, completed by
    further parameters while a dimension is left over. A parameter becomes the group that is the parameter times those
    powers of repeating quantities that remove its dimension; one parameter of each scale is solved for and
    disappears. That every scale cancels from every equation is then checked by algebra.

    Parameters
    ----------
    model : Model
        Well-mixed, with declared units.
    scales : dict, optional
        State (or its name) or `t` -> expression in parameters, such as `{T: K, t: 1 / r}`. Without it time is scaled
        by the first parameter that is a rate (or a time, or by the ratio of two parameters), a state by the first
        parameter of its dimension, else by one of its own unit; first in the order of `model.parameters`.

    Returns
    -------
    ScaledModel
        The scaled model, the groups, the scales; prints as a table.

    Raises
    ------
    ModelError
        If a scale is not an expression in parameters, has the wrong dimension or cannot be solved for, if no time
        scale is found, or if an equation keeps a scale: a unit is then missing, and the equation is named.

    References
    ----------
    .. [1] Buckingham (1914), Physical Review 4, 345-376.

    Examples
    --------
    >>> from remission.models import logistic_growth, paracrine_loop, t
    >>> print(nondimensionalise(logistic_growth()))
    logistic_growth in scaled form
      time in units of 1/r = 33.8983 day
      V in units of K = 6920 (mm^3)
      start V0 = V0/K = 0.0317919
      dV/dt = V*(1 - V)
    >>> loop = paracrine_loop()
    >>> T, r, K = (loop.symbol(name) for name in ("T", "r", "K"))
    >>> scaled = nondimensionalise(loop, scales={T: K, t: 1 / r})
    >>> scaled.groups["kap"], scaled.groups["T_X"], round(scaled.value("gX"), 3)
    (kap/r, T_X/K, 9.6)
    """
    if model.fluxes:
        raise ModelError(f"{model.name}: only models without fluxes are scaled; use model.replace(fluxes={{}})")
    given = _given_scales(model, scales or {})
    time_scale = given.pop(t, None)
    time_scale = _time_scale(model) if time_scale is None else time_scale
    state_scales = {s: given[s] if s in given else _state_scale(model, s, time_scale) for s in model.states}
    basis = _basis(model, time_scale, state_scales)
    return _Scaling(model, basis, time_scale, state_scales).result()


def _given_scales(model, scales):
    """The user's scales by state and `t`, each checked for symbols and dimension."""
    found = {}
    for key, value in scales.items():
        if key == t or key == "t":
            place, unit, text = t, parse_unit(model.time_unit), "time"
        else:
            place = model.symbol(key)
            if not isinstance(place, State):
                raise ModelError(f"{model.name}: scales are for states and t, but {place} is no state")
            unit, text = _unit(place), f"state {place}"
        value = model.symbol(value) if isinstance(value, str) else sp.sympify(value)
        wrong = [s for s in value.free_symbols if s not in model.parameters]
        if wrong or value == 0:
            raise ModelError(f"{model.name}: the scale of {text}, {value}, must hold parameters only and not be 0")
        dimension = dimension_of(value, model.time_unit) if value.free_symbols else None
        declared = place == t or place.info.unit
        if declared and dimension is not None and not dimension.same_dimension(unit):
            raise ModelError(
                f"{model.name}: the scale of {text} must have the dimension {unit.dimension_text()}, "
                f"but that of {value} is {dimension.dimension_text()}"
            )
        found[place] = value
    return found


def _unit(symbol):
    return parse_unit(symbol.info.unit) if symbol.info.unit else NUMBER


def _usable(model, unit):
    """Parameters of a dimension that are not zero by default, in the order of the model."""
    return [p for p in model.parameters if _unit(p).same_dimension(unit) and p.info.value != 0]


def _time_scale(model):
    """One over the first rate, else the first time, else the first ratio of two parameters that is a time."""
    time = parse_unit(model.time_unit)
    if time.dimensionless:
        return sp.Integer(1)
    for p in _usable(model, NUMBER / time):
        return 1 / p
    for p in _usable(model, time):
        return p
    for p, q in itertools.permutations(model.parameters, 2):
        if (_unit(p) / _unit(q)).same_dimension(time) and p.info.value and q.info.value:
            return p / q
    raise ModelError(f"{model.name}: no parameter has the unit 1/{model.time_unit}; give scales={{t: ...}}")


def _state_scale(model, state, time_scale):
    """The first parameter of the state's dimension, or of its rate of change times the time scale, else one unit."""
    unit = _unit(state)
    if unit.dimensionless:
        return sp.Integer(1)
    for p in _usable(model, unit):
        return p
    for p in _usable(model, unit / parse_unit(model.time_unit)):
        return p * time_scale
    return sp.Integer(1)


@dataclass(frozen=True)
class _Repeating:
    """A stand-in with a dimension of its own, and the scale that it stands for."""

    stand_in: sp.Symbol
    dimension: tuple
    scale: sp.Expr


def _basis(model, time_scale, state_scales):
    """Repeating quantities: scales of independent dimension, then parameters until every dimension can be written."""
    wanted = [(time_scale, parse_unit(model.time_unit).dimension)]
    wanted += [(scale, _unit(state).dimension) for state, scale in state_scales.items()]
    wanted += [(p, _unit(p).dimension) for p in model.parameters if p.info.value != 0]
    basis = []
    for scale, dimension in wanted:
        if sp.Matrix([b.dimension for b in basis] + [dimension]).rank() > len(basis):
            basis.append(_Repeating(sp.Symbol(f"scale_{len(basis)}", positive=True), dimension, scale))
    return basis


class _Scaling:
    """The substitution that scales a model, and what it leaves of each part."""

    def __init__(self, model, basis, time_scale, state_scales):
        self.model, self.basis = model, basis
        self.names = {s.name for s in (*model.states, *model.parameters, *model.inputs)}
        self.one = {b.stand_in: sp.Integer(1) for b in basis}
        self.originals, self.swap = {}, {}
        pivots = _pivots(model, basis)
        for symbol in (*model.parameters, *model.inputs):
            if symbol not in pivots:
                powers = self._powers(_unit(symbol), str(symbol))
                self.originals[symbol.name] = symbol / self._written_out(powers)
                self.swap[symbol] = self._scaled_symbol(symbol) * powers
        for _ in pivots:  # a pivot may be written in other pivots
            pivots = {p: e.xreplace(pivots) for p, e in pivots.items()}
        self.swap |= {p: e.xreplace(self.swap) for p, e in pivots.items()}
        self.time_scale, self.state_scales = time_scale, state_scales
        in_basis = {b.dimension: b for b in reversed(basis)}
        self.time = self._stand_for(in_basis, time_scale, parse_unit(model.time_unit))
        self.size = {s: self._stand_for(in_basis, scale, _unit(s)) for s, scale in state_scales.items()}
        self.starts = {}
        self.states = {s: self._scaled_state(s) for s in model.states}
        self.swap |= {s: self.size[s] * new for s, new in self.states.items()}
        self.swap[t] = self.time * t

    def _stand_for(self, in_basis, scale, unit):
        entry = in_basis.get(unit.dimension)
        same = entry is not None and entry.scale == scale
        return entry.stand_in if same else scale.xreplace(self.swap)

    def _powers(self, unit, what):
        """Product of powers of stand-ins with the dimension of a unit."""
        if unit.dimensionless:
            return sp.Integer(1)
        exponents = sp.symbols(f"a:{len(self.basis)}")
        equations = [
            sum(sp.Rational(b.dimension[i]) * a for b, a in zip(self.basis, exponents, strict=True)) - sp.Rational(d)
            for i, d in enumerate(unit.dimension)
        ]
        solution = sp.linsolve(equations, exponents) if self.basis else None
        if not solution:
            raise ModelError(f"{self.model.name}: the dimension of {what} is no product of powers of the scales")
        return sp.prod(b.stand_in**a for b, a in zip(self.basis, next(iter(solution)), strict=True))

    def _written_out(self, powers):
        return powers.xreplace({b.stand_in: b.scale for b in self.basis})

    def _scaled_symbol(self, symbol):
        expression, info = self.originals[symbol.name], symbol.info
        if isinstance(symbol, Input):
            default = _number(expression.xreplace({symbol: sp.Float(info.default)}))
            return Input(symbol.name, default, unit="1", about=info.about)
        kept = info.plausible if expression == symbol else None
        return Parameter(symbol.name, _number(expression), "1", kept, info.scale, info.about)

    def _scaled_state(self, state):
        info, size = state.info, _number(self.state_scales[state])
        initial = self.free(info.initial.xreplace(self.swap) / self.size[state])
        if initial is None:  # a bare number of cells stands for a quantity, which is a group of its own
            name = f"{state}_start"
            while name in self.names:
                name += "_"
            self.starts[name] = info.initial / self.state_scales[state]
            initial = Parameter(name, _number(self.starts[name]), "1", about=f"initial {state} / its scale")
        bounds = None
        if info.bounds is not None:
            scaled = [self.free(b.xreplace(self.swap) / self.size[state]) for b in info.bounds]
            bounds = tuple(_number(b) / size if e is None else e for b, e in zip(info.bounds, scaled, strict=True))
        return State(
            state.name,
            initial,
            unit="1",
            kind=info.kind,
            cells_per_unit=None if info.cells_per_unit is None else info.cells_per_unit * size,
            positive=info.positive,
            about=info.about,
            bounds=bounds,
            scale=None if info.scale is None else info.scale / size,
        )

    def free(self, expression):
        """The expression with every stand-in cancelled, or None if one stays."""
        without = expression.xreplace(self.one)
        if not expression.has(*self.one):
            return without
        rest = expression - without
        if not _zero_numerically(rest):
            return None
        return without

    def put(self, expression, factor, where):
        """An expression of the model in scaled symbols, times a factor; refused if a scale stays."""
        scaled = sp.powsimp(sp.sympify(expression).xreplace(self.swap) * factor)
        found = self.free(scaled)
        if found is None:
            bare = [s.name for s in expression.free_symbols if getattr(getattr(s, "info", None), "unit", "1") == ""]
            hint = (
                f"; without a unit: {', '.join(sorted(bare))}" if bare else "; look for bare numbers with a dimension"
            )
            raise ModelError(f"{self.model.name}: scales do not cancel from {where} = {expression}{hint}")
        return found

    def result(self):
        """The scaled model with its groups."""
        model, time, new = self.model, self.time, self.states
        moved = {
            (a, b, gain): self.put(flow, time / self.size[a if a is not None else b], f"the flow from {a} to {b}")
            for (a, b, gain), flow in model.transfers.items()
        }
        lineages = {}
        for s, line in model.lineages.items():
            place = f"the lineage of {s}"
            births, deaths = self.put(line.birth, time, place), self.put(line.death, time, place)
            lineages[new[s]] = Lineage(births, deaths, self.put(line.source, time / self.size[s], place))
        scaled = Model(
            model.name + "_scaled",
            rates={new[s]: self.put(v, time / self.size[s], f"d{s}/dt") for s, v in model.rates.items()},
            transfers={(new.get(a), new.get(b), self._gain(a, b, gain)): v for (a, b, gain), v in moved.items()},
            observables={name: self._observable(name, e) for name, e in model.observables.items()},
            lineages=lineages,
            time_unit="1",
            source=model.source,
            about=model.about,
        )
        return self._with_groups(scaled)

    def _gain(self, start, end, gain):
        ratio = self.size[start] / self.size[end] if start is not None and end is not None else sp.Integer(1)
        return self.put(gain, ratio, f"the yield from {start} to {end}")

    def _observable(self, name, expression):
        unit = dimension_of(expression, self.model.time_unit)
        factor = sp.Integer(1) if unit is None else self._powers(unit, f"observable {name}")
        return self.put(expression, 1 / factor, f"observable {name}")

    def _with_groups(self, scaled):
        in_equations = set()
        for e in (*scaled.equations.values(), *scaled.observables.values()):
            in_equations |= {s.name for s in e.free_symbols}
        used = {p.name for p in scaled.parameters} | {
            u.name for u in scaled.inputs if self.originals[u.name] != self.model.symbol(u.name)
        }
        everything = self.originals | self.starts
        groups = {n: e for n, e in everything.items() if n in used and n in in_equations}
        starts = {n: e for n, e in everything.items() if n in used and n not in in_equations}
        scales = {s.name: scale for s, scale in self.state_scales.items()}
        return ScaledModel(scaled, groups, starts, self.time_scale, scales, self.model)


def _pivots(model, basis):
    """One parameter of each scale, solved for: it has no place in the scaled model."""
    completing = {b.scale for b in basis if isinstance(b.scale, Parameter)}
    pivots = {}
    for b in basis:
        if not b.scale.free_symbols:
            continue
        choices = (
            [b.scale] if b.scale in completing else sorted(b.scale.free_symbols - completing - set(pivots), key=str)
        )
        for pivot in choices:
            solved = sp.solve(sp.Eq(b.scale, b.stand_in), pivot)
            if len(solved) == 1:
                pivots[pivot] = solved[0]
                break
        else:
            raise ModelError(f"{model.name}: the scale {b.scale} cannot be solved for a parameter of its own")
    return pivots


def _number(expression):
    """Value at the default parameters and inputs."""
    expression = sp.sympify(expression)
    values = {
        s: sp.Float(s.info.value if isinstance(s, Parameter) else s.info.default)
        for s in expression.free_symbols
        if isinstance(s, (Parameter, Input))
    }
    return float(expression.xreplace(values))
