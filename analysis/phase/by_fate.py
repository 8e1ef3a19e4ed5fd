"""A crossing from fates alone, for runs that leave the manifold before they come near the saddle.

Where the way out of a saddle is much faster than the slowest way in, two neighbouring doubles part long before either
run has come to the saddle, so nothing can be measured there. Fates still bracket the crossing to the last digits, and
its derivatives follow from how runs part: along one direction, whatever moved them.
"""

import numpy as np

from .attractors import follow

__all__ = ["bisected", "parting"]

RTOL = 1e-11
FINE = 15  # starts within a bracket
WIDEST = 1e-3  # of the bracket at hand: how far its ends may have to move at a sharper tolerance
NARROWEST = 4e-15
PARTED = 1e-5  # scaled distance, from a relative change of 1e-14: large enough to be all one direction


def bisected(path, problem, scale, attractors, ends, labels):
    """Narrow a bracket to the last digits.

    Parameters
    ----------
    path : Path
    problem : Problem
    scale : (n,) array
        Size of the states.
    attractors : Attractors
    ends : (2,) array
        Positions whose fates differ.
    labels : (2,) array
        The fates.

    Returns
    -------
    (2,) array or None
        None where fates at a sharper tolerance do not differ there.
    """
    atol = dict(zip(problem.system.states, (1e-4 * RTOL * scale).tolist(), strict=True))
    sharp = problem.replace(rtol=RTOL, atol=atol)
    middle, half = ends.mean(), 0.5 * (ends[1] - ends[0])
    half = half + WIDEST * abs(middle) * (half < WIDEST * abs(middle))
    ends = np.clip([middle - half, middle + half], path.low, path.high)
    if np.any(follow(sharp, path.starts(ends), attractors)[0] != labels):
        return None
    while ends[1] - ends[0] > NARROWEST * np.abs(ends).max():
        inner = np.linspace(*ends, FINE + 2)
        fates = follow(sharp, path.starts(inner[1:-1]), attractors)[0]
        first = int(np.argmax(np.append(fates, labels[1]) != labels[0]))
        if first < FINE and fates[first] != labels[1]:
            return None
        narrower = inner[first : first + 2]
        if narrower[1] - narrower[0] >= ends[1] - ends[0]:
            break
        ends = narrower
    return ends


def parting(times, by_position, scale, position):
    """The first time at which a change in the last digits has grown to a visible distance.

    Parameters
    ----------
    times : (m,) array
    by_position : (m, n) array
        Derivatives of a run by the position.
    scale : (n,) array
    position : float

    Returns
    -------
    int
        Place in `times`; the last if none.
    """
    moved = np.linalg.norm(by_position / scale, axis=1) * 1e-14 * abs(position)
    return int(np.argmax(np.append(moved[:-1] > PARTED, True)))
