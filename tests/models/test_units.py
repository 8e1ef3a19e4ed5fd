"""Units against their definitions; what cannot be read is refused by name."""

import math
import pickle
from fractions import Fraction

import pytest

from remission.models.errors import ModelError
from remission.models.units import Unit, conversion, parse_unit, same_dimension


@pytest.mark.parametrize(
    ("given", "wanted", "factor"),
    [
        ("week", "day", 7),
        ("month", "day", 30.4375),
        ("year", "month", 12),
        ("hour", "minute", 60),
        ("day", "s", 86400),
        ("cm", "mm", 10),
        ("um", "mm", 1e-3),
        ("m^2", "cm^2", 1e4),
        ("mL", "mm^3", 1000),
        ("L", "dm^3", 1),
        ("cm3", "mL", 1),
        ("mm^2/day", "cm^2/s", 1e-2 / 86400),
        ("ng/mL", "ug/L", 1),
        ("ug/mL", "mg/L", 1),
        ("nM", "nmol/L", 1),
        ("g", "kg", 1e-3),
        ("1e6 cells", "cell", 1e6),
        ("10^6 cells/mL", "cells/mm^3", 1000),
        ("%", "fraction", 0.01),
        ("1/(1e6 cells day)", "1/(cell hour)", 1e-6 / 24),
        ("mm^(1/2)", "um^0.5", math.sqrt(1000)),
        ("", "1", 1),
    ],
)
def test_conversion_by_definition(given, wanted, factor):
    assert conversion(given, wanted) == pytest.approx(factor, rel=1e-15)
    assert conversion(wanted, given) == pytest.approx(1 / factor, rel=1e-15)


@pytest.mark.parametrize(
    "spellings",
    [
        ["mm^3", "mm3", "mm**3", "mm³", "mm mm mm", "mm*mm^2", "(mm)^3", "uL"],
        ["1/day", "day^-1", "day-1", "day⁻¹", "1 / d", "1 per day"],
        ["1/(cell day)", "1/(day*cells)", "cell^-1 day^-1", "1/cell/day", "(1/cell)/day"],
        ["µg/mL", "μg/mL", "ug/mL", "ug per ml", "ug·mL^-1"],
        ["1e6 cells", "1000000 cell", "10^6 cells", "1e6cells", "1e3*1e3*cell"],
        ["1", "", " ", "dimensionless", "fraction", "day/day", "100 %"],
    ],
)
def test_spellings_of_one_unit_are_equal(spellings):
    units = {parse_unit(text) for text in spellings}
    assert len(units) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dya", "did you mean 'day'"),
        ("celsl/mL", "unknown name 'celsl'; did you mean 'cell"),
        ("1/cell day", "two ways"),
        ("(mm", "not closed"),
        ("mm)", "closing bracket too many"),
        ("mm^", "cannot be read at '^'"),
        ("/day", "lacks a unit before '/'"),
        ("mm/", "lacks a unit at its end"),
        ("mm//day", "lacks a unit"),
        ("mm$", "cannot be read at '$'"),
        ("0 mm", "scale factor"),
        ("1e400 mm", "scale factor"),
        ("(1e90 mm)^30", "out of range"),
        ("mm^1000000", "at most 30"),
        (3, "a unit is a text"),
    ],
)
def test_what_cannot_be_read_is_refused(text, said):
    with pytest.raises(ModelError) as caught:
        parse_unit(text)
    assert said in str(caught.value)


def test_conversion_between_dimensions_names_both():
    with pytest.raises(ModelError) as caught:
        conversion("ng/mL", "mm^3")
    message = str(caught.value)
    for part in ("ng/mL", "mass/length^3", "mm^3", "(length^3)"):
        assert part in message


def test_arithmetic_follows_the_exponents():
    diffusion, length, time = parse_unit("mm^2/day"), parse_unit("um"), parse_unit("h")
    assert diffusion * time / length**2 == Unit(exact=Fraction(10**6, 24))
    assert (diffusion * time) ** Fraction(1, 2) == (diffusion**0.5) * time**0.5
    assert (length / length).dimensionless
    assert not same_dimension("cells", "1")
    assert same_dimension("%", "1")
    assert parse_unit("cell") / "cell" == parse_unit("1")


def test_text_is_kept_and_read_back():
    assert str(parse_unit("1e6 cells")) == "1e6 cells"
    for text in ("mm^2/day", "1/(day cell)", "nM", "g/(mm^3 day)", "mm^(1/2)", "7 day", "%"):
        bare = parse_unit(text) * Unit()
        assert parse_unit(str(bare)) == bare
    assert pickle.loads(pickle.dumps(parse_unit("mm^2/day"))) == parse_unit("mm^2/day")
