"""Model: what it accepts, what it refuses, and what its parts say."""

import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import sympy as sp

from remission.models import Input, Lineage, Model, ModelError, Parameter, State, oncogene_withdrawal, t

r = Parameter("r", 0.2, unit="1/day")
m = Parameter("m", 0.01, unit="1/day")
S = State("S", 1.0, unit="cells")
R = State("R", 0.0, unit="cells")
u = Input("u")


def test_a_transfer_leaves_one_state_and_enters_the_other():
    model = Model("two", rates={S: r * S}, transfers={(S, R): m * S})
    assert dict(model.equations) == {S: r * S - m * S, R: m * S}
    assert model.states == (S, R)


def test_a_yield_multiplies_what_enters():
    model = Model("two", transfers={(S, R, 2): m * S})
    assert dict(model.equations) == {S: -m * S, R: 2 * m * S}
    part = Parameter("part", 0.5, unit="1")
    model = Model("two", transfers={(S, R, part): m * S})
    assert model.equations[R] == part * m * S
    assert part in model.parameters


def test_none_is_outside():
    inflow = Parameter("inflow", 3.0, unit="cells/day")
    model = Model("open", transfers={(None, S): inflow, (S, None): m * S})
    assert model.equations[S] == inflow - m * S


def test_one_arrow_is_given_once():
    with pytest.raises(ModelError, match="given twice"):
        Model("two", transfers={(S, R): m * S, (S, R, 1): r * S})


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({}, "no states"),
        ({"rates": {r: r}}, "not a State"),
        ({"rates": {S: "r*S"}}, "expression in symbols"),
        ({"rates": {S: sp.Symbol("q") * S}}, "plain symbol"),
        ({"rates": {S: r * R}}, "no equation"),
        ({"rates": {S: r * S / 0}}, "not finite"),
        ({"rates": {S: r * S, State("S", 2.0, unit="cells"): 0}}, "two meanings"),
        ({"rates": {S: r * S + Parameter("r", 9.0, unit="1/day") * S}}, "two meanings"),
        ({"rates": {S: r * S * Input("r")}}, "two meanings"),
        ({"rates": {S: State("S", 5.0, unit="cells") * r}}, "different meaning"),
        ({"transfers": {(S, S): m * S}}, "same place"),
        ({"transfers": {(S,): m * S}}, "from, to"),
        ({"transfers": {(S, R, "half"): m * S}}, "expression in symbols"),
        ({"transfers": {(S, "R"): m * S}}, "not a State"),
        ({"rates": {S: r * S}, "observables": {"r": S}}, "name of a parameter"),
        ({"rates": {S: r * S}, "observables": {"twice": "2*Q"}}, "no meaning here"),
        ({"rates": {State("Q", 2 * S): 0, S: 0}}, "refers to a state"),
        ({"rates": {S: r * S}, "lineages": {R: Lineage(1, 0)}}, "no equation"),
        ({"rates": [S]}, "dictionary"),
    ],
)
def test_a_model_without_meaning_is_refused(parts, says):
    with pytest.raises(ModelError, match=says):
        Model("bad", **parts)


def test_a_lineage_adds_up_or_is_refused():
    b, d = Parameter("b", 0.3, unit="1/day"), Parameter("d", 0.1, unit="1/day")
    rates = {S: r * S, R: (b - d) * R + m * S}
    model = Model("ok", rates=rates, lineages={R: Lineage(birth=b, death=d, source=m * S)})
    assert model.lineages[R].source == m * S
    with pytest.raises(ModelError, match=r"does not add up.*m\*S"):
        Model("bad", rates=rates, lineages={R: Lineage(birth=b, death=d)})
    with pytest.raises(ModelError, match="does not add up"):
        Model("bad", rates=rates, lineages={R: Lineage(birth=b, death=2 * d, source=m * S)})
    with pytest.raises(ModelError, match="must not depend on R"):
        Model("bad", rates=rates, lineages={R: Lineage(birth=b, death=0, source=m * S - d * R)})
    with pytest.raises(ModelError, match="must be a Lineage"):
        Model("bad", rates=rates, lineages={R: (b, d, m * S)})


