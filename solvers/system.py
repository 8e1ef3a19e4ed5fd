"""System: all that the numerical floors see of a problem; y' = f(t, y, p, u) with exact derivatives.

`p` holds every parameter of the problem: those of the model, then those that only its treatment or its initial
values use. `u` holds the inputs of the model.
"""

import functools
from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords
from remission.models.operations import ARRAY, SCALAR

from .derived import functions_of

__all__ = ["System", "make_system", "system"]

FLOAT_FAULTS = (ZeroDivisionError, OverflowError, ValueError)


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False)
class System:
    """A model and the expressions of its problem as compiled functions.

    Built by `system(problem)`; problems that differ only in numbers share it.

    Parameters
    ----------
    model : Model
    parameter_symbols : tuple of Parameter
        In the order of p.
    states, parameters, inputs, observables : tuple of str
        Names, in the order of y, p, u and of what `observe` returns.
    n_model_parameters : int
        How many of the parameters are the model's; the others belong to the treatment or to initial values.
    settings : Settings
        Initial values and treatment expressions as functions of p.
    derive : callable
        Returns the source of the model's functions (`models.expressions.Kernel`); asked when one is first called.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem
    >>> Problem(sensitive_resistant()).system.observables
    ('burden', 'resistant_fraction')
    """

    model: object
    parameter_symbols: tuple
    states: tuple
    parameters: tuple
    inputs: tuple
    observables: tuple
    n_model_parameters: int
    settings: "Settings"
    derive: object

    @functools.cached_property
    def kernel(self):
        """Source of the model's functions, and where the derivatives among their results stand in tables."""
        return self.derive()

    @functools.cached_property
    def functions(self) -> dict:
        """Generated functions by name."""
        return _functions(self.kernel.source)

    @functools.cached_property
    def tangent_at(self) -> np.ndarray:
        """Flat positions of the entries of `tangent`."""
        return np.array(self.kernel.tangent_at, dtype=int)

    @property
    def n(self) -> int:
        """Number of states."""
        return len(self.states)

    def f(self, t, y, p, u) -> np.ndarray:
        """Rates of change, shape (n,), at one time, state, parameter and input vector.

        Parameters
        ----------
        t : float
        y, p, u : (n,), (n_p,), (n_u,) sequences of float

        Returns
        -------
        (n,) array
        """
        return np.array(self.functions["f"](t, _floats(y), self.model_part(p), u))

    def jac(self, t, y, p, u) -> np.ndarray:
        """Jacobian d f / d y, shape (n, n).

        Parameters
        ----------
        t, y, p, u
            As in `f`.
        """
        return self.tangent(t, y, p, u)[1]

    def dfdp(self, t, y, p, u) -> np.ndarray:
        """d f / d p, shape (n, len(parameters)); zero columns for parameters that the model does not have.

        Parameters
        ----------
        t, y, p, u
            As in `f`.
        """
        table = np.zeros((self.n, len(self.parameters)))
        table[:, : self.n_model_parameters] = self.tangent(t, y, p, u)[2]
        return table

    def dfdu(self, t, y, p, u) -> np.ndarray:
        """d f / d u, shape (n, len(inputs)).

        Parameters
        ----------
        t, y, p, u
            As in `f`.
        """
        return self.tangent(t, y, p, u)[3]

    def tangent(self, t, y, p, u):
        """f, d f / d y, d f / d p (model parameters only) and d f / d u from one shared list of expressions.

        Parameters
        ----------
        t, y, p, u
            As in `f`.
        """
        n, m = self.n, self.n_model_parameters
        values = np.array(self.functions["tangent"](t, _floats(y), self.model_part(p), u))
        table = np.zeros(n * (n + m + len(self.inputs)))
        table[self.tangent_at] = values[n:]
        table = table.reshape(n, -1)
        return values[:n], table[:, :n], table[:, n : n + m], table[:, n + m :]

    def observe(self, t, y, p, u) -> np.ndarray:
        """Observables over times.

        Parameters
        ----------
        t : (n_t,) array
        y : (n, n_t) array
        p : (n_p,) sequence of float
        u : (n_u, n_t) array

        Returns
        -------
        (n_observables, n_t) array
        """
        with np.errstate(all="ignore"):
            rows = self.functions["observe_array"](t, list(y), self.model_part(p), list(u))
        return np.array([np.broadcast_to(r, np.shape(t)) for r in rows], dtype=float).reshape(len(rows), *np.shape(t))

    def observe_tangent(self, t, y, p, u):
        """Derivatives of the observables by y, p (model parameters) and u, each (n_observables, ..., n_t).

        Parameters
        ----------
        t, y, p, u
            As in `observe`.
        """
        n, m, k, shape = self.n, self.n_model_parameters, len(self.inputs), np.shape(t)
        with np.errstate(all="ignore"):
            rows = self.functions["observe_gradient_array"](t, list(y), self.model_part(p), list(u))
        table = np.zeros((len(self.observables) * (n + m + k), *shape))
        for at, row in zip(self.kernel.observe_at, rows, strict=True):
            table[at] = row
        table = table.reshape(len(self.observables), n + m + k, *shape)
        return table[:, :n], table[:, n : n + m], table[:, n + m :]

    def augmented(self, columns, steered):
        """Rates of states and sensitivities, written out: `(t, z, p, u, d)`; see `models.expressions`.

        Parameters
        ----------
        columns : tuple of int
            Positions of the parameters in p.
        steered : bool
            Whether levels of inputs depend on them.
        """
        inside = tuple(c if c < self.n_model_parameters else None for c in columns)
        return _augmented(self.model, inside, steered)

    def model_part(self, p):
        """The part of p that the model's own functions take, as a list of floats.

        Parameters
        ----------
        p : (n_p,) sequence of float
        """
        return list(p[: self.n_model_parameters])

    def y0(self, p) -> np.ndarray:
        """Initial values, shape (n,).

        Parameters
        ----------
        p : (n_p,) sequence of float
        """
        return self.settings.values(p)[: self.n]

    def dy0dp(self, p) -> np.ndarray:
        """Derivatives of the initial values, shape (n, len(parameters)).

        Parameters
        ----------
        p : (n_p,) sequence of float
        """
        return self.settings.gradients(p)[: self.n]

    def __reduce__(self):
        if self.settings.source is None:  # out of a file, which the model remembers
            return _system_of, (self.model,)
        return make_system, self.settings.source


