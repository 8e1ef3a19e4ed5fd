"""Folds, transcritical points and Hopf points proved: exactly one in an enclosure, with the signs that make it one.

From a guess, Newton steps in doubles on the system that defines the point; Krawczyk's operator on a box around the
result then shows that exactly one solution lies in it. Signs of what must not vanish, and of the other eigenvalues,
are those of ball arithmetic over the enclosure.
"""

from functools import lru_cache

import numpy as np
import sympy as sp

from remission.models.errors import CertificateError, ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers import Problem
from remission.solvers.grid import refuse_grid
from remission.solvers.tape import make_tape, run_python

from . import answer, faces, point_signs
from .point_value import CertifiedPoint

__all__ = ["certify_fold", "certify_hopf", "certify_transcritical"]

NEAR_ZERO = 1e-7  # of a state's size: absent, if it then stays absent
WIDTHS = (1e-3, 1e-5, 1e-7, 1e-9)  # of the first box, relative; the first that can be proved is grown


@refuse_unknown_keywords
def certify_fold(problem, of, state, value, *, absent=None) -> CertifiedPoint:
    """Prove that exactly one fold lies in an enclosure near a guess.

    The system is f(y, p) = 0, J(y, p) v = 0, l.v = 1 with a fixed l.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    of : str
        Parameter or input that is moved.
    state : dict of str -> float, or (n,) sequence
        A guess.
    value : float
        Of what is moved, a guess.
    absent : iterable of str, optional
        States that are zero at the point; those near zero that stay zero if not given.

    Returns
    -------
    CertifiedPoint
        With `coefficients` a and b of the reduced equation s' = a (p - p*) + b s^2, s being the change of the state
        `along`, both proved to differ from zero, and `opens`, -1 where the two states exist below, 1 above.

    Raises
    ------
    CertificateError
        If it cannot be proved.

    References
    ----------
    .. [1] Rump (2010), Acta Numerica 19, 287-449 (Krawczyk's operator, epsilon inflation).

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> problem = Problem(paracrine_loop()).at_constant(B=20.0)
    >>> guess = {"T": 155.3, "F": 0.673, "X": 44.9, "M": 0.7, "P": 1.4}
    >>> print(certify_fold(problem, "e", guess, 0.6734))
    fold at e = 0.67339243...: a stable and an unstable state meet; two steady states below, none above
    """
    return _certify("fold", problem, of, state, value, absent)


@refuse_unknown_keywords
def certify_transcritical(problem, of, state, value, *, absent=None) -> CertifiedPoint:
    """Prove that exactly one transcritical point of a face lies in an enclosure near a guess.

    On the face where some states are absent the system is f(y, p) = 0, G(y, p) w = 0, l.w = 1 with the growth matrix
    G of the absent states and a fixed l.

    Parameters
    ----------
    problem, of, state, value
        As for `certify_fold`.
    absent : iterable of str, optional
        As for `certify_fold`; several clones that turn into each other are absent together.

    Returns
    -------
    CertifiedPoint
        With `coefficients` b and c of the reduced equation s' = b (p - p*) s + c s^2, s being the amount of the
        absent state `along`, b proved to differ from zero, and `criticality` where c is.

    Raises
    ------
    CertificateError
        If it cannot be proved, or no state is absent.

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> problem = Problem(paracrine_loop()).at_constant(B=0.0)
    >>> guess = {"T": 0.0, "F": 0.33, "X": 0.0, "M": 0.02, "P": 0.04}
    >>> point = certify_transcritical(problem, "e", guess, 0.33)
    >>> point.criticality, point.others
    ('subcritical', 'stable')
    """
    return _certify("transcritical", problem, of, state, value, absent)


@refuse_unknown_keywords
def certify_hopf(problem, of, state, value, *, absent=None) -> CertifiedPoint:
    """Prove that exactly one Hopf point lies in an enclosure near a guess.

    The system is f(y, p) = 0, J J v + k v = 0, l.v = 1, m.v = 0 with fixed l and m; k = omega^2 is proved positive.

    Parameters
    ----------
    problem, of, state, value, absent
        As for `certify_fold`.

    Returns
    -------
    CertifiedPoint
        With `coefficients` omega (the frequency) and crossing (the slope of the pair's real part by what is moved),
        both proved to differ from zero. The first Lyapunov coefficient is not part of the proof.

    Raises
    ------
    CertificateError
        If it cannot be proved.

    Examples
    --------
    >>> from remission.models import kirschner_panetta
    >>> from remission.solvers import Problem
    >>> guess = {"E": 2.16e4, "T": 1.99e4, "I": 1.03e4}
    >>> point = certify_hopf(Problem(kirschner_panetta()), "c", guess, 0.0325)
    >>> point.coefficients["omega"]
    0.06705...
    """
    return _certify("Hopf", problem, of, state, value, absent)


