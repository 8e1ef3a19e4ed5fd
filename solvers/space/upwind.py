"""Carried fluxes: the value at a face between central and limited upwind."""

import numpy as np

__all__ = ["face_values"]

SMOOTH = 2.0  # cell Peclet number up to which central values do not oscillate


def face_values(S, state, speed, by_speed, diffusion, faces):
    """Flux S v through faces and its derivatives.

    Parameters
    ----------
    S : (N,) array
        Carried state.
    state : int
        Its position.
    speed : (k,) array
        From left to right.
    by_speed : list of (int, (k,) int array, (k,) array)
        Derivatives of the speed: (position of a state, cells, value); empty if none are wanted.
    diffusion : ((k,) array, list)
        Diffusion coefficient of S at the faces, and its derivatives in the same form.
    faces : Faces

    Returns
    -------
    (k,) array, list
        Flux and derivatives.
    """
    D, by_D = diffusion
    forward = speed >= 0
    up, down = np.where(forward, faces.left, faces.right), np.where(forward, faces.right, faces.left)
    far = np.where(forward, faces.before, faces.after)
    size = np.abs(speed) * faces.distance
    upwind_part = np.clip(1.0 - SMOOTH * D / np.where(size > 0, size, np.inf), 0.0, 1.0) * (size > 0)
    a, b = np.where(far >= 0, S[up] - S[far], 0.0), S[down] - S[up]
    rise = np.where(a * b > 0, a + b, 1.0)
    limited = np.where(a * b > 0, a * b / rise, 0.0)
    beyond = limited - 0.5 * b  # limited value less the central one
    value = S[up] + 0.5 * b + upwind_part * beyond
    if not by_speed and not np.any(speed):
        return speed * value, []
    by_a, by_b = (np.where(a * b > 0, (other / rise) ** 2, 0.0) for other in (b, a))
    by_a = np.where(far >= 0, by_a, 0.0)
    w, v = upwind_part, speed
    own = [
        (state, up, v * (0.5 + w * (by_a - by_b + 0.5))),
        (state, down, v * (0.5 + w * (by_b - 0.5))),
        (state, far, -v * w * by_a),
    ]
    inside = (w > 0) & (w < 1)
    by_v = value + np.where(inside, SMOOTH * D / np.where(size > 0, size, np.inf), 0.0) * beyond
    bent = np.where(inside, -SMOOTH * v / np.where(size > 0, size, np.inf), 0.0) * beyond
    return v * value, own + [(j, c, by_v * s) for j, c, s in by_speed] + [(j, c, bent * s) for j, c, s in by_D]
