"""A text that two models share when their equations are the same, much faster than printing them.

Compiled code is found on disk by the hash of such a text. It must differ whenever the numbers could, and nothing else:
units, defaults and remarks are not in it, so that a model whose default changes keeps its code.
"""

import functools

import sympy as sp

__all__ = ["spelled"]


@functools.lru_cache(maxsize=256)
def spelled(model) -> str:
    """Equations and observables of a model, each common term once.

    Parameters
    ----------
    model : Model

    Returns
    -------
    str
        Names in order, then one line a term: an operation and the numbers of the lines it applies to.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> N, r = State("N", 1.0), Parameter("r", 0.1)
    >>> print(spelled(Model("growth", rates={N: r * N})))
    states N; parameters r; inputs ; observables ;
    Symbol r
    Symbol N
    Mul 0 1
    equations 2; observables
    """
    lines, places = [], {}

    def place(node):
        """Number of the line of a term."""
        if node not in places:
            if node.is_Symbol:
                text = f"Symbol {node.name}"
            elif not node.args:
                text = sp.srepr(node)
            else:
                text = " ".join([type(node).__name__, *(str(place(a)) for a in node.args)])
            places[node] = len(lines)
            lines.append(text)
        return places[node]

    equations = " ".join(str(place(model.equations[s])) for s in model.states)
    observed = " ".join(str(place(e)) for e in model.observables.values())
    groups = (("states", model.states), ("parameters", model.parameters), ("inputs", model.inputs))
    names = [f"{what} {' '.join(s.name for s in symbols)}" for what, symbols in groups]
    head = "; ".join([*names, f"observables {' '.join(model.observables)}"]) + ";"
    return "\n".join([head, *lines, f"equations {equations}; observables {observed}".rstrip()])
