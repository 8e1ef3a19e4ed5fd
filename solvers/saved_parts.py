"""A problem as plain data and back: names, meanings, generated source and numbers instead of symbols and expressions.

What comes back answers the same questions as `Model`, `Treatment` and `System` do when a problem is solved, so that
the solvers need not know the difference. An expression of a treatment is kept as the place of its value among those
that the saved source computes from the parameters.
"""

import functools
import json
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from remission.models.errors import ProblemError

from .system import Settings, System

__all__ = ["SavedModel", "SavedTreatment", "Term", "pack", "unpack"]

ABOUT = {  # what of a symbol's meaning the solvers and results read
    "states": ("unit", "kind", "cells_per_unit", "positive", "about", "scale"),
    "parameters": ("value", "unit", "plausible", "scale", "about"),
    "inputs": ("default", "unit", "about"),
}


class NeedsEquationsError(ProblemError, AttributeError):
    """Something was asked of a saved problem that only the declared one has."""

    def __init__(self, what):
        super().__init__(
            f"{what} came from a file, which holds functions and no equations; this needs the declared problem"
        )


@dataclass(frozen=True, eq=False)
class Letter:
    """A name with its meaning, in place of a symbol."""

    name: str
    info: object

    def __str__(self):
        return self.name

    def __add__(self, other):
        raise NeedsEquationsError(self.name)

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __add__


class Unwritten:
    """Stands where a model has the formula of an observable."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, what):
        if what.startswith("__"):  # protocols probe for dunder names
            raise AttributeError(what)
        raise NeedsEquationsError(self._name)

    def __add__(self, other):
        raise NeedsEquationsError(self._name)

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __add__


class Term:
    """An amount, level or time of a saved treatment: a place among the values of `Settings`, or an infinite time."""

    __slots__ = ("at", "number")

    def __init__(self, at, number):
        self.at, self.number = at, number

    @property
    def is_infinite(self):
        """Whether it is a start or end that never comes."""
        return self.at is None

    def __float__(self):
        return float(self.number)

    def __eq__(self, other):
        return self.at == other.at if isinstance(other, Term) else self.number == other

    def __hash__(self):
        return hash(self.at)


@dataclass(frozen=True, eq=False)
class SavedTreatment:
    """Windows, jumps and rules as in `Treatment`, with `Term`s for expressions; `fixed` where no parameter enters."""

    windows: tuple
    jumps: tuple
    rules: tuple
    text: str
    fixed: bool

    def __str__(self):
        return self.text


@dataclass(frozen=True, eq=False, repr=False)
class SavedModel:
    """Names and meanings of a model, its generated source, and its kernels.

    Attributes
    ----------
    states, parameters, inputs : tuple of Letter
    observables : dict
        Name -> Unwritten: their formulas are in the source.
    clock : bool
        Whether the equations name `t`.
    unsupported : str
        Why it has no kernels; empty if it has.
    content : bytes
        All of the file, of which it is a part.
    """

    name: str
    time_unit: str
    source: str
    about: str
    states: tuple
    parameters: tuple
    inputs: tuple
    observables: dict
    clock: bool
    unsupported: str
    kernels: dict
    content: bytes

    def __getattr__(self, what):
        if what in ("rates", "transfers", "fluxes", "lineages", "equations"):
            raise NeedsEquationsError(self.name)
        raise AttributeError(f"a saved model has no {what!r}")

    def __repr__(self):
        return f"<saved model {self.name}: {len(self.states)} states, {len(self.parameters)} parameters>"

    def __hash__(self):
        return hash(self.content)

    def __eq__(self, other):
        return isinstance(other, SavedModel) and self.content == other.content

    def __reduce__(self):
        return _model_of, (self.content,)

    def system(self):
        """The numerical side of the file's problem."""
        from .saved import from_content

        return from_content(self.content).system

    def stored_kernel(self, options):
        """Checksum of a kernel's emitted text, and a function that returns the text.

        Parameters
        ----------
        options : kernels.build.Options

        Raises
        ------
        ProblemError
            If the file does not hold that kernel.
        """
        if options not in self.kernels:
            raise ProblemError(f"{self.name}: {self._missing(options)}")
        digest, line = self.kernels[options]
        return digest, lambda: json.loads(line)["text"]

    def _missing(self, options):
        if options.columns not in {o.columns for o in self.kernels}:
            return (
                "the file has no kernel for these sensitivities; name them, in this order, in "
                "save_problem(..., sensitivities=[...]), or ask solve(problem, 'LSODA', sensitivities=[...])"
            )
        if options.infused not in {o.infused for o in self.kernels}:
            return (
                "other infusions fall into this t_span than into the one that was saved, and the file has no kernel "
                "for them; save the problem with the longer t_span"
            )
        return f"the file has no kernel for {options}; save the problem again, or solve it with 'LSODA'"


