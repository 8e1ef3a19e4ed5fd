"""One family of errors, the nearest match, and the refusal of unknown keywords."""

import difflib
import functools
import inspect

__all__ = [
    "CertificateError",
    "DataError",
    "KeywordError",
    "ModelError",
    "ProblemError",
    "RemissionError",
    "SolveError",
]


class RemissionError(ValueError):
    """Base of every error that remission raises on purpose; its text says what is wrong, where, and what to try."""


class ModelError(RemissionError):
    """A model is declared in a way that has no meaning (symbols, terms, dimensions)."""


class ProblemError(RemissionError):
    """Numbers, treatments or settings do not fit the model, or a verb lacks what it needs."""


class DataError(RemissionError):
    """A table of measurements or doses cannot be used; all faults are listed with their rows."""


class SolveError(RemissionError):
    """A solution was required and the solver had failed; the text gives its reason."""


class CertificateError(RemissionError):
    """A certificate does not prove what it claims."""


class KeywordError(RemissionError, TypeError):
    """A keyword argument that the function does not have."""


def did_you_mean(name, options) -> str:
    """Text that ends an error about an unknown name: the nearest match, then all that exist.

    Examples
    --------
    >>> did_you_mean("turnovr", ["turnover", "cost"])
    "did you mean 'turnover'? there is: cost, turnover"
    """
    options = sorted(map(str, options))
    near = difflib.get_close_matches(str(name), options, n=1, cutoff=0.6)
    lower = {o.lower(): o for o in options}
    near = [lower[str(name).lower()]] if str(name).lower() in lower else near
    hint = f"did you mean {near[0]!r}? " if near else ""
    return hint + ("there is: " + ", ".join(options) if options else "there is none")


def refuse_unknown_keywords(function):
    """Decorate a function or class so that a misspelt keyword is answered with the nearest one."""
    maker = "__new__" if inspect.isclass(function) and "__new__" in vars(function) else "__init__"
    target = getattr(function, maker) if inspect.isclass(function) else function
    parameters = inspect.signature(target).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        raise TypeError(f"{function.__name__} takes any keyword; there is nothing to refuse")
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = {n for n, p in parameters.items() if p.kind in named and n not in ("self", "cls")}

    @functools.wraps(target)
    def checked(*args, **keywords):
        for name in keywords:
            if name not in names:
                raise KeywordError(f"{function.__name__}() has no keyword {name!r}; {did_you_mean(name, names)}")
        return target(*args, **keywords)

    if inspect.isclass(function):
        setattr(function, maker, staticmethod(checked) if maker == "__new__" else checked)
        return function
    return checked
