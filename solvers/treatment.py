"""Treatment: what is given when. Values only; `schedule` turns them into times and levels for one problem."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import sympy as sp

from remission.models import Letter, Parameter
from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

__all__ = ["Jump", "Rule", "Treatment", "Window"]


@dataclass(frozen=True)
class Window:
    """A level of an input, or a rate into a state, from `start` to `end`, repeated every `period`."""

    target: str
    level: sp.Expr
    start: sp.Expr = -sp.oo
    end: sp.Expr = sp.oo
    period: sp.Expr | None = None
    repeats: int | None = 1
    into_state: bool = False


@dataclass(frozen=True)
class Jump:
    """At `time` a state becomes `kept` times itself plus `amount`, repeated every `period`."""

    target: str
    time: sp.Expr
    amount: sp.Expr = sp.S.Zero
    kept: sp.Expr = sp.S.One
    period: sp.Expr | None = None
    repeats: int | None = 1


@dataclass(frozen=True)
class Rule:
    """A machine of modes: each mode sets input levels; an observable that crosses a threshold changes the mode.

    `levels[mode]` is a tuple of (input, level); `transitions` are (from, to, threshold, direction) with direction
    -1 for falling below and +1 for rising above. With `check_every` the rule looks only at visits.
    """

    of: str
    levels: tuple
    transitions: tuple
    mode: int = 0
    relative_to: str | None = None
    check_every: sp.Expr | None = None
    lead_in: sp.Expr = sp.S.Zero
    max_switches: int = 1000


@refuse_unknown_keywords
@dataclass(frozen=True)
class Treatment:
    """Doses, dose levels, surgery and rules; `a + b` gives both.

    Make one with the class methods below. Every amount, level and time may be a number, a `Parameter` or an
    expression in Parameters: it is then a parameter of the problem, with exact sensitivities. Times are in the
    model's unit. Levels of one input that overlap add.

    Parameters
    ----------
    windows, jumps, rules : tuple
        What the class methods make.

    Examples
    --------
    >>> cycles = Treatment.intermittent({"e": 1.0}, on=7, off=7) + Treatment.constant({"B": 30})
    >>> print(cycles)
    e = 1 for 7 from 0, every 14; B = 30 always
    """

    windows: tuple = ()
    jumps: tuple = ()
    rules: tuple = ()

    @classmethod
    def none(cls) -> "Treatment":
        """No treatment: every input stays at its default.

        Examples
        --------
        >>> print(Treatment.none())
        no treatment
        """
        return cls()

    @classmethod
    @refuse_unknown_keywords
    def constant(cls, levels, start=None, end=None) -> "Treatment":
        """Inputs held at a level, always or from `start` to `end`.

        Parameters
        ----------
        levels : dict
            Input -> level.
        start, end : number or expression, optional
            Time of the first and the last moment.

        Examples
        --------
        >>> print(Treatment.constant({"u": 1.0}, start=10))
        u = 1 from 10
        """
        first = -sp.oo if start is None else _value("start", start)
        last = sp.oo if end is None else _value("end", end)
        return cls(windows=tuple(Window(n, v, first, last) for n, v in _levels(levels)))

    @classmethod
    @refuse_unknown_keywords
    def intermittent(cls, levels, on, off, start=0, cycles=None) -> "Treatment":
        """Inputs held at a level for `on`, then off for `off`, again and again.

        Parameters
        ----------
        levels : dict
            Input -> level while on.
        on, off : number or expression
            Duration of the two phases.
        start : number or expression
            Time of the first dose.
        cycles : int, optional
            Number of cycles; until the end of the problem if not given.

        Examples
        --------
        >>> print(Treatment.intermittent({"u": 0.5}, on=7, off=14, cycles=3))
        u = 0.5 for 7 from 0, every 21, 3 times
        """
        on, off, start = _value("on", on), _value("off", off), _value("start", start)
        _refuse_unless(
            on.is_positive is not False and off.is_nonnegative is not False, "on must be above 0, off not below"
        )
        windows = (Window(n, v, start, start + on, on + off, _count("cycles", cycles)) for n, v in _levels(levels))
        return cls(windows=tuple(windows))

    @classmethod
    @refuse_unknown_keywords
    def adaptive(
        cls,
        levels,
        *,
        of,
        pause_below,
        resume_above,
        relative_to="start",
        check_every=None,
        on_at_start=True,
        lead_in=0,
        max_switches=1000,
    ) -> "Treatment":
        """Dose until an observable has fallen, pause until it has risen.

        Parameters
        ----------
        levels : dict
            Input -> level while on.
        of : str
            State or observable that is watched.
        pause_below, resume_above : number or expression
            Thresholds, in units of `of` or as fractions of its initial value; `pause_below < resume_above`.
        relative_to : {"start", None}
            Whether thresholds are fractions of the initial value.
        check_every : number or expression, optional
            Time between visits; watched continuously if not given.
        on_at_start : bool
            Whether treatment starts at once.
        lead_in : number or expression
            Time of uninterrupted dosing before the rule begins.
        max_switches : int
            More switches than this end the solution with status `"chattering"`.

        Raises
        ------
        ProblemError
            If `pause_below` is not below `resume_above`.

        Examples
        --------
        >>> print(Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0))
        u = 1 until burden < 0.5 of its start, off until burden > 1 of its start
        """
        low, high = _value("pause_below", pause_below), _value("resume_above", resume_above)
        _refuse_unless((low < high) != sp.false, f"pause_below must be below resume_above, got {low} and {high}")
        _refuse_unless(relative_to in ("start", None), f"relative_to is 'start' or None, got {relative_to!r}")
        given = _levels(levels)
        off = tuple((name, sp.S.Zero) for name, _ in given)
        rule = Rule(
            of=str(of),
            levels=(given, off),
            transitions=((0, 1, low, -1), (1, 0, high, 1)),
            mode=0 if on_at_start else 1,
            relative_to=relative_to,
            check_every=None if check_every is None else _value("check_every", check_every),
            lead_in=_value("lead_in", lead_in),
            max_switches=max_switches,
        )
        return cls(rules=(rule,))

    @classmethod
    @refuse_unknown_keywords
    def switch_when(cls, levels, *, of, above=None, below=None, before=None, relative_to=None) -> "Treatment":
        """Change input levels once, when an observable first crosses a threshold.

        The two phases of oncogene withdrawal: grow until 1e8 cells, then withdraw.

        Parameters
        ----------
        levels : dict
            Input -> level after the switch.
        of : str
            State or observable that is watched.
        above, below : number or expression
            Threshold: give one.
        before : dict, optional
            Input -> level before the switch; 0 if not given.
        relative_to : {"start", None}
            Whether the threshold is a fraction of the initial value.

        Raises
        ------
        ProblemError
            If not exactly one of `above` and `below` is given.

        Examples
        --------
        >>> print(Treatment.switch_when({"u": 1}, of="burden", above=1e8))
        u = 0 until burden > 1e+08, then u = 1
        """
        _refuse_unless((above is None) != (below is None), "switch_when needs above= or below=, one of them")
        _refuse_unless(relative_to in ("start", None), f"relative_to is 'start' or None, got {relative_to!r}")
        after, start = dict(_levels(levels)), dict(_levels(before or {}, allow_none=True))
        names = sorted({*after, *start})
        first = tuple((n, start.get(n, sp.S.Zero)) for n in names)
        then = tuple((n, after.get(n, sp.S.Zero)) for n in names)
        threshold = _value("threshold", above if above is not None else below)
        way = ((0, 1, threshold, 1 if above is not None else -1),)
        return cls(rules=(Rule(str(of), (first, then), way, relative_to=relative_to),))

    @classmethod
    @refuse_unknown_keywords
    def bolus(cls, amounts, *, at=0, every=None, times=None, lag=0) -> "Treatment":
        """Amounts put into states in an instant.

        Parameters
        ----------
        amounts : dict
            State -> amount, in the state's unit.
        at : number, expression or list of them
            Time of the first dose, or of each dose.
        every : number or expression, optional
            Time between doses; one dose if not given.
        times : int, optional
            Number of doses; until the end of the problem if `every` is given and this is not.
        lag : number or expression
            Delay added to every time.

        Examples
        --------
        >>> print(Treatment.bolus({"C": 5}, every=7, times=6))
        5 into C at 0, every 7, 6 times
        """
        return cls(jumps=tuple(_jumps(amounts, at, every, times, lag)))

    @classmethod
    @refuse_unknown_keywords
    def infusion(cls, rates, *, start=0, duration, every=None, times=None) -> "Treatment":
        """Constant rates into states for a while.

        Parameters
        ----------
        rates : dict
            State -> amount per unit of time.
        start, duration : number or expression
            Begin and length of an infusion.
        every : number or expression, optional
            Time between the beginnings of infusions; one infusion if not given.
        times : int, optional
            Number of infusions.

        Examples
        --------
        >>> print(Treatment.infusion({"C": 24}, start=1, duration=0.25))
        24 per unit of time into C for 0.25 from 1
        """
        start, duration = _value("start", start), _value("duration", duration)
        _refuse_unless(duration.is_positive is not False, f"duration must be above 0, got {duration}")
        period, repeats = _repeat(every, times)
        windows = (Window(n, v, start, start + duration, period, repeats, into_state=True) for n, v in _levels(rates))
        return cls(windows=tuple(windows))

    @classmethod
    @refuse_unknown_keywords
    def surgery(cls, fractions, *, at) -> "Treatment":
        """Remove a fraction of states in an instant.

        Parameters
        ----------
        fractions : dict
            State -> fraction removed, 0 to 1.
        at : number or expression
            Time of the operation.

        Examples
        --------
        >>> print(Treatment.surgery({"T": 0.999}, at=90))
        0.001 of T kept at 90
        """
        time = _value("at", at)
        jumps = []
        for name, fraction in _levels(fractions):
            inside = fraction.is_number is False or 0 <= float(fraction) <= 1
            _refuse_unless(inside, f"surgery removes a fraction from 0 to 1 of {name}, got {fraction}")
            jumps.append(Jump(name, time, kept=1 - fraction))
        return cls(jumps=tuple(jumps))

    @classmethod
    @refuse_unknown_keywords
    def from_table(cls, rows, *, into=None) -> "Treatment":
        """The treatment that a table of doses records.

        Parameters
        ----------
        rows : iterable of dict
            Each with `time`, `into` (state or input) and one of `amount` (into a state, at once, or over
            `duration`), `rate` (into a state, over `duration`) or `on` (level of an input over `duration`).
        into : dict, optional
            Name in the table -> name in the model.

        Raises
        ------
        ProblemError
            If a row has none of the three, or needs a duration that is missing.

        Examples
        --------
        >>> print(Treatment.from_table([{"time": 3, "into": "drug", "on": 1, "duration": 4}], into={"drug": "u"}))
        u = 1 for 4 from 3
        """
        total = cls()
        for number, row in enumerate(rows, 1):
            total = total + _from_row(number, row, into or {})
        return total

    def __add__(self, other):
        if not isinstance(other, Treatment):
            return NotImplemented
        return Treatment(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __str__(self):
        parts = [_window_text(w) for w in self.windows] + [_jump_text(j) for j in self.jumps]
        return "; ".join(parts + [_rule_text(r) for r in self.rules]) or "no treatment"

    def expressions(self) -> tuple:
        """All amounts, levels, times and thresholds, in a fixed order."""
        found = [v for w in self.windows for v in (w.level, w.start, w.end, w.period)]
        found += [v for j in self.jumps for v in (j.time, j.amount, j.kept, j.period)]
        for rule in self.rules:
            found += [rule.check_every, rule.lead_in]
            found += [level for mode in rule.levels for _, level in mode]
            found += [threshold for _, _, threshold, _ in rule.transitions]
        return tuple(found)

    def parameters(self) -> tuple:
        """Parameters that amounts, levels and times depend on, sorted by name."""
        found = {s for e in self.expressions() if e is not None for s in e.free_symbols}
        return tuple(sorted(found, key=lambda s: s.name))


def _value(name, value):
    try:
        expression = sp.sympify(value)
    except (sp.SympifyError, TypeError):
        raise ProblemError(f"treatment: {name} is {value!r}, which is not a number or an expression") from None
    if isinstance(value, str) or not isinstance(expression, sp.Expr) or expression.has(sp.nan, sp.oo, sp.zoo):
        raise ProblemError(f"treatment: {name} must be a finite number or an expression in Parameters, got {value!r}")
    strange = [s for s in expression.free_symbols if not isinstance(s, Parameter)]
    _refuse_unless(not strange, f"{name} = {expression} may depend on Parameters only, not on {strange}")
    return expression


def _levels(levels, allow_none=False):
    if not hasattr(levels, "items") or not (levels or allow_none):
        raise ProblemError(f"treatment: give a dictionary such as {{'u': 1.0}}, got {levels!r}")
    return tuple((k.name if isinstance(k, Letter) else str(k), _value(f"level of {k}", v)) for k, v in levels.items())


def _refuse_unless(holds, text):
    if not holds:
        raise ProblemError(f"treatment: {text}")


def _count(name, value):
    if value is None:
        return None
    _refuse_unless(int(value) == value and value >= 1, f"{name} must be a whole number above 0, got {value!r}")
    return int(value)


def _repeat(every, times):
    if every is None:
        _refuse_unless(times in (None, 1), f"{times} times needs every=, the time between them")
        return None, 1
    period = _value("every", every)
    _refuse_unless(period.is_positive is not False, f"every must be above 0, got {period}")
    return period, _count("times", times)


def _jumps(amounts, at, every, times, lag):
    moments = list(at) if isinstance(at, Iterable) else [at]
    period, repeats = _repeat(every, times)
    _refuse_unless(period is None or len(moments) == 1, "give a list of times or every=, not both")
    for name, amount in _levels(amounts):
        for moment in moments:
            yield Jump(name, _value("at", moment) + _value("lag", lag), amount, sp.S.One, period, repeats)


def _from_row(number, row, into):
    target = into.get(row["into"], row["into"])
    given = [k for k in ("amount", "rate", "on") if _given(row.get(k))]
    if len(given) != 1:
        raise ProblemError(f"dose row {number}: give one of amount, rate, on; it has {given or 'none of them'}")
    how, time, length = given[0], float(row["time"]), row.get("duration")
    value = float(row[how])
    if how == "amount" and not (_given(length) and float(length) > 0):
        return Treatment.bolus({target: value}, at=time)
    if not _given(length):
        raise ProblemError(f"dose row {number}: {how!r} into {target} needs a duration")
    length = float(length)
    if how == "on":
        if value == 0:
            return Treatment(windows=(Window(target, sp.S.Zero, _value("time", time), _value("end", time + length)),))
        return Treatment.constant({target: value}, start=time, end=time + length)
    rate = value / length if how == "amount" else value
    return Treatment.infusion({target: rate}, start=time, duration=length)


def _given(value):
    return value is not None and value == value and value != ""


def _number(value):
    return f"{float(value):g}" if value.is_number else str(value)


def _every(thing):
    text = "" if thing.period is None else f", every {_number(thing.period)}"
    return text + ("" if thing.period is None or thing.repeats is None else f", {thing.repeats} times")


def _window_text(window):
    if window.into_state:
        what = f"{_number(window.level)} per unit of time into {window.target}"
    else:
        what = f"{window.target} = {_number(window.level)}"
    if window.start == -sp.oo:
        return what + (" always" if window.end == sp.oo else f" until {_number(window.end)}")
    length = "" if window.end == sp.oo else f" for {_number(sp.expand(window.end - window.start))}"
    return f"{what}{length} from {_number(window.start)}{_every(window)}"


def _jump_text(jump):
    if jump.kept != 1:
        return f"{_number(jump.kept)} of {jump.target} kept at {_number(jump.time)}"
    return f"{_number(jump.amount)} into {jump.target} at {_number(jump.time)}{_every(jump)}"


def _rule_text(rule):
    scale = " of its start" if rule.relative_to else ""
    words = {-1: "<", 1: ">"}
    texts = [", ".join(f"{n} = {_number(v)}" for n, v in mode) for mode in rule.levels]
    if len(rule.transitions) == 1:
        (_, _, threshold, way) = rule.transitions[0]
        return f"{texts[0]} until {rule.of} {words[way]} {_number(threshold)}{scale}, then {texts[1]}"
    low, high = rule.transitions[0][2], rule.transitions[1][2]
    visits = "" if rule.check_every is None else f", looked at every {_number(rule.check_every)}"
    return f"{texts[0]} until {rule.of} < {_number(low)}{scale}, off until {rule.of} > {_number(high)}{scale}{visits}"


def unknown_target(target, options, what):
    """Error for a treatment that names something the model does not have."""
    return ProblemError(f"treatment: {what} has no {target!r}; {did_you_mean(target, options)}")
