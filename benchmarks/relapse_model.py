"""The 7-state relapse model of the benchmarks, its pulses, and tables of widely spread members."""

import numpy as np

from remission.models import Model, Parameter, State
from remission.solvers import Problem, Treatment

__all__ = ["PULSES", "VALUES", "relapse", "relapse_problem", "spread_table"]

PULSES = 14.0 + 21.0 * np.arange(6)
VALUES = {
    "rS": 0.15, "rR": 0.12, "rA": 0.05, "K": 1.0, "uR": 1e-5, "uA": 5e-3, "vR": 0.002, "kS": 60.0, "kR": 6.0, "kA": 3.0,
    "dA": 0.02, "kC": 30.0, "beta": 2.0, "KT": 0.3, "gC": 30.0, "m0": 0.1, "kM": 4.0, "KC": 0.3, "gM": 2.0, "kT": 20.0,
    "gT": 20.0, "kD": 10.0, "eps": 0.9, "KM": 1.0, "B": 0.2,
}  # fmt: skip
LARGEST = {"eps": 0.99, "B": 0.9}  # fractions


def relapse():
    """Sensitive, resistant and adapted cells, two signals, myeloid cells, a drug: 7 states, 25 parameters, stiff."""
    p = type("Parameters", (), {name: Parameter(name, value) for name, value in VALUES.items()})
    S, R, A = (State(n, v, kind="tumour") for n, v in (("S", 0.2), ("R", 1e-6), ("A", 1e-4)))
    C, M, T, D = (State(n, v, kind="signal", scale=1.0) for n, v in (("C", 0.2), ("M", 0.5), ("T", 0.0), ("D", 0.0)))
    N = S + R + A
    room, dose = 1 - N / p.K, D * (1 - p.eps * M / (p.KM + M))
    rates = {
        S: p.rS * S * room - p.uR * S - p.uA * S - p.kS * dose * S,
        R: p.rR * R * room + p.uR * S + p.vR * A - p.kR * dose * R,
        A: p.rA * A * room + p.uA * S - p.vR * A - (p.kA * dose + p.dA) * A,
        C: p.kC * N * (1 + p.beta * T / (p.KT + T)) - p.gC * C,
        M: p.m0 + p.kM * C * (1 - p.B) / (p.KC + C) - p.gM * M,
        T: p.kT * D - p.gT * T,
        D: -p.kD * D,
    }
    return Model("relapse", rates=rates, observables={"N": N})


def relapse_problem(amount=1.0, **more):
    """A year with six pulses of the drug."""
    treatment = Treatment.bolus({"D": amount}, at=PULSES.tolist())
    return Problem(relapse(), t_span=(0, 365), treatment=treatment, **more)


def spread_table(members, sigma=1.0, seed=20261125):
    """Log-normal members, (members, 25) in the order of `VALUES`; fractions stay below one."""
    rng = np.random.default_rng(seed)
    table = np.array(list(VALUES.values())) * np.exp(sigma * rng.standard_normal((members, len(VALUES))))
    for name, most in LARGEST.items():
        column = list(VALUES).index(name)
        table[:, column] = np.minimum(table[:, column], most)
    return table
