"""COPASI through basico: its LSODA, pulses as events. Relapse model only; a solve includes building a data frame."""

NAME, NEEDS, DISTRIBUTION = "COPASI LSODA", ("basico",), "copasi-basico"


def refuses(case) -> str:
    return "" if case.name == "relapse" else "COPASI is driven for the relapse model only"


def _load(case):
    import basico

    basico.new_model(name=case.name)
    states, parameters = case.problem.model.states, case.problem.model.parameters
    for parameter, value in zip(parameters, case.p.tolist(), strict=True):
        basico.add_parameter(f"k_{parameter.name}", initial_value=value)
    for state, value in zip(states, case.start.tolist(), strict=True):
        basico.add_parameter(f"y_{state.name}", initial_value=value)
    written = {s: _symbol(f"Values[y_{s.name}]") for s in states}
    written |= {p: _symbol(f"Values[k_{p.name}]") for p in parameters}
    for state in states:
        text = str(case.problem.model.equations[state].xreplace(written)).replace("**", "^")
        basico.set_parameters(name=f"y_{state.name}", exact=True, type="ode", expression=text)
    for pulse in case.pulses:
        last = f"Values[y_{states[-1].name}]"
        basico.add_event(f"pulse {pulse:g}", f"Time >= {pulse!r}", [[last, f"{last} + 1"]])
    return basico


def _symbol(name):
    import sympy

    return sympy.Symbol(name)


def one(case, rtol):
    basico, names = _load(case), [f"Values[y_{s.name}]" for s in case.problem.model.states]
    end, intervals = float(case.times[-1]), len(case.times) - 1

    def go():
        found = basico.run_time_course(
            start_time=0, duration=end, intervals=intervals, r_tol=rtol, a_tol=rtol * case.part,
            method="deterministic", use_initial_values=True, max_steps=1_000_000,
        )  # fmt: skip
        return found[names].values

    return go
