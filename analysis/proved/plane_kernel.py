"""Boxes narrowed and cut to a given fineness, with no proof of roots: enough to show that there are none."""

import numpy as np

from remission.solvers.interval_machine import compiled

from .kernel import longest, narrow

__all__ = []  # of use inside the package only


@compiled
def prune(code, shape, outs, bounds, V, width, narrowest, stack, count, kept):
    """Narrow and cut boxes of the stack until all are gone, or kept because they are small; nothing is proved of these.

    Parameters
    ----------
    code, shape, outs, bounds, V, width, stack
        As for `search`.
    narrowest : float
        Widest side, relative to `width`, of a box that is kept.
    count : (3,) int array
        Boxes on the stack, boxes kept, boxes that may still be worked on; changed in place.
    kept : (.., n, 2) array
    """
    n = width.shape[0]
    X, F, M = np.empty((n, 2)), np.empty((n, 2)), np.empty((n, n, 2))
    while count[0] > 0 and count[2] > 0 and count[1] < kept.shape[0] and count[0] + 2 <= stack.shape[0]:
        count[0] -= 1
        count[2] -= 1
        X[:] = stack[count[0]]
        if not narrow(X, n, code, shape, outs, bounds, width, V, F, M):
            continue
        side = longest(X, n, width)
        low, high = X[side, 0], X[side, 1]
        if high - low < narrowest * width[side]:
            kept[count[1]] = X
            count[1] += 1
            continue
        cut_at = low + 0.4921875 * (high - low)
        stack[count[0]] = X
        stack[count[0], side, 0] = cut_at
        stack[count[0] + 1] = X
        stack[count[0] + 1, side, 1] = cut_at
        count[0] += 2
