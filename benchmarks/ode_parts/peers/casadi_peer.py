"""casadi: CVODES with casadi's sparse derivatives and LU, all pulses in one graph, in its virtual machine."""

import numpy as np

from .. import sources

NAME, NEEDS = "casadi CVODES", ("casadi",)


def _graph(case, rtol):
    """Function (start, parameters) -> states at the output times."""
    import casadi as ca

    n, m = case.n, len(case.p)
    y, p, t = ca.SX.sym("y", n), ca.SX.sym("p", m), ca.SX.sym("t")
    system = {"x": y, "p": p, "t": t, "ode": ca.vertcat(*sources.python(case.problem.model)(t, y, p))}
    options = {"reltol": rtol, "abstol": rtol * case.part, "max_num_steps": 1_000_000, "fsens_err_con": True}
    start, parameters = ca.MX.sym("start", n), ca.MX.sym("parameters", m)
    state, columns, jump = start, [], ca.DM(np.eye(n)[:, -1])
    for begin, end, inside in case.stretches():
        if begin > 0:
            state = state + jump
        grid = case.times[inside]
        grid = grid if len(grid) and grid[-1] == end else np.append(grid, end)
        found = ca.integrator("F", "cvodes", system, begin, grid.tolist(), options)(x0=state, p=parameters)["xf"]
        columns.append(found[:, : len(inside)])
        state = found[:, -1]
    return start, parameters, ca.horzcat(*columns)


def one(case, rtol):
    import casadi as ca

    start, parameters, rows = _graph(case, rtol)
    solve, y, p = ca.Function("solve", [start, parameters], [rows]), ca.DM(case.start), ca.DM(case.p)
    return lambda: solve(y, p).full().T


def many(case, rtol, table):
    import casadi as ca

    start, parameters, rows = _graph(case, rtol)
    solve = ca.Function("solve", [start, parameters], [ca.sum1(rows[:3, :])]).map(len(table))
    y, p = ca.repmat(ca.DM(case.start), 1, len(table)), ca.DM(table.T.copy())
    return lambda: solve(y, p).full().reshape(len(table), -1)


def gradients(case, rtol):
    import casadi as ca

    start, parameters, rows = _graph(case, rtol)
    burden = ca.sum1(rows[:3, :]).T
    solve = ca.Function("solve", [start, parameters], [burden, ca.jacobian(burden, parameters)])
    y, p = ca.DM(case.start), ca.DM(case.p)

    def go():
        found, by = solve(y, p)
        return found.full().ravel(), by.full()

    return go
