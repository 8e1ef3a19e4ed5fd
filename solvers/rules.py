"""What rules and the extinction gate watch in a run."""

import numpy as np

from .events import Watch

__all__ = ["rule_watches", "watches"]


def watches(moving) -> list:
    """Everything whose crossing would be a state event now: rules without visits, and the extinction gate."""
    found = []
    for number, numeric in enumerate(moving.schedule.rules):
        if numeric.rule.check_every is None and moving.t >= numeric.starts - moving.width:
            found += rule_watches(moving, number)
    if moving.problem.extinction_gate:
        found += [_gate(moving, i) for i, s in enumerate(moving.problem.model.states) if s.info.kind == "tumour"]
    return found


def rule_watches(moving, number) -> list:
    """Transitions out of a rule's present mode, each as a quantity that fires when it rises through zero."""
    numeric, (reference, reference_gradient) = moving.schedule.rules[number], moving.references[number]
    rule, found = numeric.rule, []
    for i, (source, target, _, way) in enumerate(rule.transitions):
        if source != moving.modes[number]:
            continue
        level = numeric.thresholds[i] * reference
        by_parameter = numeric.threshold_gradients[i][moving.columns] * reference
        by_parameter = by_parameter + numeric.thresholds[i] * reference_gradient

        def value(t, z, level=level, way=way):
            return way * (moving.observed(rule.of, t, z) - level)

        def gradient(t, z, by_parameter=by_parameter, way=way):
            by_state, direct = moving.observed_gradient(rule.of, t, z)
            return way * by_state, way * (direct - by_parameter)

        label = f"{rule.of} {'falls below' if way < 0 else 'rises above'} {level:.6g}"
        found.append(Watch(value, gradient, lambda n=number, m=target, x=label: moving.switch(n, m, x), label))
    return found


def _gate(moving, row):
    one_cell = 1.0 / moving.problem.model.states[row].info.cells_per_unit
    downward = np.zeros(moving.n)
    downward[row] = -1.0
    still = np.zeros(moving.k)
    return Watch(
        lambda t, z: one_cell - z[row],
        lambda t, z: (downward, still),
        lambda: moving.extinguish(row),
        f"{moving.system.states[row]} falls below one cell",
    )
