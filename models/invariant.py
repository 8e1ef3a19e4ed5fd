"""A box that no solution leaves: shown with outward-rounded intervals, face by face."""

from dataclasses import dataclass

import sympy as sp

from .errors import ModelError, did_you_mean, refuse_unknown_keywords
from .expressions import function_source

__all__ = ["InvariantBox", "invariant_box"]

DOUBLINGS, HALVINGS = 80, 24  # of a bound in search of one that holds, and then of the smallest
LARGEST = 12  # states; the derivatives are brought into factors, which takes long for many
MOST = 1e30  # stands for any value of a state that has no bound, and for any time
PIECES = 4  # of the other states' ranges when a face is looked at


@dataclass(frozen=True)
class InvariantBox:
    """Bounds that hold for all time once they hold, at one set of parameters and for all levels of the inputs.

    Attributes
    ----------
    bounds : dict
        Name of a state -> (lowest, highest), in its unit.
    nonnegative : tuple of str
        States that cannot become negative while the others are not negative; this needs no upper bounds.
    reason : str
        Why there are no bounds: the first face that could not be shown; empty when there are.
    """

    bounds: dict
    nonnegative: tuple
    reason: str = ""

    def __bool__(self):
        return bool(self.bounds)

    def __str__(self):
        if not self.bounds:
            return f"none found: {self.reason}"
        return ", ".join(f"{low:g} <= {name} <= {high:.6g}" for name, (low, high) in self.bounds.items())


@refuse_unknown_keywords
def invariant_box(model, parameters=None, inputs=None) -> InvariantBox:
    """Search for a box [0, H] that no solution leaves.

    The box holds the model's own start. On the face where a state is 0 its rate must not be negative anywhere, on the
    face where it is H not positive; both are shown with interval arithmetic, so that a box that is returned is proved.
    That none is found proves nothing: intervals overestimate, and the bounds are searched by doubling.

    Parameters
    ----------
    model : Model
        Without fluxes in the equations; its reaction part is looked at.
    parameters : dict, optional
        Name -> value, where it differs from the default.
    inputs : dict, optional
        Name -> (lowest, highest) level; between 0 and 1 if not given.

    Returns
    -------
    InvariantBox

    Raises
    ------
    ModelError
        If a name is unknown.

    Examples
    --------
    >>> from remission.models import logistic_growth
    >>> print(invariant_box(logistic_growth()))
    0 <= V <= 6920
    """
    if len(model.states) > LARGEST:
        return InvariantBox({}, (), f"not looked for: more than {LARGEST} states")
    faces = _Faces(model, _numbers(model, parameters), _levels(model, inputs))
    names = [s.name for s in model.states]
    nonnegative = tuple(n for i, n in enumerate(names) if faces.holds_at_zero(i, [MOST] * len(names)))
    highest, reason = _grown(faces, names)
    if reason:
        return InvariantBox({}, nonnegative, reason)
    for i in range(len(names)):
        highest[i] = _shrunk(faces, highest, i)
    return InvariantBox({n: (0.0, h) for n, h in zip(names, highest, strict=True)}, nonnegative)


def _grown(faces, names):
    """Upper ends that hold, doubled where they do not, and the reason where none do."""
    highest = list(faces.first)
    for _ in range(DOUBLINGS):
        failing = [i for i in range(len(names)) if not faces.holds_at_top(i, highest)]
        if not failing:
            low = next((i for i in range(len(names)) if not faces.holds_at_zero(i, highest)), None)
            return highest, "" if low is None else f"{names[low]} could become negative"
        for i in failing:
            highest[i] *= 2.0
    return highest, f"{', '.join(names[i] for i in failing)} could grow without bound"


def _shrunk(faces, highest, i):
    """Nearly the smallest upper end of one state at which the whole box still holds."""
    low, high = faces.first[i], highest[i]
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        tried = [*highest[:i], middle, *highest[i + 1 :]]
        if all(faces.holds_at_top(k, tried) for k in range(len(tried))):
            high = middle
        else:
            low = middle
    rounded = float(f"{high:.4g}")  # a bound that reads well, where it holds too
    tried = [*highest[:i], rounded, *highest[i + 1 :]]
    return (
        rounded if rounded >= faces.first[i] and all(faces.holds_at_top(k, tried) for k in range(len(tried))) else high
    )