def _certify(kind, problem, of, state, value, absent):
    of = getattr(of, "name", of)
    reason = answer.why_not()
    if reason:
        raise CertificateError(f"certify {kind}: no proof can be had: {reason}")
    system = _checked(problem, of, f"certify {kind}")
    state = _by_name(problem, state)
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise ProblemError(f"certify {kind}: the guess of {of} is a number, got {value!r}") from None
    sizes = sizes_of(problem)
    gone = _absent(problem, kind, state, absent, sizes)
    try:
        made = faces.defined(problem.model, of, kind, gone)
    except ProblemError as error:
        raise CertificateError(f"certify {kind} of {problem.model.name}: no proof can be had: {error}") from error
    values = answer.parameter_intervals(problem)
    kept = [v for s, v in zip(system.parameters, values, strict=True) if s.name != of]
    work = Work(problem, made, np.array(kept).reshape(-1, 2), sizes)
    region, enclosure = work.prove(state, value)
    return point_signs.point(problem, of, made, work, region, enclosure)


def _checked(problem, of, verb="certify"):
    from remission.models import t

    if not isinstance(problem, Problem):
        raise ProblemError(f"{verb}: the first argument must be a Problem, got {type(problem).__name__}")
    refuse_grid(problem, verb)
    problem.inputs()
    system = faces.opened(problem.model)
    own = [s.name for s in (*problem.model.parameters, *problem.model.inputs)]
    if of not in own:
        raise ProblemError(f"{problem.model.name} has no parameter or input {of!r}; {did_you_mean(str(of), own)}")
    for symbol, rate in system.rates.items():
        if rate.has(t):
            raise ProblemError(f"{problem.model.name}: time appears in the equation of {symbol}, so nothing rests")
    return system


def _by_name(problem, state):
    names = problem.system.states
    try:
        if not hasattr(state, "keys"):
            state = dict(zip(names, np.asarray(state, dtype=float).tolist(), strict=True))
        given = {getattr(k, "name", k): float(v) for k, v in state.items()}
    except (TypeError, ValueError):
        raise ProblemError(
            f"certify: the guess is a dict of state -> value, or the values of {', '.join(names)}, got {state!r}"
        ) from None
    for name in names:
        if name not in given:
            raise ProblemError(f"the guess has no state {name!r} of {problem.model.name}; it has {', '.join(given)}")
    return given


def _absent(problem, kind, state, absent, sizes):
    model = problem.model
    if absent is None:
        near = [s for s in model.states if abs(state[s.name]) <= 1e3 * NEAR_ZERO * sizes[s.name]]
    else:
        names = {getattr(s, "name", s) for s in absent}
        near = [s for s in model.states if s.name in names]
    gone = tuple(s.name for s in faces.staying_absent(model, near))
    if kind == "transcritical" and not gone:
        raise CertificateError(
            f"certify transcritical of {model.name}: no state is absent that stays absent; near zero are "
            f"{', '.join(s.name for s in near) or 'none'}"
        )
    return gone


@lru_cache(maxsize=64)
def _bounds_tape(model):
    """Tape of the declared bounds, low and high of each state that has them, and the names of these states."""
    named = [s for s in model.states if s.info.bounds is not None]
    used = set().union(*(sp.sympify(b).free_symbols for s in named for b in s.info.bounds))
    symbols = tuple(sorted(used, key=str))
    return make_tape([sp.sympify(b) for s in named for b in s.info.bounds], (), symbols), [s.name for s in named]


def sizes_of(problem) -> dict:
    """What each state is measured by where it is near zero: a thousandth of what is declared of it, or its start."""
    tape, named = _bounds_tape(problem.model)
    ends = np.abs(run_python(tape, [problem.parameters[s.name] for s in tape.parameters], ())).reshape(-1, 2)
    largest = dict(zip(named, ends.max(axis=1, initial=0.0), strict=True))
    start = dict(zip(problem.system.states, np.abs(problem.system.y0(problem.p)), strict=True))
    known = {n: largest[n] if 0 < largest.get(n, 0.0) < np.inf else start[n] for n in start}
    return {n: 1e-3 * float(v) or 1.0 for n, v in known.items()}


