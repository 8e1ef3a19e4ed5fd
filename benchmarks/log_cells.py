"""Two references for the relapse model that share nothing with the package: logarithms of cells, two methods.

Clones are unknowns as logarithms, so a clone of 1e-300 is as well resolved as one of 1; the drug, which decays on its
own, is written in closed form. The equations are written out twice: once for an explicit Runge-Kutta method (Hairer's
DOP853, with SciPy's coefficients), once as Taylor series of order 24, whose coefficients come from recurrences. Both
are explicit and stable only with short steps, which at these tolerances costs little. Compiled by numba.
"""

import numba
import numpy as np
from scipy.integrate._ivp import dop853_coefficients as dop

__all__ = ["MOST_STEPS", "dop853", "rates", "reference", "taylor"]

MOST_STEPS = 20_000_000
TOLERANCE = 1e-13  # of a step: of a logarithm, of a signal relative to itself
FLOOR = 1e-3  # signals below it need no more digits: they act through sums with numbers that are larger
STAGES, ORDER = 12, 24
A, B, C = dop.A[:STAGES, :STAGES].copy(), dop.B.copy(), dop.C[:STAGES].copy()
E3, E5 = dop.E3.copy(), dop.E5.copy()


@numba.njit(cache=False, error_model="numpy")
def rates(z, drug, p, out):
    """Rates of log S, log R, log A, C, M, T for parameters in the order of `relapse_model.VALUES`."""
    rS, rR, rA, K, uR, uA, vR, kS, kR, kA, dA = p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10]
    kC, beta, KT, gC, m0, kM, KC, gM, kT, gT = p[11], p[12], p[13], p[14], p[15], p[16], p[17], p[18], p[19], p[20]
    eps, KM, share = p[22], p[23], p[24]
    burden = np.exp(z[0]) + np.exp(z[1]) + np.exp(z[2])
    room, signal, myeloid, toxin = 1 - burden / K, z[3], z[4], z[5]
    dose = drug * (1 - eps * myeloid / (KM + myeloid))
    out[0] = rS * room - uR - uA - kS * dose
    out[1] = rR * room + uR * np.exp(z[0] - z[1]) + vR * np.exp(z[2] - z[1]) - kR * dose
    out[2] = rA * room + uA * np.exp(z[0] - z[2]) - vR - kA * dose - dA
    out[3] = kC * burden * (1 + beta * toxin / (KT + toxin)) - gC * signal
    out[4] = m0 + kM * signal * (1 - share) / (KC + signal) - gM * myeloid
    out[5] = kT * drug - gT * toxin


@numba.njit(cache=False, error_model="numpy")
def _size(z, i):
    """What a step's error is measured by."""
    return 1.0 if i < 3 else max(abs(z[i]), FLOOR)


@numba.njit(cache=False, error_model="numpy")
def dop853(z, t, end, drug, p, h, tolerance):
    """Advance z in place from t to end; `drug` at t. Returns (last step size, steps), steps < 0 on failure."""
    n, start, first, steps = 6, t, drug, 0
    k, point, new = np.empty((STAGES + 1, n)), np.empty(n), np.empty(n)
    h = min(h, end - t)
    while t < end:
        last = t + h * 1.0000001 >= end
        h_now = end - t if last else h
        rates(z, first * np.exp(-p[21] * (t - start)), p, k[0])
        for s in range(1, STAGES):
            for i in range(n):
                total = 0.0
                for j in range(s):
                    total += A[s, j] * k[j, i]
                point[i] = z[i] + h_now * total
            rates(point, first * np.exp(-p[21] * (t + C[s] * h_now - start)), p, k[s])
        for i in range(n):
            total = 0.0
            for j in range(STAGES):
                total += B[j] * k[j, i]
            new[i] = z[i] + h_now * total
        rates(new, first * np.exp(-p[21] * (t + h_now - start)), p, k[STAGES])
        five, three = 0.0, 0.0
        for i in range(n):
            e5, e3 = 0.0, 0.0
            for j in range(STAGES + 1):
                e5 += E5[j] * k[j, i]
                e3 += E3[j] * k[j, i]
            size = max(_size(z, i), _size(new, i)) * tolerance
            five += (e5 / size) ** 2
            three += (e3 / size) ** 2
        error = 0.0 if five == 0 else h_now * five / np.sqrt((five + 0.01 * three) * n)
        steps += 1
        if steps > MOST_STEPS or h_now < 1e-16 * max(t, 1e-3):
            return h, -1
        factor = 0.9 * max(error, 1e-20) ** (-1 / 8)
        if error <= 1:
            t = end if last else t + h_now
            for i in range(n):
                z[i] = new[i]
            grown = h_now * min(factor, 4.0)
            h = max(grown, h) if last and factor >= 1 else grown
        else:
            h = h_now * max(0.2, factor) if error == error else h_now * 0.2
    return h, steps