def test_a_lineage_that_equals_in_disguise_is_accepted():
    """sin^2 + cos^2 and factored forms are not equal term by term."""
    a = Parameter("a", 0.3, unit="1")
    rate = r * (sp.sin(a) ** 2 + sp.cos(a) ** 2)
    model = Model("ok", rates={R: r * R}, lineages={R: Lineage(birth=rate, death=0)})
    assert R in model.lineages


def test_symbols_are_found_by_name_with_the_nearest_match():
    model = Model("two", rates={S: r * S * (1 - u)})
    assert model.symbol("r") is model.symbol(r) is r
    assert model.parameters == (r,)
    assert model.inputs == (u,)
    with pytest.raises(ModelError, match="did you mean 'S'"):
        model.symbol("s")


def test_a_model_is_a_value():
    model = oncogene_withdrawal()
    again = pickle.loads(pickle.dumps(model))
    assert again == model == oncogene_withdrawal()
    assert hash(again) == hash(model)
    assert len({model, again}) == 1
    assert model.replace(name="other") != model
    assert again.equations == model.equations
    with pytest.raises(AttributeError):
        model.name = "other"
    with pytest.raises(TypeError):
        model.rates[model.states[0]] = 0


def test_equal_models_are_told_apart_without_their_equations():
    """Tables keyed by models are asked at every step of a fit: equality there must not read expressions again."""
    models = [oncogene_withdrawal() for _ in range(3)]
    assert len({id(m) for m in models}) == 3
    assert len({id(m._identity) for m in models}) == 1
    assert models[0].replace(name="other")._identity is not models[0]._identity
    lone = Model("lone", rates={S: r * S})
    assert lone == pickle.loads(pickle.dumps(lone))
    gone = weakref.ref(lone._identity)
    del lone
    gc.collect()
    assert gone() is None  # nothing is kept for models that are no more


def test_threads_agree_on_the_identity_of_a_model():
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: Model("raced", rates={S: r * S})._identity, range(64)))
    assert len(set(found)) == 1


def test_replace_names_the_part():
    with pytest.raises(ModelError, match="did you mean 'rates'"):
        Model("one", rates={S: r * S}).replace(rate={})


def test_an_input_is_bound_everywhere():
    kill = Parameter("kill", 1.0, unit="1")
    model = Model(
        "treated",
        rates={S: r * S * (1 - kill * u)},
        transfers={(S, R, u): m * S},
        observables={"dose": u, "log_kill": "r*kill*u"},
    )
    C = State("C", 0.0, unit="mg/L", kind="drug")
    half = Parameter("half", 2.0, unit="mg/L")
    bound = model.replace(rates=dict(model.rates) | {C: -r * C}).bind({"u": C / (half + C)})
    assert bound.inputs == ()
    assert bound.equations[R] == m * S * C / (half + C)
    assert bound.observables["log_kill"] == r * kill * C / (half + C)
    assert half in bound.parameters


def test_binding_reads_text_in_names_and_observables():
    model = Model("treated", rates={S: r * S * (1 - u), R: m * R}, observables={"total": S + R})
    assert model.bind({"u": "R/total"}).equations[S] == r * S * (1 - R / (S + R))
    with pytest.raises(ModelError, match="only inputs can be bound"):
        model.bind({"r": 1})
    with pytest.raises(ModelError, match="no symbol"):
        model.bind({"v": 1})
    with pytest.raises(ModelError, match="no equation"):
        model.bind({u: State("C", 0.0)})


def test_time_may_appear():
    model = Model("forced", rates={S: r * S * sp.cos(r * t)})
    assert model.parameters == (r,)