@dataclass(frozen=True, eq=False)
class Settings:
    """Initial values and all expressions of a treatment as functions of p, with derivatives."""

    source: tuple
    text: str
    value_function: object
    gradient_function: object
    gradient_at: np.ndarray
    count: int
    n_parameters: int
    index: dict

    @classmethod
    def from_text(cls, source, text, gradient_at, count, n_parameters, index):
        """Compile the source of both functions, `f` and `g`."""
        fast, safe = _namespaces(text)
        functions = [_guarded(fast[name], safe[name]) for name in ("f", "g")]
        return cls(source, text, *functions, np.array(gradient_at, dtype=int), count, n_parameters, index)

    def values(self, p) -> np.ndarray:
        """Value of each expression, shape (count,)."""
        return np.array(self.value_function(0.0, (), list(p), ()), dtype=float)

    def gradients(self, p) -> np.ndarray:
        """Derivative of each expression by each parameter, shape (count, n_parameters)."""
        table = np.zeros(self.count * self.n_parameters)
        table[self.gradient_at] = self.gradient_function(0.0, (), list(p), ())
        return table.reshape(self.count, self.n_parameters)


@refuse_unknown_keywords
def system(problem) -> System:
    """The numerical side of a problem.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    System

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem
    >>> problem = Problem(sensitive_resistant())
    >>> s = system(problem)
    >>> s.states, s.f(0.0, s.y0(problem.p), problem.p, [0.0]).round(6).tolist()
    (('S', 'R'), [0.003341, 3.4e-05])
    """
    return problem.system


