"""A model as plain text, as LaTeX, and as the boxes and arrows of its compartment diagram."""

import re
from dataclasses import dataclass

import sympy as sp

__all__ = ["Arrow", "diagram_arrows", "letters_latex", "model_latex", "model_text", "parameter_table"]


def model_text(model) -> str:
    """Equations, observables and source in lines that read like the paper's system.

    Parameters
    ----------
    model : Model

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> S = State("S", 1.0)
    >>> print(model_text(Model("decay", rates={S: -Parameter("k", 0.5) * S}, observables={"twice": 2 * S})))
    decay (time in day)
      dS/dt = -k*S
      twice = 2*S
    """
    unit = "scaled time" if model.time_unit in ("1", "") else f"time in {model.time_unit}"
    lines = [f"{model.name} ({unit})"]
    lines += [f"  d{state}/dt = {expression}" for state, expression in model.equations.items()]
    lines += [f"  flux of {state} = {flux}" for state, flux in model.fluxes.items()]
    lines += [f"  {name} = {expression}" for name, expression in model.observables.items()]
    if model.source:
        lines.append(f"  source: {model.source}")
    return "\n".join(lines)


def model_latex(model) -> str:
    """LaTeX of the equations, one aligned line a state.

    Parameters
    ----------
    model : Model

    Returns
    -------
    str
        An `aligned` environment, without dollar signs.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> S = State("S", 1.0)
    >>> print(model_latex(Model("decay", rates={S: -Parameter("k", 0.5) * S})))
    \\begin{aligned}
    \\frac{dS}{dt} &= - k S
    \\end{aligned}
    """
    among, lines = (*model.states, *model.parameters, *model.inputs), []
    for state, expression in model.equations.items():
        left, right = letters_latex(state, among), letters_latex(expression, among)
        if state in model.fluxes:
            moved = letters_latex(-model.fluxes[state], among).replace(r"\operatorname{grad}", r"\nabla ")
            right = rf"\nabla \cdot \left({moved}\right)" + ("" if expression == 0 else _joined(right))
            lines.append(rf"\frac{{\partial {left}}}{{\partial t}} &= {right}")
        else:
            lines.append(rf"\frac{{d{left}}}{{dt}} &= {right}")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _joined(text):
    return f" {text}" if text.startswith("-") else f" + {text}"


def letters_latex(expression, among=()) -> str:
    """LaTeX of an expression or matrix in which a name of several letters is one symbol and not a product.

    Parameters
    ----------
    expression : sympy.Expr or sympy.Matrix
    among : sequence of Symbol
        Other symbols of the model; names that would look the same are written out.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.models import Parameter
    >>> print(letters_latex(Parameter("gX", 1.0) * Parameter("kap_S", 1.0) / Parameter("crowd_R", 1.0)))
    \\frac{g_{X} \\kappa_{S}}{\\mathrm{crowd}_{R}}
    """
    symbols = {s for s in (*expression.free_symbols, *among) if hasattr(s, "name")}
    shown = {s: _letter(s.name) for s in symbols}
    taken = list(shown.values())
    for symbol, letter in shown.items():
        if taken.count(letter) > 1:
            shown[symbol] = rf"\mathrm{{{symbol.name}}}".replace("_", r"\_")
    return sp.latex(expression, symbol_names=shown)


SHORT = {"al": "alpha", "eps": "epsilon", "gam": "gamma", "kap": "kappa", "lam": "lambda", "sig": "sigma"}
GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "eta", "kappa", "lambda", "mu", "nu", "rho", "sigma", "tau",
         "theta", "chi", "phi")  # fmt: skip


def _letter(name):
    """`d_R`, `gX` and `etaF` are a letter with an index, `kap` is kappa, other words are words."""
    head, _, index = name.partition("_")
    if not index:
        letter = re.fullmatch(rf"({'|'.join((*GREEK, *SHORT))}|[A-Za-z])([A-Za-z]?|\d+)", head)
        if letter:
            head, index = letter.groups()
    head = SHORT.get(head, head)
    shown = rf"\{head}" if head in GREEK else head if len(head) == 1 else rf"\mathrm{{{head}}}"
    if not index:
        return shown
    index = index.replace("_", r"\_")
    return shown + "_{" + (index if len(index) == 1 or index.isdigit() else rf"\mathrm{{{index}}}") + "}"


