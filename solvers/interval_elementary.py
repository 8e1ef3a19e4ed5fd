"""Outward-rounded operations on pairs (low, high) of doubles."""

import math

from .interval_machine import compiled

__all__ = []  # of use inside the package only

INFINITE = math.inf
UNIT, TINY = 2.0**-52, 1e-300
LN2 = (0.6931471805599453, 0.6931471805599454)  # neighbouring doubles around the logarithm of 2
HALF_PI = (1.5707963267948966, 1.5707963267948968)
EXP_TERMS, LOG_TERMS = 14, 13


@compiled
def down(x):
    """A double that lies below every number that rounds to x; minus infinity where x overflowed."""
    y = x - (abs(x) * UNIT + TINY)
    return y if y == y else -INFINITE


@compiled
def up(x):
    """A double that lies above every number that rounds to x; infinity where x overflowed."""
    y = x + (abs(x) * UNIT + TINY)
    return y if y == y else INFINITE


@compiled
def add(a, b, c, d):
    """Sum of two intervals."""
    low, high = a + c, b + d  # a sum with an exact zero is exact
    return (low if a == 0.0 or c == 0.0 else down(low)), (high if b == 0.0 or d == 0.0 else up(high))


@compiled
def subtract(a, b, c, d):
    """Difference of two intervals."""
    low, high = a - d, b - c
    return (low if d == 0.0 else down(low)), (high if c == 0.0 else up(high))


@compiled
def multiply(a, b, c, d):
    """Product of two intervals."""
    if (a == 0.0 and b == 0.0) or (c == 0.0 and d == 0.0):
        return 0.0, 0.0
    if a >= 0.0 and c >= 0.0:
        low, high = a * c, b * d
        if low != low:
            low = 0.0
        if high != high:
            high = 0.0
        return max(0.0, down(low)), up(high)
    p, q, r, s = a * c, a * d, b * c, b * d
    p = 0.0 if p != p else p  # zero times infinity: an end of no length
    q = 0.0 if q != q else q
    r = 0.0 if r != r else r
    s = 0.0 if s != s else s
    return down(min(min(p, q), min(r, s))), up(max(max(p, q), max(r, s)))


@compiled
def divide(a, b, c, d):
    """All quotients with a divisor that is not zero, as one interval."""
    if c > 0.0 or d < 0.0:
        p, q, r, s = a / c, a / d, b / c, b / d
        if p != p or q != q or r != r or s != s:
            return -INFINITE, INFINITE
        low, high = down(min(min(p, q), min(r, s))), up(max(max(p, q), max(r, s)))
        if (a >= 0.0 and c > 0.0) or (b <= 0.0 and d < 0.0):
            low = max(0.0, low)
        if (b <= 0.0 and c > 0.0) or (a >= 0.0 and d < 0.0):
            high = min(0.0, high)
        return low, high
    if c == 0.0 and d > 0.0:
        if a > 0.0:
            return max(0.0, down(a / d)), INFINITE
        if b < 0.0:
            return -INFINITE, min(0.0, up(b / d))
        if a == 0.0:
            return 0.0, INFINITE
    elif d == 0.0 and c < 0.0:
        if a > 0.0:
            return -INFINITE, min(0.0, up(a / c))
        if b < 0.0:
            return max(0.0, down(b / c)), INFINITE
    return -INFINITE, INFINITE


@compiled
def _whole(x, n, upward):
    """x^n for x >= 0, rounded one way."""
    found, base = 1.0, x
    while n > 0:
        if n % 2:
            found = (
                found if base == 1.0 else base if found == 1.0 else up(found * base) if upward else down(found * base)
            )
        n //= 2
        if n:
            base = up(base * base) if upward else down(base * base)
    return found if upward else max(0.0, found)


@compiled
def power_whole(a, b, n):
    """Whole power of an interval."""
    if n == 0:
        return 1.0, 1.0
    if n % 2:
        low = _whole(a, n, False) if a >= 0.0 else -_whole(-a, n, True)
        high = _whole(b, n, True) if b >= 0.0 else -_whole(-b, n, False)
        return low, high
    if a >= 0.0:
        return _whole(a, n, False), _whole(b, n, True)
    if b <= 0.0:
        return _whole(-b, n, False), _whole(-a, n, True)
    return 0.0, _whole(max(-a, b), n, True)


@compiled
def root_whole(x, n, upward):
    """A double above (below) the real n-th root of x, shown by raising it again."""
    if x == 0.0 or x == INFINITE or x == -INFINITE:
        return x
    size = abs(x)
    outward = upward == (x > 0.0)  # whether the root of the size is to be rounded away from zero
    root = math.sqrt(size) if n == 2 else size ** (1.0 / n)
    step = 2.0 * UNIT
    for _ in range(12):
        tried = root * (1.0 + step) if outward else root * (1.0 - step)
        if _whole(tried, n, False) >= size if outward else _whole(tried, n, True) <= size:
            return tried if x > 0.0 else -tried
        step *= 4.0
    if outward:
        return INFINITE if x > 0.0 else -INFINITE
    return 0.0


@compiled
def square_root(a, b):
    """Square root of the part of an interval that has one."""
    low = max(0.0, down(math.sqrt(a))) if a > 0.0 else 0.0
    return low, up(math.sqrt(b)) if b > 0.0 else 0.0