class Work:
    """A defining system with numbers: what the kernel needs."""

    def __init__(self, problem, made, values, sizes):
        from remission.solvers import intervals

        self.problem, self.made, self.values = problem, made, values
        self.present = np.array([sizes[s.name] for s in made.present])
        self.absent = np.array([sizes[s.name] for s in made.absent])
        self.numbers = {name: intervals.number_intervals(getattr(made, name)) for name in ("tape", "signs")}

    def registers(self, name, unknowns):
        """Registers of a tape, run over intervals of the unknowns (n, 2)."""
        from remission.solvers import intervals

        tape = getattr(self.made, name)
        V = np.zeros((tape.n_registers, 2))
        normals = np.repeat(np.reshape(self.normals, (-1, 1)), 2, axis=1)
        V[: tape.first_variable] = np.concatenate([self.numbers[name], self.values, normals])
        V[tape.first_variable : tape.n_given] = unknowns
        state = intervals.forward(tape.code, 0, len(tape.code), tape.n_given, V)
        return V, state == intervals.SMOOTH

    def quantities(self, unknowns):
        """Name -> intervals (k, 2) of what the signs are made of."""
        V, smooth = self.registers("signs", unknowns)
        found = V[self.made.signs.outputs]
        if not smooth or not np.all(np.isfinite(found)):
            raise CertificateError(f"certify {self.made.kind}: a derivative has no value over the enclosure")
        return {name: found[part] for name, part in self.made.parts.items()}

    def start(self, state, value):
        """Unknowns to begin with, and their sizes; the normals are set here."""
        made = self.made
        self.normals = np.zeros(len(made.normals))
        y, value, q = self._on_branch(np.array([state[s.name] for s in made.present]), value)
        sizes = np.maximum(np.abs(y), self.present)
        name, scale = ("growth", self.absent) if made.kind == "transcritical" else ("jacobian", sizes)
        n = len(scale)
        if not n:
            raise CertificateError(f"certify {made.kind}: no state is left on the face")
        null, self.normals = _null(made.kind, q[name].reshape(n, n) * (scale / scale[:, None]))
        most = int(np.argmax(np.abs(null[:n])))
        widths = np.full(len(null), 1.0)
        if made.kind == "Hopf":
            widths[-1] = null[-1]
        else:  # so that the reduced equation is one for the change of this state
            part = null[most] * scale[most]
            null, self.normals, widths = null / part, self.normals * part, widths / abs(part)
        self.along = made.absent[most] if name == "growth" else made.present[most]
        self.normals /= np.tile(scale, len(self.normals) // n)
        null[:n] *= scale
        widths[:n] *= scale
        return np.concatenate([y, null, [value]]), np.concatenate([sizes, widths, [abs(value) or 1.0]])

    def _on_branch(self, y, value):
        """The guess moved onto the steady states of the face by the least steps, and the quantities there."""
        n = len(y)
        scale = np.append(np.maximum(np.abs(y), self.present), abs(value) or 1.0)
        z = np.append(y, value) / scale
        for _ in range(20):
            unknowns = np.concatenate([z[:n] * scale[:n], np.zeros(len(self.made.null)), [z[n] * scale[n]]])
            q = {k: v.mean(axis=1) for k, v in self.quantities(np.column_stack([unknowns, unknowns])).items()}
            A = np.column_stack([q["jacobian"].reshape(n, n), q["moving"]]) * scale
            rows = np.max(np.abs(A), axis=1, initial=0.0)
            rows = np.where(rows > 0, rows, 1.0)
            step = np.linalg.lstsq(A / rows[:, None], -q["rates"] / rows, rcond=None)[0]
            if np.max(np.abs(step), initial=0.0) < 1e-9:
                break
            z = z + step * min(1.0, 0.5 / float(np.max(np.abs(step))))
        return z[:n] * scale[:n], float(z[n] * scale[n]), q

    def prove(self, state, value):
        """A box with exactly one solution (n, 2), and a narrow enclosure of the solution in it."""
        from . import kernel

        made = self.made
        x, width = self.start(state, value)
        n = len(x)
        V, _ = self.registers("tape", np.column_stack([x, x]))
        code, outs = made.tape.code, made.tape.outputs
        if not kernel.newton_point(x, n, code, made.shape, outs, width, V):
            raise CertificateError(f"certify {made.kind} of {self.problem.model.name}: Newton steps do not settle")
        self.present = np.maximum(np.abs(x[: len(self.present)]), self.present)
        F, K, W, T = (np.empty((n, 2)) for _ in range(4))
        M = np.empty((n, n, 2))
        for part in WIDTHS:
            half = part * (np.abs(x) + 1e-3 * width)
            X = np.column_stack([x - half, x + half])
            if kernel.region(X, x, n, code, made.shape, outs, width, V, F, M, K, W, T):
                kernel.tighten(T, n, code, made.shape, outs, V, F, M, K)
                return W, T
        raise CertificateError(
            f"certify {made.kind} of {self.problem.model.name}: not proved to be exactly one near "
            f"{made.moved.name} = {x[-1]:.10g}; two special points may be close, or it is degenerate"
        )


def _null(kind, matrix):
    """A null vector (for Hopf points with omega^2) and its normals, from a matrix that is nearly singular."""
    if kind != "Hopf":
        v = np.linalg.svd(matrix)[2][-1]
        v = v * np.sign(v[np.argmax(np.abs(v))])
        return v.copy(), v.copy()
    values, vectors = np.linalg.eig(matrix)
    pairs = [i for i in range(len(values)) if values[i].imag > 1e-9 * abs(values[i])]
    if not pairs:
        raise CertificateError("certify Hopf: no pair of complex eigenvalues at the guess")
    i = min(pairs, key=lambda i: abs(values[i].real) / abs(values[i]))
    one, other = vectors[:, i].real, vectors[:, i].imag
    one, other = (one, other) if np.linalg.norm(one) > 0.1 else (other, one)
    one = one / np.linalg.norm(one)
    across = other - (other @ one) * one
    across /= np.linalg.norm(across)
    return np.append(one, values[i].imag ** 2), np.concatenate([one, across])
