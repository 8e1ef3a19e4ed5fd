"""The family of errors, the nearest match, and the refusal of unknown keywords."""

import dataclasses
import inspect
import pickle

import pytest

from remission.models import errors
from remission.models.errors import KeywordError, RemissionError, did_you_mean, refuse_unknown_keywords


@refuse_unknown_keywords
def response(dose, *, steepness=2.0, turnover=0.25):
    """Something with keywords."""
    return dose, steepness, turnover


@refuse_unknown_keywords
@dataclasses.dataclass(frozen=True)
class Schedule:
    """Something frozen with fields."""

    period: float
    times: int = 1


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_a_value_error_of_the_family(name):
    error = getattr(errors, name)
    assert issubclass(error, RemissionError)
    assert issubclass(error, ValueError)
    with pytest.raises(ValueError, match="what is wrong"):
        raise error("what is wrong")
    assert str(pickle.loads(pickle.dumps(error("what is wrong")))) == "what is wrong"


def test_keyword_error_is_caught_as_the_type_error_python_would_raise():
    with pytest.raises(TypeError):
        response(1, stepness=3)


def test_nearest_match_comes_first_and_all_options_follow_sorted():
    assert did_you_mean("turnovr", ["turnover", "cost"]) == "did you mean 'turnover'? there is: cost, turnover"


def test_wrong_case_alone_is_recognised():
    assert did_you_mean("F_r", ["f_R", "r"]).startswith("did you mean 'f_R'?")


def test_nothing_near_is_not_guessed():
    assert did_you_mean("zebra", ["r", "K"]) == "there is: K, r"
    assert did_you_mean("zebra", []) == "there is none"


def test_options_need_not_be_strings():
    assert did_you_mean("11", (1, 12)) == "did you mean '1'? there is: 1, 12"


def test_misspelt_keyword_of_a_function_names_function_and_match():
    with pytest.raises(KeywordError, match=r"response\(\) has no keyword 'stepness'; did you mean 'steepness'\?"):
        response(1, stepness=3)


def test_misspelt_keyword_is_answered_before_the_missing_argument():
    with pytest.raises(KeywordError, match="did you mean 'turnover'"):
        response(turnovr=3)


def test_misspelt_field_of_a_frozen_dataclass():
    with pytest.raises(KeywordError, match=r"Schedule\(\) has no keyword 'perod'; did you mean 'period'\?"):
        Schedule(perod=7)


def test_self_is_not_offered_as_a_keyword():
    with pytest.raises(KeywordError) as caught:
        Schedule(slef=7)
    assert str(caught.value).endswith("there is: period, times")


def test_right_calls_pass_unchanged():
    assert response(1, turnover=0.5) == (1, 2.0, 0.5)
    assert response(dose=1) == (1, 2.0, 0.25)
    schedule = Schedule(7, times=3)
    assert (schedule.period, schedule.times) == (7, 3)
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert dataclasses.replace(schedule, times=2) == Schedule(7, 2)


def test_a_decorated_function_keeps_its_face():
    assert response.__name__ == "response"
    assert response.__doc__ == "Something with keywords."
    assert list(inspect.signature(response).parameters) == ["dose", "steepness", "turnover"]
    assert list(inspect.signature(Schedule).parameters) == ["period", "times"]


def test_a_function_that_takes_any_keyword_cannot_be_decorated():
    with pytest.raises(TypeError, match="takes any keyword"):

        @refuse_unknown_keywords
        def open_ended(**options):
            return options


def test_an_error_inside_the_function_is_not_mistaken_for_a_keyword():
    @refuse_unknown_keywords
    def broken(value):
        raise TypeError("inner")

    with pytest.raises(TypeError, match="inner") as caught:
        broken(1)
    assert not isinstance(caught.value, KeywordError)