def parameter_table(model) -> list[dict]:
    """Rows that describe every state, parameter and input.

    Parameters
    ----------
    model : Model

    Returns
    -------
    list of dict
        Keys name, role, value, unit, plausible, about; all text.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> k = Parameter("k", 0.5, unit="1/day", plausible=(0.1, 1), about="loss")
    >>> parameter_table(Model("decay", rates={(S := State("S", 1.0)): -k * S}))[1]
    {'name': 'k', 'role': 'parameter', 'value': '0.5', 'unit': '1/day', 'plausible': '0.1 to 1', 'about': 'loss'}
    """
    rows = [_row(s, s.info.kind + " state", _start(s.info.initial)) for s in model.states]
    rows += [_row(p, "parameter", f"{p.info.value:g}") for p in model.parameters]
    return rows + [_row(u, "input", f"{u.info.default:g}") for u in model.inputs]


def _start(initial):
    initial = sp.sympify(initial)
    return f"{float(initial):g}" if initial.is_number else str(initial)


def _row(symbol, role, value):
    plausible = getattr(symbol.info, "plausible", None)
    text = "" if plausible is None else f"{plausible[0]:g} to {plausible[1]:g}"
    info = symbol.info
    return {
        "name": symbol.name,
        "role": role,
        "value": value,
        "unit": info.unit,
        "plausible": text,
        "about": info.about,
    }


@dataclass(frozen=True)
class Arrow:
    """One arrow of a compartment diagram.

    Attributes
    ----------
    start, end : str or None
        Names of a state or input, and of the state; None is outside the model.
    kind : str
        "flow" (cells move), "raises" or "lowers" (one state or input acts on the rate of another), "acts" where the
        sign depends on the values.
    label : str
        The flow as text.
    """

    start: str | None
    end: str | None
    kind: str
    label: str = ""


def diagram_arrows(model) -> tuple:
    """Arrows of the compartment diagram: transfers, and who acts on whose rate.

    The sign of an influence is that of the derivative of the rate at a few points with positive values.

    Parameters
    ----------
    model : Model

    Returns
    -------
    tuple of Arrow

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> S, R, m = State("S", 1.0), State("R", 0.0), Parameter("m", 0.01)
    >>> [(a.start, a.end, a.kind) for a in diagram_arrows(Model("two", transfers={(S, R): m * S}))]
    [('S', 'R', 'flow')]
    """
    arrows = []
    for (start, end, _), flow in model.transfers.items():
        arrows.append(Arrow(_name(start), _name(end), "flow", str(flow)))
    flows = {(a.start, a.end) for a in arrows}
    for state, expression in model.equations.items():
        for other in (*model.states, *model.inputs):
            if other == state or (other.name, state.name) in flows or not expression.has(other):
                continue
            kind = _sign(sp.diff(expression, other))
            if kind:
                arrows.append(Arrow(other.name, state.name, kind))
    return tuple(arrows)


def _name(state):
    return None if state is None else state.name


def _sign(derivative):
    """Sign of a derivative over a few positive points near the defaults."""
    signs = set()
    letters = sorted(derivative.free_symbols, key=str)
    for factor in (0.5, 0.8, 1.1):
        values = {}
        for i, letter in enumerate(letters):
            info = getattr(letter, "info", None)
            base = getattr(info, "value", None)
            values[letter] = base if base is not None else factor * (0.31 + 0.17 * (i % 5))
        value = sp.N(derivative.xreplace(values))
        if value.is_real and value != 0:
            signs.add(value > 0)
    if not signs:
        return None
    return "acts" if len(signs) > 1 else "raises" if signs.pop() else "lowers"
