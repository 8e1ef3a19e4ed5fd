"""Coefficients that say what a special point does; exact derivatives up to the third.

Formulas of Kuznetsov, Elements of Applied Bifurcation Theory (3rd ed., 2004): fold (5.31), Hopf (5.39), pitchfork and
cusp by the centre manifold (8.125).
"""

import numpy as np

__all__ = [
    "branch_tangents",
    "cubic_coefficient",
    "first_lyapunov",
    "fold_coefficients",
    "null_vectors",
    "quadratic_vanishes",
]

UPRIGHT = 1e-10
SMALL = 1e-6  # what counts as zero beside the sizes of the terms it is made of


def null_vectors(J):
    """Right and left null vector q, p with q q = 1 and p q = 1, and the angle's cosine between them."""
    left, _, right = np.linalg.svd(J)
    q, p = right[-1], left[:, -1]
    q = q * np.sign(q[np.argmax(np.abs(q))])  # signs that do not hang on the library
    p = p if p @ q >= 0 else -p
    cosine = float(p @ q)
    return q, (p / cosine if abs(cosine) > 1e-12 else p), abs(cosine)


def fold_coefficients(local, z, along=None) -> dict:
    """Of xi' = b (parameter - value) + a xi^2.

    Parameters
    ----------
    local : Local
    z : (n + 1,) array
        The fold, in local units.
    along : (n,) array, optional
        q is taken to point this way, in local units.

    Returns
    -------
    dict
        `a`, `b` in the units of the model, xi the distance along q of length 1; `opens`: -1 if the two states exist
        below the value, 1 above, 0 if degenerate.
    """
    n = local.n
    _, J, H = local.derivatives(z)
    q, p, cosine = null_vectors(J[:, :n])
    if along is not None and q @ along < 0:
        q, p = -q, -p
    by_states = H[:, :n, :n]
    a = 0.5 * p @ np.einsum("ijk,j,k->i", by_states, q, q)
    b = p @ J[:, n]
    size = 0.5 * np.abs(p) @ np.einsum("ijk,j,k->i", np.abs(by_states), np.abs(q), np.abs(q))
    degenerate = abs(a) <= SMALL * size or cosine < SMALL
    length = np.linalg.norm(q * local.scale[:n])
    opens = 0 if degenerate else -int(np.sign(a * b))
    return {"a": float(a / length), "b": float(b * length / local.scale[n]), "opens": opens}


def quadratic_vanishes(local, z) -> bool:
    """Whether p B(q, q) is rounding beside its terms: then a branch crosses upright (pitchfork or continuum)."""
    n = local.n
    _, J, H = local.derivatives(z)
    q, p, _ = null_vectors(J[:, :n])
    B = H[:, :n, :n]
    size = np.abs(p) @ np.einsum("ijk,j,k->i", np.abs(B), np.abs(q), np.abs(q))
    return bool(abs(p @ np.einsum("ijk,j,k->i", B, q, q)) <= UPRIGHT * size)


def cubic_coefficient(local, z) -> float:
    """Of xi' = ... + c xi^3 on the centre manifold where the quadratic one vanishes, in units of the model.

    0 where it is rounding beside the terms that it is made of.
    """
    n = local.n
    _, J, H = local.derivatives(z)
    A, B = J[:, :n], H[:, :n, :n]
    C = local.equations.third(z[: n + local.m] * local.scale, local.scale)
    q, p, _ = null_vectors(A)
    quadratic = np.einsum("ijk,j,k->i", B, q, q)
    bordered = np.block([[A, q[:, None]], [p[None, :], np.zeros((1, 1))]])
    rhs = np.append(-(quadratic - (p @ quadratic) * q), 0.0)
    h = np.linalg.solve(bordered, rhs)[:n]
    cubic = np.einsum("ijkl,j,k,l->i", C, q, q, q) + 3 * np.einsum("ijk,j,k->i", B, q, h)
    most = np.abs(np.linalg.inv(bordered))[:n, :n] @ np.einsum("ijk,j,k->i", abs(B), abs(q), abs(q))  # of h
    size = np.einsum("ijkl,j,k,l->i", abs(C), abs(q), abs(q), abs(q)) + 3 * np.einsum(
        "ijk,j,k->i", abs(B), abs(q), most
    )
    c = p @ cubic
    if abs(c) <= SMALL * (abs(p) @ size):
        return 0.0
    return float(c / 6 / np.linalg.norm(q * local.scale[:n]) ** 2)


def first_lyapunov(local, z, frequency) -> dict:
    """Of a Hopf point.

    Parameters
    ----------
    local : Local
    z : (n + 1,) array
    frequency : float
        Per unit of time.

    Returns
    -------
    dict
        `l1`, the first Lyapunov coefficient with <q, q> = 1 in the units of the model (negative: supercritical, the
        cycle is born stable on its centre manifold), and `crossing`, the change of the real part of the pair with
        the parameter.
    """
    n, w = local.n, frequency
    _, J, H = local.derivatives(z)
    A, B = J[:, :n], H[:, :n, :n]
    C = local.equations.third(z * local.scale, local.scale)
    values, vectors = np.linalg.eig(A)
    q = vectors[:, np.argmin(np.abs(values - 1j * w))]
    values, vectors = np.linalg.eig(A.T)
    p = vectors[:, np.argmin(np.abs(values + 1j * w))]
    q = q / np.linalg.norm(q)
    p = p / np.conj(np.vdot(p, q))

    def b(u, v):
        return np.einsum("ijk,j,k->i", B, u, v)

    bar = q.conj()
    cubic = np.einsum("ijkl,j,k,l->i", C, q, q, bar)
    cubic = cubic - 2 * b(q, np.linalg.solve(A, b(q, bar)))
    cubic = cubic + b(bar, np.linalg.solve(2j * w * np.eye(n) - A, b(q, q)))
    l1 = np.vdot(p, cubic).real / (2 * w)
    moves = np.append(-np.linalg.solve(A, J[:, n]), 1.0)  # along the branch
    by_parameter = np.einsum("ijk,k->ij", H[:, :n, : n + 1], moves)
    crossing = np.vdot(p, by_parameter @ q).real
    length = np.linalg.norm(q * local.scale[:n])
    return {"l1": float(l1 / length**2), "crossing": float(crossing / local.scale[n])}


def branch_tangents(local, z, psi):
    """Directions (n + 1,) of the curves that cross at a branch point, in local units; empty if they are not real.

    Returns
    -------
    tuple of arrays
        Two of length 1.
    """
    _, J, H = local.derivatives(z)
    one, two = np.linalg.svd(J)[2][-2:]
    second = np.einsum("i,ijk->jk", psi, H)
    a, b, c = one @ second @ one, one @ second @ two, two @ second @ two
    size = max(abs(a), abs(b), abs(c))
    discriminant = b * b - a * c
    if size == 0 or discriminant <= 1e-12 * size**2:
        return ()
    root = np.sqrt(discriminant)
    found = []
    for sign in (1, -1):  # a s^2 + 2 b s t + c t^2 = 0, by the form without cancellation
        big = -(b + (root if b >= 0 else -root))
        s, t = (big, a) if sign == 1 else (c, big)
        v = s * one + t * two
        found.append(v / np.linalg.norm(v))
    return tuple(found)
