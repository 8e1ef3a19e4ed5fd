"""What a run folder says about a sweep, in JSON: enough to tell another problem, table or question from this one."""

import dataclasses
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

__all__ = ["asked_of", "described", "differences", "versions"]


def described(problem) -> dict:
    """A problem as plain texts and numbers.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    dict

    Examples
    --------
    >>> from remission.models import exponential_growth
    >>> from remission.solvers import Problem
    >>> described(Problem(exponential_growth(), t_span=(0, 30)))["t_span"]
    [0.0, 30.0]
    """
    model, given = problem.model, dict(problem.initial)
    atol = problem.atol
    return {
        "model": model.name,
        "equations": {s.name: _text(e) for s, e in model.equations.items()},
        "observables": {name: _text(e) for name, e in model.observables.items()},
        "lineages": {s.name: _fields(lineage) for s, lineage in model.lineages.items()},
        "initial": {s.name: _text(given.get(s.name, s.info.initial)) for s in model.states},
        "states": {
            s.name: [s.info.kind, s.info.cells_per_unit, s.info.positive, _plain(s.info.scale)] for s in model.states
        },
        "inputs": {s.name: _plain(s.info.default) for s in model.inputs},
        "parameters": {name: float(v) for name, v in problem.parameters.items()},
        "treatment": {
            part: [_fields(x) for x in getattr(problem.treatment, part)] for part in ("windows", "jumps", "rules")
        },
        "t_span": list(problem.t_span),
        "rtol": problem.rtol,
        "atol": {str(getattr(k, "name", k)): v for k, v in atol.items()} if hasattr(atol, "items") else atol,
        "extinction_gate": bool(problem.extinction_gate),
        "grid": repr(problem.grid),
    }  # fmt: skip


def asked_of(work, table) -> dict:
    """What a sweep is asked, as plain texts and numbers.

    Parameters
    ----------
    work : Work
    table : SampleTable
    """
    return {
        "problem": described(work.problem),
        "names": list(work.names),
        "outputs": [{"kind": o.kind, "of": o.of, **{k: _option(v) for k, v in o.options}} for o in work.outcomes],
        "times": None if work.times is None else work.times.tolist(),
        "members": table.n,
    }


def versions() -> dict:
    """Versions and machine that numbers may depend on in their last digits.

    Returns
    -------
    dict of str -> str
    """
    found = {"python": platform.python_version(), "machine": platform.machine(), "system": sys.platform}
    for name in ("remission", "numpy", "scipy", "sympy", "llvmlite"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found | {"processor": _processor()}


def _processor():
    try:
        import llvmlite.binding as llvm

        return llvm.get_host_cpu_name()
    except ImportError:
        return platform.processor()


def differences(stored, here, place="") -> list:
    """Sentences on what differs between two descriptions, each with its place.

    Parameters
    ----------
    stored, here : dict, list or plain value
    place : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> differences({"names": ["r"], "rtol": 1e-6}, {"names": ["r"], "rtol": 1e-8})
    ['rtol is 1e-06 there and 1e-08 here']
    """
    if isinstance(stored, dict) and isinstance(here, dict):
        found = []
        for key in [*stored, *(k for k in here if k not in stored)]:
            inside = f"{place}: {key}" if place else str(key)
            if key not in here:
                found.append(f"{inside} is there and not here")
            elif key not in stored:
                found.append(f"{inside} is here and not there")
            else:
                found += differences(stored[key], here[key], inside)
        return found
    lists = isinstance(stored, list) and isinstance(here, list) and len(stored) == len(here)
    if lists and all(isinstance(part, dict) for part in (*stored, *here)):
        pairs = enumerate(zip(stored, here, strict=True), 1)
        return [text for i, pair in pairs for text in differences(*pair, f"{place} {i}")]
    if stored == here:
        return []
    return [f"{place} is {_short(stored)} there and {_short(here)} here"]


def _short(value):
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _text(expression):
    """An expression and, since its text rounds them, its numbers to the last digit."""
    import sympy as sp

    expression = sp.sympify(expression)
    if expression.is_Float or expression.is_Integer:
        return repr(float(expression))
    numbers = sorted(float(x).hex() for x in expression.atoms(sp.Float))
    return f"{expression}" + (f" [{' '.join(numbers)}]" if numbers else "")


def _fields(thing):
    """Fields of a frozen value, or parts of a tuple, as texts."""
    if dataclasses.is_dataclass(thing):
        return {f.name: _fields(getattr(thing, f.name)) for f in dataclasses.fields(thing)}
    if isinstance(thing, (tuple, list)):
        return [_fields(part) for part in thing]
    if isinstance(thing, dict):
        return {str(k): _fields(v) for k, v in thing.items()}
    return _text(thing) if hasattr(thing, "free_symbols") else _plain(thing)


def _plain(value):
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _option(value):
    if callable(value):
        return f"{getattr(value, '__module__', '')}:{getattr(value, '__qualname__', repr(value))}"
    return _fields(value)