@compiled
def _exp_point(x):
    """exp(x) = 2^k exp(r), |r| <= 0.35; the remainder of the Taylor sum is below r^15 / 15! 1.5."""
    if x > 709.0:
        return 8e307, INFINITE
    if x < -700.0:
        return 0.0, 1e-300
    k = math.floor(x / LN2[0] + 0.5)
    p, q = multiply(float(k), float(k), LN2[0], LN2[1])
    r, s = subtract(x, x, p, q)
    low, high = 1.0, 1.0
    for i in range(EXP_TERMS, 0, -1):
        low, high = multiply(low, high, r, s)
        low, high = divide(low, high, float(i), float(i))
        low, high = add(low, high, 1.0, 1.0)
    size = up(1.5 * _whole(max(abs(r), abs(s)), EXP_TERMS + 1, True) / 1.3e12)
    two = math.ldexp(1.0, k)
    return max(0.0, down(down(low - size) * two)), up(up(high + size) * two)


@compiled
def exponential(a, b):
    """Exponential of an interval."""
    low = 0.0 if a == -INFINITE else _exp_point(a)[0]
    high = INFINITE if b == INFINITE else _exp_point(b)[1] if b > -INFINITE else 1e-300
    return low, high


@compiled
def _log_point(x):
    """log(x) = e log 2 + 2 artanh(z), z = (m - 1) / (m + 1), |z| < 0.1716; |later terms| < 0.05 z^26 |2 z|."""
    m, e = math.frexp(x)
    if m < 0.7071067811865476:
        m, e = 2.0 * m, e - 1
    p, q = subtract(m, m, 1.0, 1.0)
    r, s = add(m, m, 1.0, 1.0)
    z, w = divide(p, q, r, s)
    p, q = power_whole(z, w, 2)
    low, high = down(1.0 / (2 * LOG_TERMS - 1)), up(1.0 / (2 * LOG_TERMS - 1))
    low, high = add(low, high, 0.0, up(0.05 * q))  # all later terms, of which the first is q / 27
    for i in range(LOG_TERMS - 2, -1, -1):
        low, high = multiply(low, high, p, q)
        low, high = add(low, high, down(1.0 / (2 * i + 1)), up(1.0 / (2 * i + 1)))
    low, high = multiply(low, high, 2.0 * z, 2.0 * w)
    p, q = multiply(float(e), float(e), LN2[0], LN2[1])
    return add(low, high, p, q)


@compiled
def logarithm(a, b):
    """Natural logarithm of the part of an interval that has one."""
    low = -INFINITE if a <= 0.0 else INFINITE if a == INFINITE else _log_point(a)[0]
    high = -INFINITE if b <= 0.0 else INFINITE if b == INFINITE else _log_point(b)[1]
    return min(low, 709.8), high


@compiled
def power(a, b, c, d):
    """x^y for x >= 0."""
    if c == 0.0 and d == 0.0:
        return 1.0, 1.0
    if b <= 0.0 and c > 0.0:
        return 0.0, 0.0
    p, q = logarithm(a, b)
    p, q = multiply(p, q, c, d)
    return exponential(p, q)


@compiled
def _wave(x, shift):
    """sin(x + shift pi/2) of a point, by the Taylor sum after quarter turns are taken away."""
    if not abs(x) < 1e6:
        return -1.0, 1.0
    k = math.floor(x / HALF_PI[0] + 0.5)
    p, q = multiply(float(k), float(k), HALF_PI[0], HALF_PI[1])
    r, s = subtract(x, x, p, q)
    turn = (k + shift) % 4
    p, q = power_whole(r, s, 2)
    low, high = 1.0, 1.0
    odd = 1 - turn % 2  # sine of the rest at even turns, cosine at odd ones
    for i in range(9, 0, -1):
        low, high = multiply(low, high, p, q)
        n = float((2 * i + odd) * (2 * i - 1 + odd))
        low, high = divide(low, high, n, n)
        low, high = subtract(1.0, 1.0, low, high)
    size = 1e-16  # above 0.8^20 / 20!
    low, high = low - size, high + size
    if odd:
        low, high = multiply(low, high, r, s)
    if turn >= 2:
        low, high = -high, -low
    return max(-1.0, down(low)), min(1.0, up(high))


@compiled
def _sine_of(a, b, shift):
    if not b - a < 6.0:
        return -1.0, 1.0
    p, q = _wave(a, shift)
    r, s = _wave(b, shift)
    low, high = min(p, r), max(q, s)
    for side in (1.0, -1.0):  # a crest (trough) at (1 - shift) pi/2 + 2 pi k ((-1 - shift) pi/2 + 2 pi k)
        first = math.floor((a / HALF_PI[0] - (side - shift)) / 4.0 - 1e-9)
        last = math.floor((b / HALF_PI[0] - (side - shift)) / 4.0 + 1e-9)
        if first != last:
            low, high = (low, 1.0) if side > 0.0 else (-1.0, high)
    return low, high


@compiled
def sine(a, b):
    """Sine of an interval."""
    return _sine_of(a, b, 0)


@compiled
def cosine(a, b):
    """Cosine of an interval."""
    return _sine_of(a, b, 1)


@compiled
def _tanh_point(x):
    """1 - 2 / (exp(2 x) + 1)."""
    p, q = exponential(2.0 * x, 2.0 * x)
    p, q = add(p, q, 1.0, 1.0)
    p, q = divide(2.0, 2.0, p, q)
    return subtract(1.0, 1.0, p, q)


@compiled
def tangent_hyperbolic(a, b):
    """Hyperbolic tangent of an interval."""
    return max(-1.0, _tanh_point(a)[0]), min(1.0, _tanh_point(b)[1])
