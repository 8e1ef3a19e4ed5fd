"""A model's equations as text, shared terms named once, so that every peer is fed the same algebra.

`python(model)` serves numba, casadi, jax and SciPy; `diffsl(model)` pydiffsol. Nothing here uses the compiled path
that is being compared.
"""

import functools

import sympy
from sympy.printing.str import StrPrinter

from .cases import LADDER_NAMES, ladder_rates


class _Plain(StrPrinter):
    """Small integer powers as products: `x**2` costs a call of pow in some of the peers."""

    def _print_Pow(self, expr, rational=False):
        base, power = self.parenthesize(expr.base, 1000), expr.exp
        if power.is_Integer and 1 < abs(int(power)) <= 4:
            product = "*".join([base] * abs(int(power)))
            return f"({product})" if power > 0 else f"(1.0/({product}))"
        if power == -1:
            return f"(1.0/{base})"
        return f"{base}**({self._print(power)})"

    def _print_Rational(self, expr):
        return repr(float(expr))

    def _print_Float(self, expr):
        return repr(float(expr))


_text = _Plain({"order": "none"}).doprint  # sorting the terms of long sums takes most of the time


@functools.cache
def _listed(model, derivatives=False):
    """(shared terms, rates, jacobian rows) with states y0.., parameters p0.., shared terms c0..."""
    states, parameters = list(model.states), list(model.parameters)
    names = {s: sympy.Symbol(f"y{i}") for i, s in enumerate(states)}
    names |= {p: sympy.Symbol(f"p{i}") for i, p in enumerate(parameters)}
    rates = [sympy.sympify(model.equations[s]).xreplace(names) for s in states]
    wanted, n, m = list(rates), len(states), len(parameters)
    if derivatives:
        by = [*(names[s] for s in states), *(names[p] for p in parameters)]
        wanted += [rate.diff(symbol) for rate in rates for symbol in by]
    shared, wanted = sympy.cse(wanted, symbols=sympy.numbered_symbols("c"), order="none")
    return shared, wanted[:n], [wanted[n + i * (n + m) : n + (i + 1) * (n + m)] for i in range(n if derivatives else 0)]


def _opening(model):
    lines = [f"    y{i} = y[{i}]" for i in range(len(model.states))]
    return lines + [f"    p{i} = p[{i}]" for i in range(len(model.parameters))]


@functools.cache
def python(model):
    """f(t, y, p) -> list of rates, of whatever numbers or symbols it is given."""
    shared, rates, _ = _listed(model)
    lines = _opening(model) + [f"    {name} = {_text(value)}" for name, value in shared]
    return _made("f", "t, y, p", [*lines, "    return [" + ", ".join(map(_text, rates)) + "]"])


@functools.cache
def filled(model):
    """f(t, y, dy, p) that writes the rates, for numba."""
    shared, rates, _ = _listed(model)
    lines = _opening(model) + [f"    {name} = {_text(value)}" for name, value in shared]
    return _made("f", "t, y, dy, p", lines + [f"    dy[{i}] = {_text(rate)}" for i, rate in enumerate(rates)])


@functools.cache
def filled_derivatives(model):
    """g(t, y, p, J, P) that writes the derivatives by the states, J, and by the parameters, P, for numba."""
    shared, _, rows = _listed(model, True)
    lines, n = _opening(model) + [f"    {name} = {_text(value)}" for name, value in shared], len(model.states)
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if value != 0:
                lines.append(f"    {f'J[{i}, {j}]' if j < n else f'P[{i}, {j - n}]'} = {_text(value)}")
    return _made("g", "t, y, p, J, P", lines)


def _made(name, arguments, lines):
    space = {}
    exec(f"def {name}({arguments}):\n" + "\n".join(lines) + "\n", space)
    return space[name]


