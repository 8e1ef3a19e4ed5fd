"""Random systems whose steady states are known: nothing proved may be wrong, counted twice or missed; open is allowed.

Roots are planted as exact doubles (near faces, 1e-13 apart, at folds, outside the box by 1e-12, in units from 1e-12 to
1e12), or follow from linear algebra over fractions, with whole lines and planes of steady states.
"""

import itertools
import math

import mpmath
import numpy as np
import pytest
import sympy as sp

from remission.analysis import steady_states
from remission.models import Model, State
from remission.models.derive import conserved_totals
from remission.solvers import Problem

pytestmark = pytest.mark.optional

PRECISION = 400  # bits
KINDS = ("apart", "near", "face", "fold", "edge", "exponential", "power", "hill")


def fraction(value):
    return sp.Rational(float(value))


def planted(kind, rng, x, size):
    """An expression in x and all its roots (numbers of mpmath), in units of `size`."""
    p = np.sort(rng.uniform(0.05, 0.95, int(rng.integers(1, 4))))
    if kind == "near":
        p = np.append(p, p[0] * (1 + 10.0 ** rng.uniform(-13, -6)))
    elif kind == "face":
        p = np.append(p, [0.0, 10.0 ** rng.uniform(-14, -3) * rng.choice([1, -1])])
    elif kind == "edge":
        p = np.append(p, 1 + rng.choice([-1, 0, 1]) * 10.0 ** rng.uniform(-15.9, -10))
    elif kind == "fold":
        gap = float(rng.choice([0.0, 1e-18, 1e-14, 1e-10, 1e-6])) * size**2 * rng.choice([-1, 1])
        half = mpmath.sqrt(mpmath.mpf(gap)) if gap >= 0 else None
        middle = mpmath.mpf(p[0] * size)
        roots = [] if half is None else [middle - half, middle + half]
        return (x - fraction(p[0] * size)) ** 2 - fraction(gap), roots
    elif kind == "exponential":
        rate = float(10.0 ** rng.uniform(-1, 1) / size)
        roots = [-mpmath.log(mpmath.mpf(v)) / mpmath.mpf(rate) for v in p]
        return sp.prod([sp.exp(-fraction(rate) * x) - fraction(v) for v in p]), roots
    elif kind == "power":
        q = float(rng.choice([2.5, 1.5, 0.5, 1 / 3, 0.785, 3.3]))
        c = [float(v) for v in p * size**q]
        return sp.prod([x ** fraction(q) - fraction(v) for v in c]), [mpmath.mpf(v) ** (1 / mpmath.mpf(q)) for v in c]
    elif kind == "hill":
        return hill(rng, x, size)
    p = p * size
    expression = sp.prod([x - fraction(v) for v in p])
    style = int(rng.integers(3))
    expression = (
        sp.expand(expression) if style == 1 else expression / (fraction(size) + x) if style == 2 else expression
    )
    return expression, [mpmath.mpf(v) for v in p]


def hill(rng, x, size):
    """Self-activation with a whole exponent; roots of its numerator isolated by Sturm's theorem."""
    n, a, d = int(rng.integers(2, 5)), fraction(rng.uniform(0.5, 4)), fraction(rng.uniform(0.5, 2))
    K, s = fraction(rng.uniform(0.1, 0.6) * size), fraction(rng.choice([0, rng.uniform(0.001, 0.2)]) * size)
    expression = s * d + a * fraction(size) * x**n / (K**n + x**n) - d * x
    z = sp.Symbol("z")
    top = sp.Poly(sp.numer(sp.together(expression.xreplace({x: fraction(size) * z}))), z)
    found = top.intervals(eps=sp.Rational(1, 10**45), inf=sp.Rational(-1, 10), sup=2)
    return expression, [mpmath.mpf(int(low.p)) / int(low.q) * mpmath.mpf(size) for (low, _), _ in found]


def planted_system(seed):
    """A problem of one to three states and all tuples of values at which it rests."""
    rng = np.random.default_rng(seed)
    names = "xyz"[: int(rng.choice([1, 1, 2, 2, 3]))]
    spread = rng.random() < 0.4
    sizes = [2.0 ** round(math.log2(10.0 ** rng.uniform(-12, 12))) if spread else 1.0 for _ in names]
    states = [State(n, 0.1 * size, bounds=(0, size)) for n, size in zip(names, sizes, strict=True)]
    pairs = [planted(rng.choice(KINDS), rng, x, size) for x, size in zip(states, sizes, strict=True)]
    rates, roots = [e for e, _ in pairs], [list(r) for _, r in pairs]
    if rng.random() < 0.3:
        rates[0], roots[0] = states[0] * rates[0], [*roots[0], mpmath.mpf(0)]
    elif len(names) > 1 and not spread:
        mix = rng.integers(-3, 4, (len(names),) * 2)
        if round(abs(np.linalg.det(mix))):
            rates = [sum(int(c) * e for c, e in zip(row, rates, strict=True)) for row in mix]
    grid = list(itertools.product(*(sorted(set(r)) for r in roots)))
    return Problem(Model(f"planted_{seed}", rates=dict(zip(states, rates, strict=True)))), grid


def lies_in(ends, point):
    """Whether a point lies in a box, but for the last digits of the point."""
    slack = mpmath.mpf(10) ** -38
    return all(
        mpmath.mpf(low) - slack * abs(v) <= v <= mpmath.mpf(high) + slack * abs(v)
        for (low, high), v in zip(ends.values(), point, strict=True)
    )


