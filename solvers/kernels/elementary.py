"""What each operation of `models.operations` becomes on lanes.

LLVM turns a vector `exp` into one call of the C library a lane, so `exp`, `log` and powers are polynomials here: 1 and
2 units in the last place, powers about 1 + |y log x| of them. Trigonometric and hyperbolic functions are the C
library's, lane by lane: exact to rounding and slow. An operation that is not in `LANES` cannot be emitted.
"""

import math

__all__ = ["LANES", "integer_power", "root_estimate"]

LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
SMALLEST_NORMAL = 2.2250738585072014e-308
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD


def exponential(w, x):
    """exp(x): 0 below -746, infinity above 709.8; NaN stays NaN."""
    bounded = w.where(x < -746.0, -746.0, w.where(x > 710.0, 710.0, x))
    n = w.intrinsic("rint", bounded * (1 / math.log(2)))
    r = (bounded - n * LN2_HIGH) - n * LN2_LOW
    value = w.to(x.kind, 1 / math.factorial(13))
    for k in range(12, -1, -1):
        value = value * r + 1 / math.factorial(k)
    whole = w.to_whole(w.where(n == n, n, 0.0))  # a NaN must not reach the conversion
    half = w.shifted(whole, "ashr", 1)  # by two factors, so that the smallest and largest results come out right
    return value * _two_to(w, half) * _two_to(w, whole - half)


def logarithm(w, x):
    """log(x): minus infinity at 0 and below the normal numbers, NaN for x < 0."""
    bits = w.bits(x)
    exponent = w.shifted(bits - SQRT_HALF_BITS, "ashr", 52)  # so that the mantissa lies in [sqrt(1/2), sqrt(2))
    mantissa = w.from_bits(bits - w.shifted(exponent, "shl", 52))
    n = w.to_double(exponent)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    tail = w.to(x.kind, 2.0 / 21)
    for k in range(19, 1, -2):
        tail = tail * z + 2.0 / k
    value = n * LN2_HIGH + (s * 2.0 + (s * z * tail + n * LN2_LOW))
    value = w.where(x < SMALLEST_NORMAL, -math.inf, value)
    value = w.where(x == math.inf, math.inf, value)
    return w.where(x < 0.0, math.nan, w.where(x == x, value, x))


def power(w, x, y):
    """x**y for a real exponent: NaN for x < 0, 1 for y = 0."""
    return w.where(y == 0.0, 1.0, exponential(w, y * logarithm(w, x)))


def integer_power(x, n):
    """x**n for a whole number n >= 1, by squaring."""
    result = None
    while n:
        if n & 1:
            result = x if result is None else result * x
        n >>= 1
        x = x * x if n else x
    return result


def root_estimate(w, x, order):
    """x**(1/order) within some per cent, for step control: the bits of a double are nearly its logarithm."""
    one = float(0x3FF0000000000000)
    return w.from_bits(w.to_whole((w.to_double(w.bits(x)) - one) * (1.0 / order) + one))


def _two_to(w, n):
    return w.from_bits(w.shifted(n + 1023, "shl", 52))


def _sign(w, x):
    return w.where(x > 0.0, w.to(x.kind, 1.0), w.where(x < 0.0, -1.0, x))


def _step(w, x):
    return w.where(x > 0.0, w.to(x.kind, 1.0), w.where(x < 0.0, 0.0, w.where(x == 0.0, 0.5, x)))


def _extreme(pick):
    def emit(w, a, b):
        a, b = w.alike(a, b)
        return w.where(a == a, w.where(b == b, pick(w, a, b), b), a)  # a NaN shows, as in NumPy

    return emit


def _library(name):
    return lambda w, x: w.library(name, x)


LANES = {
    "exp": exponential,
    "log": logarithm,
    "sqrt": lambda w, x: w.root(x),
    "power": power,
    **{name: _library(name) for name in ("sin", "cos", "tan", "tanh", "sinh", "cosh")},
    "absolute": lambda w, x: w.absolute(x),
    "sign": _sign,
    "step": _step,
    "minimum": _extreme(lambda w, a, b: w.where(a < b, a, b)),
    "maximum": _extreme(lambda w, a, b: w.where(a > b, a, b)),
    "where": lambda w, condition, a, b: w.where(condition, a, b),
}
