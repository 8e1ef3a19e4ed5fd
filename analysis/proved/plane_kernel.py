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


@compiled
def joined(boxes, count, n):
    """Hulls of boxes that touch, at the front of `boxes` in place; how many there are."""
    changed = True
    while changed:
        changed = False
        i = 0
        while i < count:
            j = i + 1
            while j < count:
                meet = True
                for k in range(n):
                    meet = meet and boxes[i, k, 0] <= boxes[j, k, 1] and boxes[j, k, 0] <= boxes[i, k, 1]
                if meet:
                    for k in range(n):
                        boxes[i, k, 0] = min(boxes[i, k, 0], boxes[j, k, 0])
                        boxes[i, k, 1] = max(boxes[i, k, 1], boxes[j, k, 1])
                    count -= 1
                    boxes[j] = boxes[count]
                    changed = True
                else:
                    j += 1
            i += 1
    return count
