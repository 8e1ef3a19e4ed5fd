"""Sensitivities by initial values: "S(0)" is the initial value of the state S, whatever parameters it is made of.

Inside, such an initial value becomes the expression that it was plus a Parameter of value 0, its *shift*; everything
downstream sees one parameter more. Derivatives by the parameters of the expression stay total.
"""

from remission.models.errors import ProblemError, did_you_mean

__all__ = ["carried", "column_size"]

MARK = "(0)"


def carried(problem, names) -> tuple:
    """The problem with a shift for each initial value that is named, columns of its `p`, and the names to show.

    Parameters
    ----------
    problem : Problem
    names : list of str, "all" or None
        Parameters, and initial values such as `"S(0)"`; `"all"` is every parameter.

    Returns
    -------
    (Problem, tuple of int, tuple of str)

    Raises
    ------
    ProblemError
        If a name is neither, or comes twice.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem
    >>> carried(Problem(sensitive_resistant()), ["r", "S(0)"])[2]
    ('r', 'S(0)')
    """
    from .solve import parameter_columns

    if isinstance(names, str) and names != "all":
        names = [names]
    if names is None or isinstance(names, str) or not any(_is_initial(n) for n in names):
        columns = parameter_columns(problem, names)
        return problem, columns, tuple(problem.system.parameters[c] for c in columns)
    from remission.models import Parameter  # not above: a saved problem is solved without sympy

    names = [getattr(n, "name", n) for n in names]
    states = {s.name + MARK: s for s in problem.model.states}
    shifts, initial = {}, {}
    for name in filter(_is_initial, names):
        if name not in states:
            raise ProblemError(f"sensitivities: no initial value {name!r}; {did_you_mean(name, states)}")
        state = states[name]
        shifts[name] = Parameter(_free_name(problem, state.name), 0.0, unit=state.info.unit, about=name)
        initial[state.name] = problem.initial.get(state.name, state.info.initial) + shifts[name]
    moved = problem.replace(initial=initial)
    inside = [shifts[n].name if n in shifts else n for n in names]
    if len(set(names)) < len(names):
        raise ProblemError(f"sensitivities: a name comes twice in {names}")
    return moved, parameter_columns(moved, inside), tuple(names)


def column_size(problem, column) -> float:
    """What counts as a sizeable change of a parameter: its value, or its plausible range where the value is about 0.

    Parameters
    ----------
    problem : Problem
    column : int
        Position in `problem.p`.

    Returns
    -------
    float
    """
    info, value = problem.system.parameter_symbols[column].info, problem.p[column]
    for row, state in enumerate(problem.model.states):
        if info.about == state.name + MARK and value == 0.0:  # the shift of an initial value
            return abs(problem.system.y0(problem.p)[row]) or state.info.scale or 1.0
    span = max(map(abs, info.plausible)) if info.plausible else 1.0
    return abs(value) if abs(value) > 1e-6 * span else span


def _is_initial(name):
    return isinstance(name, str) and name.endswith(MARK)


def _free_name(problem, state):
    name = f"shift_of_{state}"
    while name in problem.system.parameters:
        name += "_"
    return name