def pack(problem) -> dict:
    """A declared problem as plain data, kernels apart."""
    from .kernels.itinerary import has_clock

    model, system = problem.model, problem.system
    symbols = {"states": model.states, "parameters": system.parameter_symbols, "inputs": model.inputs}
    return {
        "model": {name: getattr(model, name) for name in ("name", "time_unit", "source", "about")},
        **{group: [_letter(s, ABOUT[group]) for s in members] for group, members in symbols.items()},
        "observables": list(model.observables),
        "n_model_parameters": system.n_model_parameters,
        "clock": has_clock(model),
        "functions": {
            "source": system.kernel.source,
            "tangent_at": list(map(int, system.kernel.tangent_at)),
            "observe_at": list(map(int, system.kernel.observe_at)),
        },
        "settings": {
            "source": system.settings.text,
            "gradient_at": system.settings.gradient_at.tolist(),
            "count": system.settings.count,
        },
        "treatment": _treatment(problem.treatment, system.settings.index),
        "t_span": list(problem.t_span),
        "values": dict(problem.parameters),
        "rtol": problem.rtol,
        "atol": problem.atol if problem.atol is None or not hasattr(problem.atol, "items") else _named(problem.atol),
        "extinction_gate": problem.extinction_gate,
    }


def unpack(plain, kernels, unsupported, content):
    """The model, the system and the treatment of a saved problem.

    Parameters
    ----------
    plain : dict
        As `pack` made it.
    kernels : dict
        Options -> (checksum, line of the file).
    unsupported : str
        Why there are no kernels that could be used.
    content : bytes
        All of the file.
    """
    letters = {group: tuple(map(_read_letter, plain[group])) for group in ABOUT}
    inside = plain["n_model_parameters"]
    observables = {name: Unwritten(name) for name in plain["observables"]}
    model = SavedModel(
        **plain["model"], states=letters["states"], parameters=letters["parameters"][:inside],
        inputs=letters["inputs"], observables=observables, clock=plain["clock"], unsupported=unsupported,
        kernels=kernels, content=content,
    )  # fmt: skip
    treatment, index = _read_treatment(plain["treatment"])
    n, settings = len(letters["parameters"]), plain["settings"]
    settings = Settings.from_text(None, settings["source"], settings["gradient_at"], settings["count"], n, index)
    names = {group: tuple(s.name for s in members) for group, members in letters.items()}
    system = System(
        model, letters["parameters"], names["states"], names["parameters"], names["inputs"], tuple(observables),
        inside, settings, functools.partial(_functions, plain["functions"]),
    )  # fmt: skip
    return model, system, treatment


def _model_of(content):
    from .saved import from_content

    return from_content(content).model


def _functions(plain):
    return SimpleNamespace(**plain)


def _named(mapping):
    return {str(getattr(k, "name", k)): float(v) for k, v in mapping.items()}


# --- symbols ----------------------------------------------------------------------------------------------------------


def _letter(symbol, about):
    return {"name": symbol.name} | {key: _plain(getattr(symbol.info, key)) for key in about}


def _plain(value):
    """JSON has no infinity; a plausible range may have one."""
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return repr(value) if isinstance(value, float) and not np.isfinite(value) else value


def _read_letter(plain):
    about = dict(plain)
    name = about.pop("name")
    if about.get("plausible"):
        about["plausible"] = tuple(map(float, about["plausible"]))
    return Letter(name, SimpleNamespace(**about))


# --- treatments -------------------------------------------------------------------------------------------------------

WINDOW, JUMP = ("level", "start", "end", "period"), ("time", "amount", "kept", "period")


def _treatment(treatment, index):
    term = functools.partial(_term, index)

    def packed(thing, terms, others):
        return {k: term(getattr(thing, k)) for k in terms} | {k: getattr(thing, k) for k in others}

    rules = [
        packed(r, ("check_every", "lead_in"), ("of", "mode", "relative_to", "max_switches"))
        | {
            "levels": [[[name, term(level)] for name, level in mode] for mode in r.levels],
            "transitions": [[source, target, term(value), way] for source, target, value, way in r.transitions],
        }
        for r in treatment.rules
    ]
    return {
        "text": str(treatment),
        "windows": [packed(w, WINDOW, ("target", "repeats", "into_state")) for w in treatment.windows],
        "jumps": [packed(j, JUMP, ("target", "repeats")) for j in treatment.jumps],
        "rules": rules,
    }


def _term(index, expression):
    """An expression as [place, number]: no place for an infinite time, no number for what depends on parameters."""
    if expression is None:
        return None
    if expression.is_infinite:
        return [None, repr(float(expression))]
    return [index[expression], float(expression) if expression.is_number else None]


def _read_treatment(plain):
    """The treatment, and the table of the places of its terms."""
    index = {}

    def term(pair):
        if pair is None:
            return None
        at, number = pair
        read = Term(at, float(number) if at is None else number)
        if at is not None:
            index[read] = at
        return read

    def read(thing, terms):
        return {k: term(v) if k in terms else v for k, v in thing.items()}

    rules = []
    for rule in plain["rules"]:
        parts = read(rule, ("check_every", "lead_in"))
        parts["levels"] = tuple(tuple((name, term(level)) for name, level in mode) for mode in rule["levels"])
        parts["transitions"] = tuple((a, b, term(value), way) for a, b, value, way in rule["transitions"])
        rules.append(SimpleNamespace(**parts))
    windows = tuple(SimpleNamespace(**read(w, WINDOW)) for w in plain["windows"])
    jumps = tuple(SimpleNamespace(**read(j, JUMP)) for j in plain["jumps"])
    fixed = all(known.number is not None for known in index)
    return SavedTreatment(windows, jumps, tuple(rules), plain["text"], fixed), index
