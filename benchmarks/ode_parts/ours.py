"""How this package solves a case: the bare call of the kernel, and the public call with all its Python."""

from remission.solvers import kernels, sample
from remission.solvers.kernels import members, single
from remission.solvers.kernels.record import STATUS


def bare(case, rtol, names=None, columns=()):
    """The call of the kernel alone, its arrays made once: what a peer in compiled code is compared with."""
    problem, seen = case.at(rtol), []
    names = problem.system.states if names is None else names
    run = members.run_job

    def spy(job, *args, **more):
        seen.append(job)
        return run(job, *args, **more)

    members.run_job = spy
    try:
        single.compiled_sample(problem, case.times, names, columns)
    finally:
        members.run_job = run
    call = members._Call(seen[0])

    def go():
        call.run(0, 1, members.MEMBER_STEPS)
        return call.values[0]

    go.status = lambda: STATUS[int(call.status[0])]
    return go


def public(case, rtol, names=None):
    """`sample`, as a user calls it."""
    problem = case.at(rtol)
    names = list(problem.system.states) if names is None else names
    return lambda: sample(problem, case.times, names).values


def gradients(case, rtol, names=("N",)):
    """`sample` with all parameters: (N, dN/dp)."""
    problem, parameters = case.at(rtol), [s.name for s in case.problem.model.parameters]

    def go():
        found = sample(problem, case.times, list(names), parameters)
        return found.values[:, 0], found.gradients[:, 0]

    return go


def bare_gradients(case, rtol):
    parameters = [s.name for s in case.problem.model.parameters]
    order = case.problem.system.parameters
    return bare(case, rtol, ["N"], tuple(order.index(name) for name in parameters))


def ensemble(case, rtol, table, outputs=("N",), threads=1):
    """(n_members, n_times, n_outputs) of many parameter sets."""
    problem, names = case.at(rtol), [s.name for s in case.problem.model.parameters]
    return lambda: kernels.ensemble(problem, names, table, case.times, list(outputs), threads)
