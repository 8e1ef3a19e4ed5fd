"""Source of a model's functions: derived once, kept on disk beside the kernels, found by the hash of the equations."""

import functools
import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

__all__ = ["functions_of"]


def functions_of(model):
    """What `models.expressions.model_kernel` returns, without deriving it again where that was done before.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Kernel, or an object with the same attributes

    Examples
    --------
    >>> from remission.models import exponential_growth
    >>> functions_of(exponential_growth()).states
    ('V',)
    """
    import sympy

    from remission.models.expressions import model_kernel
    from remission.models.spelling import spelled

    from .kernels.cache import cached, key_of

    key = key_of("functions", spelled(model), sympy.__version__, _writers())
    plain = json.loads(cached(key, lambda: json.dumps(asdict(model_kernel(model))).encode(), ".json"))
    return SimpleNamespace(**{k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()})


@functools.cache
def _writers() -> bytes:
    """The files that derive and write: a change in any of them may be another source."""
    import remission.models

    folder = Path(remission.models.__path__[0])
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
