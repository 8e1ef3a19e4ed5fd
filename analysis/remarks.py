"""Remarks on an answer: logged at once, or kept for whoever asks many questions, who then says it once."""

import logging
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["kept_remarks", "remark"]

logger = logging.getLogger("remission")
_kept = ContextVar("remarks", default=None)


def remark(text, *values):
    """Say something a user should know about an answer, as a warning of the log.

    Parameters
    ----------
    text : str
        With `%` placeholders.
    *values
        What they stand for.
    """
    kept = _kept.get()
    if kept is None:
        logger.warning(text, *values)
    else:
        kept.append(text % values)


@contextmanager
def kept_remarks():
    """Collect the remarks made inside instead of logging them.

    Yields
    ------
    list of str

    Examples
    --------
    >>> with kept_remarks() as found:
    ...     remark("ends at t = %g", 5.0)
    >>> found
    ['ends at t = 5']
    """
    found = []
    token = _kept.set(found)
    try:
        yield found
    finally:
        _kept.reset(token)
