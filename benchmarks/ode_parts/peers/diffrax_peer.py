"""diffrax on jax's CPU, double precision, compiled by XLA: Tsit5, its faster method on the relapse model."""

import numpy as np

from .. import sources

NAME, NEEDS = "diffrax Tsit5", ("diffrax", "jax")


def refuses(case) -> str:
    return "" if case.name == "relapse" else "diffrax is driven for the relapse model only"


def _solver(case, rtol, forward=False):
    import diffrax as dx
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    rates = sources.python(case.problem.model)
    term = dx.ODETerm(lambda t, y, p: jnp.stack(rates(t, y, p)))
    control = dx.PIDController(rtol=rtol, atol=rtol * case.part)
    more = {"adjoint": dx.ForwardMode()} if forward else {}

    def solve(p):
        state, rows = jnp.array(case.start), []
        for begin, end, inside in case.stretches():
            if begin > 0:
                state = state.at[-1].add(1.0)
            grid = case.times[inside]
            grid = grid if len(grid) and grid[-1] == end else np.append(grid, end)
            found = dx.diffeqsolve(
                term, dx.Tsit5(), begin, end, None, state, p, saveat=dx.SaveAt(ts=jnp.array(grid)),
                stepsize_controller=control, max_steps=100_000, **more,
            )  # fmt: skip
            rows.append(found.ys[: len(inside)])
            state = found.ys[-1]
        return jnp.concatenate(rows)

    return jax, jnp, solve


def one(case, rtol):
    jax, jnp, solve = _solver(case, rtol)
    run, p = jax.jit(solve), jnp.array(case.p)
    return lambda: np.array(run(p).block_until_ready())


def many(case, rtol, table):
    jax, jnp, solve = _solver(case, rtol)
    run, table = jax.jit(jax.vmap(lambda p: solve(p)[:, :3].sum(axis=1))), jnp.array(table)
    return lambda: np.array(run(table).block_until_ready())


def gradients(case, rtol):
    jax, jnp, solve = _solver(case, rtol, forward=True)
    burden = lambda p: solve(p)[:, :3].sum(axis=1)  # noqa: E731
    run, p = jax.jit(lambda p: (burden(p), jax.jacfwd(burden)(p))), jnp.array(case.p)

    def go():
        found, by = run(p)
        return np.array(found.block_until_ready()), np.array(by)

    return go