@numba.njit(cache=False, error_model="numpy")
def _series(z, drug, p, y, w):
    """Coefficients of the Taylor series of z: `y` (6, ORDER + 1); `w` is room for the series of everything else."""
    S, R, A_, N, D, q, dose = w[0], w[1], w[2], w[3], w[4], w[5], w[6]
    sr, ar, sa, g, h = w[7], w[8], w[9], w[10], w[11]
    rS, rR, rA, K, uR, uA, vR, kS, kR, kA, dA = p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10]
    kC, beta, KT, gC, m0, kM, KC, gM, kT, gT = p[11], p[12], p[13], p[14], p[15], p[16], p[17], p[18], p[19], p[20]
    kD, eps, KM, share = p[21], p[22], p[23], p[24]
    for i in range(6):
        y[i, 0] = z[i]
    D[0] = drug
    S[0], R[0], A_[0] = np.exp(z[0]), np.exp(z[1]), np.exp(z[2])
    sr[0], ar[0], sa[0] = np.exp(z[0] - z[1]), np.exp(z[2] - z[1]), np.exp(z[0] - z[2])
    for k in range(ORDER):
        if k:
            D[k] = -kD * D[k - 1] / k
            s = r = a = rs = ra = as_ = 0.0
            for j in range(1, k + 1):
                ls, lr, la = j * y[0, j], j * y[1, j], j * y[2, j]
                s += ls * S[k - j]
                r += lr * R[k - j]
                a += la * A_[k - j]
                rs += (ls - lr) * sr[k - j]
                ra += (la - lr) * ar[k - j]
                as_ += (ls - la) * sa[k - j]
            S[k], R[k], A_[k], sr[k], ar[k], sa[k] = s / k, r / k, a / k, rs / k, ra / k, as_ / k
        N[k] = S[k] + R[k] + A_[k]
        above, held, used = y[4, k], y[5, k], y[3, k]  # quotients x / (constant + x)
        for j in range(1, k + 1):
            above -= y[4, j] * q[k - j]
            held -= y[5, j] * g[k - j]
            used -= y[3, j] * h[k - j]
        q[k], g[k], h[k] = above / (KM + y[4, 0]), held / (KT + y[5, 0]), used / (KC + y[3, 0])
        dose[k], fed = D[k], N[k]
        for j in range(k + 1):
            dose[k] -= eps * D[j] * q[k - j]
            fed += beta * N[j] * g[k - j]
        one = 1.0 if k == 0 else 0.0
        room = one - N[k] / K
        step = k + 1
        y[0, step] = (rS * room - (uR + uA) * one - kS * dose[k]) / step
        y[1, step] = (rR * room + uR * sr[k] + vR * ar[k] - kR * dose[k]) / step
        y[2, step] = (rA * room + uA * sa[k] - (vR + dA) * one - kA * dose[k]) / step
        y[3, step] = (kC * fed - gC * y[3, k]) / step
        y[4, step] = (m0 * one + kM * (1 - share) * h[k] - gM * y[4, k]) / step
        y[5, step] = (kT * D[k] - gT * y[5, k]) / step


@numba.njit(cache=False, error_model="numpy")
def taylor(z, t, end, drug, p, h, tolerance):
    """The same as `dop853` by Taylor series; the step is where the last two terms are below the tolerance."""
    y, w, steps = np.empty((6, ORDER + 1)), np.empty((12, ORDER + 1)), 0
    start, first = t, drug
    while t < end:
        _series(z, first * np.exp(-p[21] * (t - start)), p, y, w)
        h = end - t
        for i in range(6):
            for order in (ORDER - 1, ORDER):
                term = abs(y[i, order])
                if not term < np.inf:
                    return h, -1
                if term > 0:
                    h = min(h, 0.9 * (0.1 * tolerance * _size(z, i) / term) ** (1 / order))
        steps += 1
        if steps > MOST_STEPS or h < 1e-16 * max(t, 1e-3):
            return h, -1
        for i in range(6):
            total = y[i, ORDER]
            for order in range(ORDER - 1, -1, -1):
                total = total * h + y[i, order]
            z[i] = total
        t = t + h if h < end - t else end
    return h, steps


@numba.njit(cache=False, error_model="numpy")
def _run(method, p, times, pulses, amount, values, tolerance):
    """Logarithms and signals at `times`, before the pulse of that time; the number of steps, below 0 on failure."""
    z = np.array([np.log(0.2), np.log(1e-6), np.log(1e-4), 0.2, 0.5, 0.0])
    t, drug, due, pulse, steps, h = 0.0, 0.0, 0, 0, 0, 1e-4
    while due < len(times):
        stop = min(times[due], pulses[pulse]) if pulse < len(pulses) else times[due]
        if stop > t:
            if method == 0:
                h, taken = dop853(z, t, stop, drug, p, h, tolerance)
            else:
                h, taken = taylor(z, t, stop, drug, p, h, tolerance)
            if taken < 0:
                return -1
            drug, t, steps = drug * np.exp(-p[21] * (stop - t)), stop, steps + taken
            if steps > MOST_STEPS:
                return -1
        while due < len(times) and times[due] <= t:
            values[due, :6], values[due, 6] = z, drug
            due += 1
        if pulse < len(pulses) and pulses[pulse] <= t:
            drug, pulse, h = drug + amount, pulse + 1, 1e-5
    return steps


def reference(p, times, pulses, amount, method, tolerance=TOLERANCE):
    """(n_times, 7) of log S, log R, log A, C, M, T, D, and the steps taken; steps < 0 where it failed."""
    values = np.full((len(times), 7), np.nan)
    p, times = np.ascontiguousarray(p, dtype=float), np.asarray(times, dtype=float)
    steps = _run(0 if method == "DOP853" else 1, p, times, np.asarray(pulses, float), float(amount), values, tolerance)
    return values, steps
