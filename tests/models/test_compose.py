"""compose: shared names mean one thing, defaults need a decision, equations of a shared state add."""

import pytest

from remission.models import (
    Input,
    Model,
    ModelError,
    Parameter,
    State,
    bolus_1cpt,
    compose,
    exponential_growth,
    paracrine_loop,
    sensitive_resistant,
)
from remission.models.kinetics import hill


def growth(value=0.1, initial=1.0, unit="cells", kind="tumour", about="", name="growth"):
    N = State("N", initial, unit=unit, kind=kind, about=about)
    return Model(name, rates={N: Parameter("r", value, unit="1/day") * N})


def test_equations_of_a_shared_state_add():
    one = growth()
    (N,) = one.states
    d = Parameter("d", 0.3, unit="1/day")
    joint = compose(one, Model("death", rates={N: -d * N}))
    assert joint.equations[N] == one.symbol("r") * N - d * N
    assert (one | Model("death", rates={N: -d * N})).equations == joint.equations
    assert joint.name == "growth_death"


def test_a_default_that_differs_needs_prefer():
    one, two = growth(0.1), growth(0.5, name="other")
    with pytest.raises(ModelError, match=r"'r' differs.*0.1.*0.5"):
        compose(one, two)
    for chosen, value in ((one, 0.1), (two, 0.5)):
        joint = compose(one, two, prefer=chosen)
        assert [p.info.value for p in joint.parameters] == [value]
    with pytest.raises(ModelError, match="one of the models"):
        compose(one, two, prefer=growth(7.0))


def test_a_start_that_differs_needs_prefer():
    one, two = growth(initial=1.0), growth(initial=5.0, name="other")
    with pytest.raises(ModelError, match="'N' differs"):
        compose(one, two)
    assert compose(one, two, prefer=two).states[0].info.initial == 5.0


def test_a_start_follows_its_renamed_parameter():
    """The initial value of a state is written in letters that compose may have replaced."""
    low, high = Parameter("n0", 1.0), Parameter("n0", 9.0)
    A, B = State("A", 2 * low), State("B", 3 * high)
    one, two = Model("one", rates={A: 0}), Model("two", rates={B: 0})
    joint = compose(one, two, prefer=two)
    assert [s.info.initial for s in joint.states] == [2 * high, 3 * high]
    assert joint.parameters == (high,)


def test_a_yield_follows_its_renamed_parameter():
    low, high = Parameter("part", 0.1), Parameter("part", 0.9)
    A, B, k = State("A", 1.0), State("B", 0.0), Parameter("k", 1.0)
    one = Model("one", transfers={(A, B, 2 * low): k * A})
    two = Model("two", rates={A: -high * A})
    joint = compose(one, two, prefer=two)
    assert joint.equations[B] == 2 * high * k * A


def test_prefer_must_have_a_say():
    first, second = growth(0.1), growth(0.5, name="second")
    third = Model("third", rates={State("Q", 1.0): 0})
    with pytest.raises(ModelError, match="third, which prefer= names, has none"):
        compose(first, second, third, prefer=third)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (growth(unit="1e6 cells"), "unit is 'cells' in growth, '1e6 cells'"),
        (growth(kind="immune"), "kind is 'tumour'"),
        (growth(about="something else"), "about is"),
        (Model("input", rates={State("Q", 1.0): Input("N")}), "State in growth and Input in input"),
        (Model("input", rates={State("Q", 1.0): Input("r", unit="1/day")}), "Parameter in growth and Input"),
    ],
)
def test_one_name_with_two_meanings_is_refused(other, says):
    with pytest.raises(ModelError, match=says):
        compose(growth(), other)
    with pytest.raises(ModelError, match="compose"):
        compose(growth(), other, prefer=other)


def test_observables_and_time_must_agree():
    one = growth().replace(observables={"size": "N"})
    two = growth().replace(observables={"size": "2*N"}, name="two")
    with pytest.raises(ModelError, match="'size' is defined twice"):
        compose(one, two)
    assert compose(one, one.replace(name="same")).observables == one.observables
    week = Model("slow", rates={State("Q", 1.0): 0}, time_unit="week")
    with pytest.raises(ModelError, match="count time differently"):
        compose(one, week)
    with pytest.raises(ModelError, match="at least two"):
        compose(one)


def test_a_drug_drives_a_tumour():
    pk, C50 = bolus_1cpt(), Parameter("C50", 2.0, unit="mg/L")
    treated = compose(pk, sensitive_resistant()).bind({"u": hill(pk.observables["C"], 1, C50)})
    assert treated.inputs == ()
    assert [s.name for s in treated.states] == ["central", "S", "R"]
    assert {"C", "burden"} <= set(treated.observables)
    assert {"C50", "CL", "V_c"} <= {p.name for p in treated.parameters}


def test_two_drugs_stand_side_by_side():
    chemo, blocker = bolus_1cpt("chemo"), bolus_1cpt("blocker")
    joint = compose(chemo, blocker, paracrine_loop())
    half = Parameter("half", 2.0, unit="mg/L")
    C = joint.observables["C_chemo"]
    bound = joint.bind({"e": C / (half + C), "B": joint.observables["C_blocker"] / half})
    assert bound.inputs == ()
    assert len(bound.states) == 7
    with pytest.raises(ModelError, match="cannot be part of a name"):
        bolus_1cpt("5-FU")


def test_catalogue_models_with_one_letter_in_two_meanings_clash():
    """S and R are fractions in one model; the other calls its tumour volume V and its rate r as well."""
    with pytest.raises(ModelError, match="'r'"):
        compose(sensitive_resistant(), paracrine_loop())
    with pytest.raises(ModelError, match="'r'"):
        compose(exponential_growth(), sensitive_resistant())