def check_planted(seed):
    with mpmath.workprec(PRECISION):
        problem, grid = planted_system(seed)
        found = steady_states(problem, n_starts=4, time_limit=4.0)
        proved = [s.enclosure for s in found if s.proved]
        assert found.proof is not None
        assert not any(s.family for s in found if s.proved)
        held = [[k for k, point in enumerate(grid) if lies_in(ends, point)] for ends in proved]
        assert all(len(h) == 1 for h in held), (seed, proved)
        assert len({h[0] for h in held}) == len(held), (seed, "twice", proved)
        if found.complete:
            for point in grid:
                if all(low <= v <= high for (low, high), v in zip(found.box.values(), point, strict=True)):
                    assert any(lies_in(b, point) for b in [*proved, *found.undecided]), (seed, "missed", point)
        return found.proved


def test_planted_roots_are_neither_missed_nor_doubled():
    decided = [check_planted(seed) for seed in range(45)]
    assert sum(decided) > 22


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_two_thousand_systems_with_planted_roots(block):
    assert sum(check_planted(seed) for seed in range(100 * block, 100 * (block + 1))) > 50


# --- continua ---------------------------------------------------------------------------------------------------------


def niche(seed):
    """Clones x_i' = x_i (a_i - sum b_ij x_j), some without the factor x_i, with many equal and zero numbers."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([2, 2, 3, 3, 4]))
    numbers = [0, 0, 0.5, 1, 1, 1, 2, 0.25, 0.1, 0.3, -0.5]
    a, b = rng.choice(numbers[2:], n), rng.choice(numbers, (n, n))
    if rng.random() < 0.6:
        b = np.tile(b[0], (n, 1))
    if rng.random() < 0.6:
        a = np.full(n, a[0])
    own = [bool(rng.random() < 0.8) for _ in range(n)]
    states = [State(f"x{i}", 0.1, bounds=(0, 2)) for i in range(n)]
    below = 1 + states[0] if rng.random() < 0.3 else 1
    rates = {
        x: (x if own[i] else 1) * (fraction(a[i]) - sum(fraction(b[i, j]) * y for j, y in enumerate(states))) / below
        for i, x in enumerate(states)
    }
    return (
        Model(f"niche_{seed}", rates=rates),
        [fraction(v) for v in a],
        sp.Matrix(n, n, [fraction(v) for v in b.flat]),
        own,
    )


def solutions(a, b, own):
    """Of every set of absent clones the solution of the linear equations that are left: values in free letters."""
    n = len(a)
    letters = sp.symbols(f"u0:{n}")
    owners = [i for i in range(n) if own[i]]
    for zero in itertools.chain.from_iterable(itertools.combinations(owners, k) for k in range(len(owners) + 1)):
        kept = [i for i in range(n) if i not in zero]
        found = [()] if not kept else sp.linsolve(
            (b.extract(kept, kept), sp.Matrix([a[i] for i in kept])), *(letters[i] for i in kept)
        )  # fmt: skip
        for solution in found:
            values = [sp.Integer(0)] * n
            for i, v in zip(kept, solution, strict=True):
                values[i] = v
            if all(values[i] != 0 for i in kept if own[i]):
                yield values, sorted(set().union(*(sp.sympify(v).free_symbols for v in values)), key=str)


def check_niche(seed):
    model, a, b, own = niche(seed)
    if conserved_totals(model):
        return True
    found = steady_states(Problem(model), n_starts=4, time_limit=5.0)
    assert found.complete
    solved = list(solutions(a, b, own))
    continua = [(v, free) for v, free in solved if free]
    points = [v for v, free in solved if not free and all(0 <= x <= 2 for x in v)]
    on_one = [
        any(sp.linsolve([x - y for x, y in zip(w, p, strict=True)], *free) for w, free in continua) for p in points
    ]

    def within(ends, point, slack=0):
        return all(sp.Rational(low) - slack <= v <= sp.Rational(high) + slack
                   for (low, high), v in zip(ends.values(), point, strict=True))  # fmt: skip

    for state in [s for s in found if s.proved and not s.family]:
        assert sum(within(state.enclosure, p) for p in points) == 1, (seed, state.enclosure)
    claimed = [s.enclosure for s in found if s.proved and not s.family]
    for point in [p for p, on in zip(points, on_one, strict=True) if not on]:
        assert any(within(ends, point) for ends in [*claimed, *found.undecided]), (seed, "missed", point)
    families = [r for r in found.proof.found.roots if r.family]
    rng = np.random.default_rng(seed)
    for values, free in continua:
        at = sp.lambdify(free, values)
        draws = (np.array(at(*rng.uniform(0, 2, len(free))), dtype=float) for _ in range(200))
        for point in itertools.islice((d for d in draws if np.all((d >= 0) & (d <= 2))), 3):
            slack = sp.Rational(1, 10**9)
            known = any(within(box, point, slack) for box in found.undecided)
            known |= any(_on(f, model, point) for f in families)
            assert known, (seed, "a continuum is missed", values, point)
    return found.proved


def _on(family, model, point):
    """Whether a point lies on a family, to nine digits of the largest number in each of its equations."""
    put = dict(zip(model.states, point, strict=True))
    inside = np.all((family.enclosure[:, 0] - 1e-9 <= point) & (point <= family.enclosure[:, 1] + 1e-9))
    relations = [(r, max([1.0, *(abs(float(c)) for c in r.atoms(sp.Rational))])) for r in family.of.relations]
    return inside and all(abs(float(r.xreplace(put))) <= 1e-9 * size for r, size in relations)


def test_lines_and_planes_of_steady_states_are_neither_missed_nor_doubled():
    decided = [check_niche(seed) for seed in range(45)]
    assert sum(decided) > 38


@pytest.mark.slow
@pytest.mark.parametrize("block", range(6))
def test_six_hundred_niches(block):
    assert sum(check_niche(seed) for seed in range(100 * block, 100 * (block + 1))) > 90
