"""Joining models that share symbols by name."""

from dataclasses import fields, replace

import sympy as sp

from .errors import ModelError, refuse_unknown_keywords
from .model import Model
from .symbols import Letter, Parameter, State

__all__ = ["compose"]


@refuse_unknown_keywords
def compose(*models, name=None, prefer=None) -> Model:
    """One model out of several: equations of a shared state add, everything else stands side by side.

    Symbols are shared by name. A name that means different things (unit, kind, text, state or parameter) in two of
    the models is an error; one that differs only in its default needs `prefer`.

    Parameters
    ----------
    *models : Model
        Models with one time unit.
    name : str, optional
        Name of the result; the names joined by `_` if not given.
    prefer : Model, optional
        Which of the models gives the defaults where they differ.

    Returns
    -------
    Model
        The joint model. Inputs of one model that are meant to be made by another are joined with `Model.bind`.

    Raises
    ------
    ModelError
        If meanings or time units clash, or an observable or lineage is defined twice.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> r = Parameter("r", 0.1, unit="1/day")
    >>> A, B = State("A", 1.0), State("B", 2.0)
    >>> both = compose(Model("a", rates={A: r * A}), Model("b", rates={B: -r * B}))
    >>> both.name, both.states, both.parameters
    ('a_b', (A, B), (r,))
    """
    if len(models) < 2:
        raise ModelError("compose needs at least two models")
    units = {m.time_unit for m in models}
    if len(units) > 1:
        raise ModelError(f"compose: the models count time differently ({', '.join(sorted(units))})")
    if prefer is not None and prefer not in models:
        raise ModelError("compose: prefer must be one of the models that are composed")
    shared = _shared_symbols(models, prefer)
    models = [_rename(m, shared) for m in models]
    parts = {"rates": {}, "transfers": {}, "fluxes": {}, "observables": {}, "lineages": {}}
    for model in models:
        for part, joint in parts.items():
            for key, value in getattr(model, part).items():
                if key in joint and part in ("observables", "lineages") and joint[key] != value:
                    raise ModelError(f"compose: {part[:-1]} {str(key)!r} is defined twice and differently")
                adds = key in joint and part not in ("observables", "lineages")
                joint[key] = joint[key] + value if adds else value
    source = "; ".join(dict.fromkeys(m.source for m in models if m.source))
    return Model(name or "_".join(m.name for m in models), time_unit=models[0].time_unit, source=source, **parts)


def _shared_symbols(models, prefer):
    """Name -> the one symbol that stands for it in the joint model."""
    found = {}
    for model in models:
        for symbol in model._declared():
            found.setdefault(symbol.name, {})[symbol] = model
    chosen = {}
    for name, meanings in found.items():
        if len(meanings) > 1:
            _check_same_meaning(name, meanings)
            if prefer is None:
                defaults = ", ".join(f"{m.name}: {_default(s)}" for s, m in meanings.items())
                raise ModelError(
                    f"compose: the default of {name!r} differs ({defaults}); say prefer= which model's holds"
                )
            preferred = [s for s in meanings if s in prefer._declared()]
            if not preferred:
                raise ModelError(
                    f"compose: the default of {name!r} differs, and {prefer.name}, which prefer= names, has none"
                )
            chosen[name] = preferred[0]
        else:
            chosen[name] = next(iter(meanings))
    return chosen


def _check_same_meaning(name, meanings):
    (first, one), *others = meanings.items()
    for symbol, other in others:
        if type(symbol) is not type(first):
            kinds = f"{type(first).__name__} in {one.name} and {type(symbol).__name__} in {other.name}"
            raise ModelError(f"compose: {name!r} is {kinds}; rename one, or bind the input to an expression first")
        for item in fields(first.info):
            if item.name in ("unit", "kind", "about", "cells_per_unit", "positive"):
                a, b = getattr(first.info, item.name), getattr(symbol.info, item.name)
                if a != b:
                    raise ModelError(
                        f"compose: {name!r} has two meanings: {item.name} is {a!r} in {one.name}, {b!r} in {other.name}"
                    )


def _default(symbol):
    info = symbol.info
    return info.initial if isinstance(symbol, State) else info.value if isinstance(symbol, Parameter) else info.default


def _rename(model, shared):
    """The model written in the joint symbols."""
    swap = {s: shared[s.name] for s in model._declared() if shared[s.name] != s}
    if not swap:
        return model
    swap |= {s: _with_initial(shared[s.name], swap) for s in model.states}

    def put(value):
        return sp.sympify(value).xreplace(swap)

    def key(value):
        if isinstance(value, tuple):
            start, end, gain = value
            return swap.get(start, start), swap.get(end, end), put(gain)
        return swap.get(value, value)

    return Model(
        model.name,
        **{
            part: {key(k): put(v) for k, v in getattr(model, part).items()}
            for part in ("rates", "transfers", "fluxes", "observables")
        },
        lineages={key(s): type(v)(put(v.birth), put(v.death), put(v.source)) for s, v in model.lineages.items()},
        time_unit=model.time_unit,
        source=model.source,
        about=model.about,
    )


def _with_initial(state, swap):
    """The state with joint symbols in its initial value and bounds too."""
    info = state.info
    bounds = None if info.bounds is None else tuple(b.xreplace(swap) for b in info.bounds)
    return Letter.__new__(State, state.name, replace(info, initial=info.initial.xreplace(swap), bounds=bounds))
