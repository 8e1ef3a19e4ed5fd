"""The problems: the relapse model with 7 states, karyotype ladders, and three classical stiff problems."""

from dataclasses import dataclass

import numpy as np

from remission.models import Model, Parameter, State
from remission.solvers import Problem, Treatment

TIMES, PULSES = np.linspace(0.0, 365.0, 200), 14.0 + 21.0 * np.arange(6)
VALUES = {
    "rS": 0.15, "rR": 0.12, "rA": 0.05, "K": 1.0, "uR": 1e-5, "uA": 5e-3, "vR": 0.002, "kS": 60.0, "kR": 6.0, "kA": 3.0,
    "dA": 0.02, "kC": 30.0, "beta": 2.0, "KT": 0.3, "gC": 30.0, "m0": 0.1, "kM": 4.0, "KC": 0.3, "gM": 2.0, "kT": 20.0,
    "gT": 20.0, "kD": 10.0, "eps": 0.9, "KM": 1.0, "B": 0.2,
}  # fmt: skip
LADDER = VALUES | {"m": 0.05, "kC": 200.0, "gC": 200.0, "kM": 20.0, "gM": 10.0, "kT": 100.0, "gT": 100.0, "kD": 20.0}
LADDER_NAMES = ("K", "beta", "kC", "KT", "gC", "m0", "kM", "KC", "gM", "kT", "gT", "kD", "eps", "KM", "B", "m")


@dataclass(frozen=True, eq=False)
class Case:
    """One problem and what is read from it.

    `part` is atol / rtol; `floor` the smallest peak an error is divided by; `pulses` are times at which the last state
    grows by 1; `published` are end values with a source, where there are any.
    """

    name: str
    problem: Problem
    times: np.ndarray
    part: float
    floor: float = 0.0
    pulses: tuple = ()
    published: tuple = ()
    classes: int = 0

    @property
    def n(self) -> int:
        return len(self.problem.model.states)

    @property
    def start(self) -> np.ndarray:
        return np.array(self.problem.system.y0(self.problem.p), dtype=float)

    @property
    def p(self) -> np.ndarray:
        """Parameter values in the order of `model.parameters`."""
        return np.array([self.problem.parameters[s.name] for s in self.problem.model.parameters], dtype=float)

    def at(self, rtol) -> Problem:
        return self.problem.replace(rtol=rtol, atol=rtol * self.part)

    def stretches(self):
        """Between pulses: (start, end, positions in `times` of the outputs in it); the first holds time 0."""
        edges = [0.0, *self.pulses, self.problem.t_span[1]]
        for k in range(len(edges) - 1):
            inside = (self.times > edges[k]) & (self.times <= edges[k + 1])
            if k == 0:
                inside |= self.times == 0.0
            yield edges[k], edges[k + 1], np.flatnonzero(inside)


def _signals(p, N, C, M, T, D):
    """Rates of cytokine, myeloid cells, tissue damage and drug."""
    return {
        C: p["kC"] * N * (1 + p["beta"] * T / (p["KT"] + T)) - p["gC"] * C,
        M: p["m0"] + p["kM"] * C * (1 - p["B"]) / (p["KC"] + C) - p["gM"] * M,
        T: p["kT"] * D - p["gT"] * T,
        D: -p["kD"] * D,
    }


def _signal_states():
    return (State(n, v, kind="signal", scale=1.0) for n, v in (("C", 0.2), ("M", 0.5), ("T", 0.0), ("D", 0.0)))


def _pulsed(name, model, part, **more) -> Case:
    treatment = Treatment.none()
    for day in PULSES:
        treatment = treatment + Treatment.bolus({"D": 1.0}, at=day)
    problem = Problem(model, t_span=(0, 365), treatment=treatment, rtol=1e-6, atol=1e-6 * part)
    return Case(name, problem, TIMES, part, pulses=tuple(PULSES.tolist()), **more)


def relapse() -> Case:
    """Sensitive, resistant and adapted cells, two signals, myeloid cells, a drug: 7 states, 25 parameters, stiff."""
    p = {name: Parameter(name, value) for name, value in VALUES.items()}
    S, R, A = (State(n, v, kind="tumour") for n, v in (("S", 0.2), ("R", 1e-6), ("A", 1e-4)))
    C, M, T, D = _signal_states()
    N = S + R + A
    room, dose = 1 - N / p["K"], D * (1 - p["eps"] * M / (p["KM"] + M))
    rates = {
        S: p["rS"] * S * room - p["uR"] * S - p["uA"] * S - p["kS"] * dose * S,
        R: p["rR"] * R * room + p["uR"] * S + p["vR"] * A - p["kR"] * dose * R,
        A: p["rA"] * A * room + p["uA"] * S - p["vR"] * A - (p["kA"] * dose + p["dA"]) * A,
    } | _signals(p, N, C, M, T, D)
    return _pulsed("relapse", Model("relapse", rates=rates, observables={"N": N}), 1e-2)


