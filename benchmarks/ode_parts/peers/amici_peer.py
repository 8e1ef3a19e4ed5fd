"""AMICI: generated C++ with CVODES and KLU, pulses as events. Relapse model only.

Needs antimony and the tools of a C++ compiler, cmake and swig on PATH; the generated model is built once and kept.
"""

import hashlib
import os
import shutil
import sys

import numpy as np

from .. import reference

NAME, NEEDS = "AMICI CVODES", ("amici", "antimony")


def refuses(case) -> str:
    return "" if case.name == "relapse" else "AMICI is driven for the relapse model only"


def _antimony(case) -> str:
    model = case.problem.model
    lines = ["model relapse"]
    for state, value in zip(model.states, case.start.tolist(), strict=True):
        rate = str(model.equations[state]).replace("**", "^")
        lines.append(f"var {state.name}; {state.name} = {value!r}; {state.name}' = {rate};")
    lines += [f"{s.name} = {v!r};" for s, v in zip(model.parameters, case.p.tolist(), strict=True)]
    last = model.states[-1].name
    lines += [
        f"E{i}: at (time >= {pulse!r}): {last} = {last} + 1.0;" for i, pulse in enumerate(map(float, case.pulses))
    ]
    return "\n".join([*lines, "end", ""])


def _model(case):
    import amici
    from amici.importers.antimony import antimony2amici

    text = _antimony(case)
    name = "relapse_" + hashlib.sha256((text + amici.__version__).encode()).hexdigest()[:10]
    folder = reference.folder() / name
    whole = folder / "whole"  # a build that was broken off is begun again
    if not whole.exists():
        os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]  # pip's swig and cmake
        shutil.rmtree(folder, ignore_errors=True)
        antimony2amici(text, model_name=name, output_dir=str(folder))
        whole.touch()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 5000))
    return amici.import_model_module(name, str(folder)).get_model()


def _run(case, rtol, sensitivities):
    import amici.sim.sundials as ss

    model = _model(case)
    solver = model.create_solver()
    model.set_timepoints(case.times)
    solver.set_max_steps(1_000_000)
    solver.set_relative_tolerance(rtol)
    solver.set_absolute_tolerance(rtol * case.part)
    if sensitivities:
        solver.set_sensitivity_method(ss.SensitivityMethod.forward)
        solver.set_sensitivity_order(ss.SensitivityOrder.first)
        solver.set_relative_tolerance_fsa(rtol)
        solver.set_absolute_tolerance_fsa(rtol * case.part)
    ids, names = list(model.get_state_ids()), list(model.get_free_parameter_ids())
    rows = [ids.index(s.name) for s in case.problem.model.states]
    columns = [names.index(s.name) for s in case.problem.model.parameters]
    return (lambda: ss.run_simulation(model, solver)), model, names, rows, columns


def one(case, rtol):
    run, _, _, rows, _ = _run(case, rtol, False)
    return lambda: np.asarray(run().x)[:, rows]


def many(case, rtol, table):
    run, model, names, rows, columns = _run(case, rtol, False)
    sets = [[float(p[columns.index(k)]) for k in range(len(names))] for p in table]

    def go():
        found = []
        for values in sets:
            model.set_free_parameters(values)
            found.append(np.asarray(run().x)[:, rows[:3]].sum(axis=1))
        return np.array(found)

    return go


def gradients(case, rtol):
    run, _, _, rows, columns = _run(case, rtol, True)

    def go():
        found = run()
        by = np.asarray(found.sx)[:, columns][:, :, rows[:3]].sum(axis=2)
        return np.asarray(found.x)[:, rows[:3]].sum(axis=1), by

    return go
