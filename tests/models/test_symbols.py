"""Letters carry their meaning: the traps of sympy's one object per name."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
import sympy as sp

from remission.models import Input, KeywordError, Lineage, Model, ModelError, Parameter, State, parse_expression


@pytest.mark.parametrize("values", [(1.0, 2.0), (2.0, 1.0)])
def test_equal_names_keep_their_own_defaults(values):
    """A plain subclass of Symbol would make the second call overwrite the first."""
    letters = [Parameter("r", v, unit="1/day") for v in values]
    assert [p.info.value for p in letters] == list(values)
    assert letters[0] != letters[1]
    assert hash(letters[0]) != hash(letters[1])
    assert sp.diff(letters[0] * letters[1], letters[0]) == letters[1]


@pytest.mark.parametrize("values", [(1.0, 2.0), (2.0, 1.0)])
def test_models_with_equal_letters_do_not_share_defaults(values):
    models = []
    for value in values:
        r = Parameter("r", value, unit="1/day")
        N = State("N", value)
        models.append(Model("growth", rates={N: r * N}))
    for model, value in zip(models, values, strict=True):
        assert model.symbol("r").info.value == value
        assert float(model.states[0].info.initial) == value
        (only,) = model.parameters
        assert sp.diff(model.equations[model.states[0]], only) == model.states[0]
    assert models[0] != models[1]


@pytest.mark.parametrize(
    "letter",
    [
        State("S", 1.0, unit="1e6 cells", kind="immune", cells_per_unit=1e6, about="x", bounds=(0, 1), scale=2.0),
        Parameter("beta", 0.1, unit="1/day", plausible=(0.01, 1), scale="linear", about="y"),
        Input("u", 0.5, unit="mg", about="z"),
    ],
)
def test_a_letter_survives_pickle_and_copy(letter):
    for again in (pickle.loads(pickle.dumps(letter)), copy.deepcopy(letter), copy.copy(letter)):
        assert again == letter
        assert hash(again) == hash(letter)
        assert again.info == letter.info
        assert type(again) is type(letter)
    assert pickle.loads(pickle.dumps(letter**2 + 1)) == letter**2 + 1


READ = """
import pickle, sys
from remission.models import Parameter, logistic_growth
decoy = Parameter("r", 99.0), logistic_growth().replace(name="decoy")
models = pickle.load(sys.stdin.buffer)
print([(m.symbol("r").info.value, m.symbol("r") in m.equations[m.states[0]].free_symbols) for m in models])
sys.stdout.flush()
"""


def test_models_cross_a_process_border():
    """Hash seeds differ between processes, so a stored hash or an identity test would fail here."""
    models = []
    for value in (0.3, 0.1):
        N = State("N", 1.0)
        models.append(Model("growth", rates={N: Parameter("r", value) * N}))
    run = subprocess.run([sys.executable, "-c", READ], input=pickle.dumps(models), capture_output=True, timeout=120)
    assert run.returncode == 0, run.stderr.decode()
    assert run.stdout.decode().strip() == "[(0.3, True), (0.1, True)]"


def test_initial_expressions_that_print_alike_differ():
    """`n0` prints without its default, so the states would look alike if only the text were compared."""
    low, high = (Parameter("n0", v, unit="1") for v in (0.1, 0.9))
    a, b = State("S", 2 * low), State("S", 2 * high)
    assert str(a.info.initial) == str(b.info.initial)
    assert a != b
    assert a.info.initial.free_symbols == {low}
    assert b.info.initial.free_symbols == {high}
    assert pickle.loads(pickle.dumps(b)).info.initial.free_symbols == {high}


def test_bounds_with_different_letters_differ():
    one, two = (State("T", 1.0, bounds=(0, Parameter("K", v))) for v in (10.0, 20.0))
    assert one != two


def test_initial_values_that_differ_in_the_last_digit_differ():
    """Sympy prints 15 digits of a double's 17, and a model that is taken for another one is solved with its numbers."""
    assert State("S", 0.1) != State("S", float(np.nextafter(0.1, 1)))
    assert State("S", 0.1, bounds=(0, 0.3)) != State("S", 0.1, bounds=(0, 0.1 + 0.2))
    assert State("S", 0.1) == State("S", 0.1)


def test_whole_and_decimal_numbers_are_one_meaning():
    assert State("S", 0.0, cells_per_unit=1, scale=1) == State("S", 0.0, cells_per_unit=1.0, scale=1.0)
    assert Parameter("r", 1) == Parameter("r", 1.0)


@pytest.mark.parametrize("name", ["S", "E", "I", "N", "O", "Q", "C", "beta", "gamma", "zeta", "Lambda_", "pi"])
def test_text_uses_our_names_only(name):
    """sympify("S + E") meets sympy's singleton registry and Euler's number instead of clones."""
    S = State(name, 1.0)
    k = Parameter("k", 2.0)
    assert parse_expression(f"k*{name}/(1 + {name})", {name: S, "k": k}) == k * S / (1 + S)
    model = Model("m", rates={S: -k * S}, observables={"twice": f"2*{name}"})
    assert model.observables["twice"] == 2 * S


@pytest.mark.parametrize(
    "text", ["S + E", "gamma(2)", "S.diff", "__import__('os')", "lambda: 1", "S if S else 1", "2 +"]
)
def test_text_with_other_things_is_refused(text):
    with pytest.raises(ModelError):
        parse_expression(text, {"S": State("S", 1.0)})


def test_a_power_sign_and_functions_are_read():
    S = State("S", 1.0)
    assert parse_expression("S^2 + exp(-S) - max(S, 1)", {"S": S}) == S**2 + sp.exp(-S) - sp.Max(S, 1)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: State("t", 1.0), "time"),
        (lambda: State("lambda", 1.0), "identifier"),
        (lambda: State("a b", 1.0), "identifier"),
        (lambda: State("S", 1.0, kind="tumor"), "did you mean 'tumour'"),
        (lambda: State("S", "n0"), "expression in Parameters"),
        (lambda: State("S", float("nan")), "finite"),
        (lambda: State("S", 1.0, unit="cels"), "did you mean 'cell"),
        (lambda: State("S", 1.0, cells_per_unit=0), "above 0"),
        (lambda: State("S", 1.0, bounds=(0, 1, 2)), "low, high"),
        (lambda: Parameter("r", float("inf")), "finite"),
        (lambda: Parameter("r", "fast"), "not a number"),
        (lambda: Parameter("r", 1.0, plausible=(2, 1)), "empty"),
        (lambda: Parameter("r", 1.0, scale="ln"), "neither"),
        (lambda: Input("u", None), "not a number"),
    ],
)
def test_a_letter_without_meaning_is_refused(call, says):
    with pytest.raises(ModelError, match=says):
        call()


def test_a_misspelt_keyword_is_answered():
    with pytest.raises(KeywordError, match="did you mean 'plausible'"):
        Parameter("r", 1.0, plausable=(0, 1))
    with pytest.raises(KeywordError, match="did you mean 'birth'"):
        Lineage(birht=1, death=0)
