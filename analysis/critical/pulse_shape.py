"""The shape of a periodic treatment: the same dose spread evenly, and means over a period in closed form."""

import sympy as sp

from remission.solvers import Treatment
from remission.solvers.treatment import Window

from .closed_form import solve_for

__all__ = ["formula_of", "part_of_period", "spread"]


def spread(treatment) -> Treatment:
    """The same amounts in each period, given evenly.

    Parameters
    ----------
    treatment : Treatment
        Repeated without end.

    Returns
    -------
    Treatment

    Examples
    --------
    >>> print(spread(Treatment.intermittent({"u": 1.0}, on=5, off=2)))
    u = 0.714286 always
    """
    windows = []
    for w in treatment.windows:
        part = sp.Integer(1) if w.period is None else (w.end - w.start) / w.period
        windows.append(Window(w.target, w.level * part, into_state=w.into_state))
    windows += [Window(j.target, j.amount / j.period, into_state=True) for j in treatment.jumps if j.period is not None]
    return Treatment(windows=tuple(windows))


def part_of_period(pulses, of, value):
    """Mean level of the input over the moved level; None for parameters."""
    if of.role != "input":
        return None
    problem = pulses._problem(value)
    values = dict(zip(problem.system.parameter_symbols, problem.p, strict=True))
    total = sum(w.level for w in spread(pulses.treatment).windows if w.target == of.name and not w.into_state)
    return float(sp.sympify(total).subs(values)) / value if value else None


def formula_of(pulses, clones, rare):
    """The value in parameters and inputs, where the mean of a clone's rate over a period is linear in pieces."""
    if len(clones) > 1:
        return None
    rate = rare.rates[clones[0]]
    inputs = {s.name: s for s in rare.model.inputs}
    if rate.free_symbols & set(rare.model.states):
        return None
    windows = [w for w in pulses.treatment.windows if not w.into_state and inputs.get(w.target) in rate.free_symbols]
    pulsed = [w for w in windows if w.period is not None]
    if len({(w.start, w.end, w.period) for w in pulsed}) != 1 or any(w.start != -sp.oo for w in windows if
                                                                      w.period is None):  # fmt: skip
        return None
    named = {s: inputs[name] for name, letter in pulses.letters.items() for s in pulses.treatment.parameters()
             if s.name == letter and name in inputs}  # fmt: skip
    on, off = {}, {}
    for name, symbol in inputs.items():
        own = [w for w in windows if w.target == name]
        base = sp.Float(symbol.info.default) if not own else sp.Integer(0)
        off[symbol] = sum((w.level for w in own if w.period is None), base)
        on[symbol] = off[symbol] + sum((w.level for w in own if w.period is not None), sp.Integer(0))
    part = (pulsed[0].end - pulsed[0].start) / pulsed[0].period
    mean = sp.expand(part * rate.xreplace(on) + (1 - part) * rate.xreplace(off)).xreplace(named)
    letter = next((s for s in mean.free_symbols if s.name in (pulses.of.name, pulses.name)), None)
    if letter is None:
        return None
    formulas = solve_for(mean, letter).formulas
    return formulas[0] if len(formulas) == 1 else None