def ladder(n) -> Case:
    """Karyotype classes that share one burden; missegregation moves cells to the neighbouring classes."""
    p = {name: Parameter(name, LADDER[name]) for name in LADDER_NAMES}
    x = [State(f"x{i}", 0.2 if i == 0 else 0.0, kind="tumour") for i in range(n)]
    C, M, T, D = _signal_states()
    N = sum(x)
    growth, kill = ladder_rates(n)
    room, dose, rates = 1 - N / p["K"], D * (1 - p["eps"] * M / (p["KM"] + M)), {}
    move = p["m"] * (n / 10)
    for i in range(n):
        below, above = x[max(i - 1, 0)], x[min(i + 1, n - 1)]
        rates[x[i]] = growth[i] * x[i] * room - kill[i] * dose * x[i] + move * ((below + above) / 2 - x[i])
    model = Model(f"ladder{n}", rates=rates | _signals(p, N, C, M, T, D), observables={"N": N})
    return _pulsed(f"ladder {n}", model, 1e-2, floor=1e-3, classes=n)


def ladder_rates(n):
    """Growth and kill rates of the classes, 1/day."""
    place = np.arange(n) / (n - 1)
    return [float(v) for v in 0.15 - 0.08 * place], [float(v) for v in 120.0 * np.exp(-3.0 * place)]


def stiff_set():
    """ROBER to 1e11, OREGO to 360, HIRES to 321.8122: end values published in the Test Set for IVP Solvers.

    Mazzia and Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (University of Bari, 2008).
    """
    a, b, c = (State(n, v, kind="other", scale=1) for n, v in (("a", 1.0), ("b", 0.0), ("c", 0.0)))
    slow, fast = 0.04 * a - 1e4 * b * c, 3e7 * b**2
    yield _to_end("ROBER", {a: -slow, b: slow - fast, c: fast}, 1e11, 1e-10, ROBER)
    a, b, c = (State(n, v, kind="other", scale=1) for n, v in (("a", 1.0), ("b", 2.0), ("c", 3.0)))
    rates = {a: 77.27 * (b + a * (1 - 8.375e-6 * a - b)), b: (c - (1 + a) * b) / 77.27, c: 0.161 * (a - c)}
    yield _to_end("OREGO", rates, 360.0, 1e-2, OREGO)
    y = [State(f"y{i}", v, kind="other", scale=1) for i, v in enumerate([1.0, 0, 0, 0, 0, 0, 0, 0.0057], 1)]
    y1, y2, y3, y4, y5, y6, y7, y8 = y
    bound = 280 * y6 * y8
    rates = {
        y1: -1.71 * y1 + 0.43 * y2 + 8.32 * y3 + 0.0007, y2: 1.71 * y1 - 8.75 * y2,
        y3: -10.03 * y3 + 0.43 * y4 + 0.035 * y5, y4: 8.32 * y2 + 1.71 * y3 - 1.12 * y4,
        y5: -1.745 * y5 + 0.43 * y6 + 0.43 * y7, y6: -bound + 0.69 * y4 + 1.71 * y5 - 0.43 * y6 + 0.69 * y7,
        y7: bound - 1.81 * y7, y8: -bound + 1.81 * y7,
    }  # fmt: skip
    yield _to_end("HIRES", rates, 321.8122, 1e-3, HIRES)


def _to_end(name, rates, end, part, published) -> Case:
    problem = Problem(Model(name, rates=rates), t_span=(0, end), rtol=1e-6, atol=1e-6 * part)
    return Case(name, problem, np.array([end]), part, published=published)


ROBER = (0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050)
OREGO = (0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3)
HIRES = (
    0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2,
    0.2386356198831331e-2, 0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2,
)  # fmt: skip


def parameter_sets(case, n, seed=0) -> np.ndarray:
    """(n, 25) parameters of `relapse` in its model's order, log-normal with sigma 0.2; two fractions stay below 1."""
    names = list(VALUES)
    table = np.array(list(VALUES.values())) * np.exp(0.2 * np.random.default_rng(seed).standard_normal((n, 25)))
    table[:, names.index("eps")] = np.minimum(table[:, names.index("eps")], 0.99)
    table[:, names.index("B")] = np.minimum(table[:, names.index("B")], 0.9)
    order = [names.index(parameter.name) for parameter in case.problem.model.parameters]
    return np.ascontiguousarray(table[:, order])