def diffsl(case) -> str:
    """The case in the language of diffsol; pulses are its own stop and reset events."""
    model, start = case.problem.model, case.start
    shared, rates, _ = _listed(model)
    inputs = ", ".join(f"p{i} = {value!r}" for i, value in enumerate(case.p.tolist()))
    text = [f"in_i {{ {inputs} }}"] if inputs else []
    text.append("u_i { " + ", ".join(f"y{i} = {value!r}" for i, value in enumerate(start.tolist())) + " }")
    text += [f"{name} {{ {_text(value)} }}" for name, value in shared]
    text.append("F_i { " + ", ".join(map(_text, rates)) + " }")
    if case.pulses:
        last = len(start) - 1
        text.append("stop_i { " + ", ".join(f"t - {float(pulse)!r}" for pulse in case.pulses) + " }")
        text.append("reset_i { " + ", ".join(f"y{i}" for i in range(last)) + f", y{last} + 1.0 }}")
    return "\n".join(text) + "\n"


@functools.cache
def compiled(case):
    """(rates, derivatives by the states) compiled by numba: f(t, y, dy, p) and g(t, y, p, J)."""
    import numba

    if case.classes:
        return _compiled_ladder(case)
    model, m = case.problem.model, len(case.p)
    both, n = numba.njit(filled_derivatives(model)), case.n
    import numpy as np

    @numba.njit
    def by_states(t, y, p, J):
        both(t, y, p, J, np.empty((n, m)))

    return numba.njit(filled(model)), by_states


def _compiled_ladder(case):
    """The ladder written by hand with loops: straight code for 200 classes takes compilers minutes."""
    import numba
    import numpy as np

    n = case.classes
    growth, kill = (np.array(v) for v in ladder_rates(n))
    order = [s.name for s in case.problem.model.parameters]
    K, beta, kC, KT, gC, m0, kM, KC, gM, kT, gT, kD, eps, KM, B, m = (order.index(name) for name in LADDER_NAMES)

    @numba.njit
    def rates(t, y, dy, p):
        C, M, T, D = y[n], y[n + 1], y[n + 2], y[n + 3]
        N = 0.0
        for i in range(n):
            N += y[i]
        room, dose, move = 1 - N / p[K], D * (1 - p[eps] * M / (p[KM] + M)), p[m] * n / 10
        for i in range(n):
            neighbours = y[max(i - 1, 0)] + y[min(i + 1, n - 1)]
            dy[i] = (growth[i] * room - kill[i] * dose) * y[i] + move * (neighbours / 2 - y[i])
        dy[n] = p[kC] * N * (1 + p[beta] * T / (p[KT] + T)) - p[gC] * C
        dy[n + 1] = p[m0] + p[kM] * C * (1 - p[B]) / (p[KC] + C) - p[gM] * M
        dy[n + 2] = p[kT] * D - p[gT] * T
        dy[n + 3] = -p[kD] * D

    @numba.njit
    def by_states(t, y, p, J):
        C, M, T, D = y[n], y[n + 1], y[n + 2], y[n + 3]
        N = 0.0
        for i in range(n):
            N += y[i]
        free, move, boost = 1 - p[eps] * M / (p[KM] + M), p[m] * n / 10, 1 + p[beta] * T / (p[KT] + T)
        for i in range(n):
            for j in range(n):
                J[i, j] = -growth[i] * y[i] / p[K]
            J[i, i] += growth[i] * (1 - N / p[K]) - kill[i] * D * free - move
            J[i, max(i - 1, 0)] += move / 2
            J[i, min(i + 1, n - 1)] += move / 2
            J[i, n + 1] = kill[i] * D * p[eps] * p[KM] / (p[KM] + M) ** 2 * y[i]
            J[i, n + 3] = -kill[i] * free * y[i]
            J[n, i] = p[kC] * boost
        J[n, n], J[n, n + 2] = -p[gC], p[kC] * N * p[beta] * p[KT] / (p[KT] + T) ** 2
        J[n + 1, n], J[n + 1, n + 1] = p[kM] * (1 - p[B]) * p[KC] / (p[KC] + C) ** 2, -p[gM]
        J[n + 2, n + 2], J[n + 2, n + 3], J[n + 3, n + 3] = -p[gT], p[kT], -p[kD]

    return rates, by_states