class _Faces:
    """Signs of the rates on the faces of a box.

    Where the interval of a derivative has one sign, the rate is monotone in that letter and only one end of its range
    matters: without this P / (1 + P) alone would seem to reach the largest P.
    """

    def __init__(self, model, parameters, levels):
        from mpmath import iv

        self.iv, self.levels = iv, levels
        self.parameters = [iv.mpf(p) for p in parameters]
        put = dict(zip(model.parameters, parameters, strict=True))
        starts = [float(s.info.initial.xreplace(put)) for s in model.states]
        self.first = [
            max(abs(start), s.info.scale or 0.0) or 1.0 for start, s in zip(starts, model.states, strict=True)
        ]
        self.letters = (model.states, model.parameters, model.inputs)
        self.at_top = [self._functions(rate) for rate in model.equations.values()]
        self.at_zero = [self._functions(rate.xreplace({s: sp.Integer(0)})) for s, rate in model.equations.items()]

    def _functions(self, rate):
        """The rate alone, and its derivatives by states and inputs."""
        made = []
        slopes = [sp.diff(rate, letter) for letter in (*self.letters[0], *self.letters[2])]
        slopes = [d if d.has(sp.Float) else sp.factor(d) for d in slopes]  # factors of doubles would be rounded
        for expressions in ([rate], slopes):  # a quotient in factors shows its sign to intervals, a sum hides it
            space = _operations(self.iv)
            exec(function_source("face", expressions, self.letters), space)
            made.append(space["face"])
        return made

    def holds_at_zero(self, i, highest):
        return self._all(self.at_zero[i], i, 0.0, highest, -1)

    def holds_at_top(self, i, highest):
        return self._all(self.at_top[i], i, highest[i], highest, 1)

    def _all(self, functions, i, at, highest, sign):
        """Whether sign * rate <= 0 on a face; the range of each other state in turn is cut into pieces."""
        iv = self.iv
        point = [iv.mpf([0.0, h]) for h in highest]
        point[i] = iv.mpf(at)
        if self._holds(functions, point, sign):
            return True
        for k, high in enumerate(highest):
            pieces = [iv.mpf([high * p / PIECES, high * (p + 1) / PIECES]) for p in range(PIECES)]
            if k != i and all(self._holds(functions, [*point[:k], c, *point[k + 1 :]], sign) for c in pieces):
                return True
        return False

    def _holds(self, functions, point, sign):
        rate, slopes = functions
        t = self.iv.mpf([0.0, MOST])
        try:
            found = slopes(t, point, self.parameters, self.levels)
            ends = [self._end(x, self.iv.mpf(d) * sign) for x, d in zip([*point, *self.levels], found, strict=True)]
            value = self.iv.mpf(rate(t, ends[: len(point)], self.parameters, ends[len(point) :])[0]) * sign
            return bool(value.b <= 0)
        except (ArithmeticError, ValueError, TypeError, AttributeError, NotImplementedError):
            return False  # an operation without an interval form proves nothing

    def _end(self, x, slope):
        """The end of a range at which sign * rate is largest, or all of it."""
        return self.iv.mpf(x.b) if slope.a >= 0 else self.iv.mpf(x.a) if slope.b <= 0 else x


def _operations(iv):
    def refuse(*_):
        raise NotImplementedError

    def power(a, b):
        a, b = iv.mpf(a), iv.mpf(b)
        if b.a == b.b and float(b.a).is_integer():
            return a ** int(b.a)
        if a.a == 0 and b.a > 0:  # the logarithm behind a general power has no value at 0
            return iv.mpf([0.0, (iv.mpf(a.b) ** b).b])
        return a**b

    known = {"exp": iv.exp, "log": iv.log, "sqrt": iv.sqrt, "sin": iv.sin, "cos": iv.cos, "absolute": abs}
    names = ("tan", "tanh", "sinh", "cosh", "sign", "step", "minimum", "maximum", "where")
    return {"nan": float("nan"), "power": power, **dict.fromkeys(names, refuse), **known}


def _numbers(model, parameters):
    given = {getattr(k, "name", k): float(v) for k, v in (parameters or {}).items()}
    names = [p.name for p in model.parameters]
    for name in given:
        if name not in names:
            raise ModelError(f"{model.name} has no parameter {name!r}; {did_you_mean(name, names)}")
    return [given.get(p.name, p.info.value) for p in model.parameters]


def _levels(model, inputs):
    from mpmath import iv

    given = {getattr(k, "name", k): v for k, v in (inputs or {}).items()}
    names = [u.name for u in model.inputs]
    for name in given:
        if name not in names:
            raise ModelError(f"{model.name} has no input {name!r}; {did_you_mean(name, names)}")
    return [iv.mpf(list(given.get(name, (0.0, 1.0)))) for name in names]