def _system_of(model):
    return model.system()


@functools.lru_cache(maxsize=256)
def make_system(model, initial, expressions) -> System:
    """Compile a model with the initial values and the treatment expressions of a problem (kept while equal)."""
    symbols = _parameter_symbols(model, initial, expressions)
    given = dict(initial)
    starts = [given.get(s.name, s.info.initial) for s in model.states]
    listed = starts + [e for e in expressions if e is not None and e.is_finite is not False]
    settings = _compile_settings((model, initial, expressions), listed, symbols)
    return System(
        model,
        symbols,
        tuple(s.name for s in model.states),
        tuple(s.name for s in symbols),
        tuple(s.name for s in model.inputs),
        tuple(model.observables),
        len(model.parameters),
        settings,
        functools.partial(functions_of, model),
    )


def _parameter_symbols(model, initial, expressions):
    """Parameters of the model, then the further ones that the treatment and the initial values bring in."""
    from remission.models import Input, Parameter

    known = {s.name: s for s in (*model.parameters, *model.states, *model.inputs)}
    extra = {}
    for expression in (*(v for _, v in initial), *(e for e in expressions if e is not None)):
        for symbol in expression.free_symbols:
            if not isinstance(symbol, Parameter):
                raise ProblemError(f"{model.name}: {expression} may depend on Parameters only, not on {symbol}")
            other = known.get(symbol.name, extra.get(symbol.name, symbol))
            if other != symbol:
                kind = "an input" if isinstance(other, Input) else f"a {type(other).__name__.lower()}"
                raise ProblemError(
                    f"{model.name}: the treatment or initial value uses {symbol.name!r} with another meaning than "
                    f"{kind} of the same name; rename it"
                )
            if symbol.name not in known:
                extra[symbol.name] = symbol
    return (*model.parameters, *(extra[name] for name in sorted(extra)))


def _compile_settings(source, expressions, symbols):
    import sympy as sp

    from remission.models.expressions import function_source

    gradients, at = [], []
    for i, expression in enumerate(expressions):
        for j, symbol in enumerate(symbols):
            if expression.has(symbol):
                gradients.append(sp.diff(expression, symbol))
                at.append(i * len(symbols) + j)
    groups = ((), symbols, ())
    text = function_source("f", expressions, groups) + "\n\n" + function_source("g", gradients, groups)
    index = {e: i for i, e in enumerate(expressions)}
    return Settings.from_text(source, text, at, len(expressions), len(symbols), index)


def _functions(source):
    """Each function on floats, falling back to arrays where floats divide by zero or overflow."""
    fast, safe = _namespaces(source)
    functions = {name: _guarded(fast[name], safe[name]) for name in ("f", "tangent")}
    return functions | {name + "_array": safe[name] for name in ("observe", "observe_gradient")}


@functools.lru_cache(maxsize=256)
def _augmented(model, columns, steered):
    from remission.models.expressions import sensitivity_source

    source = sensitivity_source(model, columns, steered)
    fast, safe = _namespaces(source)
    return _guarded(fast["augmented"], safe["augmented"])


def _namespaces(source):
    """What a source defines, on floats and on arrays."""
    code = compile(source, "<generated by remission.models.expressions>", "exec")
    spaces = [{**operations, "nan": float("nan")} for operations in (SCALAR, ARRAY)]
    for space in spaces:
        exec(code, space)
    return spaces


def _guarded(fast, safe):
    def call(t, y, p, u, *more):
        try:
            return fast(t, y, p, u, *more)
        except FLOAT_FAULTS:
            with np.errstate(all="ignore"):
                return [float(v) for v in safe(t, [np.float64(v) for v in y], [np.float64(v) for v in p], u, *more)]

    return call


def _floats(values):
    return values.tolist() if isinstance(values, np.ndarray) else [float(v) for v in values]
