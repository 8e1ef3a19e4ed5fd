"""read_table: every fault with its row, all at once; units by definition; what is written reads back the same."""

import io
import pickle

import numpy as np
import pytest

from remission.analysis.tables import Table, read_table, write_table
from remission.models.errors import DataError, KeywordError

GOOD = """subject,time,observable,value,unit
a,0,PSA,10,ng/mL
a,7,PSA,5,ng/mL
b,0,PSA,20,ng/mL
"""
ROW = {"subject": "a", "time": 0, "observable": "PSA", "value": 1}


def refusal(source, **options) -> str:
    if isinstance(source, str):
        source = io.StringIO(source)
    with pytest.raises(DataError) as caught:
        read_table(source, **options)
    return str(caught.value)


def one_fault(source, **options) -> str:
    """The line of the only fault."""
    message = refusal(source, **options)
    assert "1 fault " in message, message
    return message.splitlines()[1].strip()


def test_a_good_table_is_read():
    table = read_table(io.StringIO(GOOD))
    assert len(table) == 3
    assert table.subjects == ("a", "b")
    assert table.observables == ("PSA",)
    assert table.units == {"PSA": "ng/mL"}
    assert table.time_unit == "day"
    assert table.doses is None
    np.testing.assert_array_equal(table["value"], [10, 5, 20])
    assert set(table["censoring"]) == {"none"}
    assert not table["value"].flags.writeable


@pytest.mark.parametrize(
    ("source", "row", "said"),
    [
        (GOOD.replace("value", "vlaue"), "row 1", "no column 'value'; did you mean 'vlaue'?"),
        (GOOD.replace("b,0,PSA,20", "b,0,PSA,twenty"), "row 4", "value 'twenty' is not a number"),
        (GOOD.replace("a,7,PSA,5", "a,7,PSA,<0.1"), "row 3", "censoring 'left'"),
        (GOOD.replace("a,7,PSA,5", 'a,7,PSA,"5,1"'), "row 3", 'decimal=","'),
        (GOOD.replace("a,7,PSA,5", "a,7,PSA,nan"), "row 3", "not a finite number"),
        (GOOD.replace("a,7,PSA,5", "a,7,PSA,1e999"), "row 3", "not a finite number"),
        (GOOD.replace("a,7,PSA,5", "a,7,PSA,NA"), "row 3", "leave the cell of a missing value empty"),
        (GOOD.replace("a,7,PSA,5", "a,7,PSA,1_0"), "row 3", "is not a number"),
        (GOOD.replace("a,7,PSA,5", "a,7,PSA,"), "row 3", "no value; a value that was not seen needs"),
        (GOOD.replace("a,7,PSA", "a,-7,PSA"), "row 3", "time is negative"),
        (GOOD.replace("a,7,PSA", "a,0,PSA"), "row 3", "repeats row 2: subject 'a', 'PSA' at 0"),
        (GOOD.replace("a,7,PSA", "a,,PSA"), "row 3", "time is empty"),
        (GOOD.replace("a,7,PSA", ",7,PSA"), "row 3", "subject is empty"),
        (GOOD.replace("20,ng/mL", "20,ngg/mL"), "row 4", "unknown name 'ngg'"),
        (GOOD.replace("20,ng/mL", "20,mm"), "row 4", "'mm' (length) does not convert to 'ng/mL' (mass/length^3)"),
        (GOOD.replace("20,ng/mL", "20,"), "row 4", "'PSA' has no unit, 'ng/mL' is wanted"),
        (GOOD.replace("20,ng/mL", "20"), "row 4", "4 cells, but the header has 5"),
        (GOOD.replace("20,ng/mL", "20,ng/mL,x"), "row 4", "6 cells, but the header has 5"),
        (GOOD.replace("unit", "time"), "row 1", "column 'time' occurs twice"),
        (GOOD.replace("unit", "units"), "row 1", "did you mean 'unit'? map it, or drop it"),
        ("", "row 1", "the table is empty"),
        ("\n\n", "row 1", "the table is empty"),
        ("subject,time,observable,value\n", "row 1", "a header and no row below it"),
    ],
)
def test_each_fault_names_its_row(source, row, said):
    line = one_fault(source)
    assert line.startswith(f"{row}:")
    assert said in line


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"censoring": "lft", "limit": 1}, "unknown censoring code 'lft'; did you mean 'left'?"),
        ({"censoring": "left"}, "censored (left) without a limit"),
        ({"value": None, "censoring": "right"}, "censored (right) without a limit"),
        ({"value": "", "censoring": "interval", "limit": 2, "limit_upper": 1}, "needs limit < limit_upper"),
        ({"value": float("nan")}, "no value"),
        ({"sd": -1}, "sd is negative"),
        ({"weight": -1}, "weight is negative"),
        ({"n": 0}, "n is not above zero"),
        ({"time_unit": "dya"}, "did you mean 'day'?"),
        ({"time_unit": "mm"}, "'mm' (length) does not convert to 'day' (time)"),
    ],
)
def test_faults_of_rows(change, said):
    line = one_fault([ROW | change])
    assert line.startswith("row 2:")
    assert said in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"observables": ["testosterone"]}, "unknown observable 'PSA'"),
        ({"columns": {"mous": "subject"}}, "columns= names 'mous'"),
        ({"columns": {"value": "vaule"}}, "wants 'value' to be 'vaule'; did you mean 'value'?"),
        ({"columns": {"time": "value"}}, "two columns are named 'value'"),
        ({"units": {"PSAA": "ng/mL"}}, "units= names 'PSAA', which does not occur; did you mean 'PSA'?"),
        ({"units": {"PSA": "ng/mm"}}, "does not convert to 'ng/mm'"),
        ({"constants": {"arms": "x"}}, "constants= gives 'arms'; did you mean 'arm'?"),
        ({"constants": {"unit": "ng/mL"}}, "which the table has too"),
        ({"constants": {"arm": {"PSB": "x"}}}, "constants= names 'PSB'"),
    ],
)
def test_faults_of_arguments(options, said):
    assert said in refusal(GOOD, **options)


@pytest.mark.parametrize("options", [{"layout": "log"}, {"decimal": ";"}, {"time_unit": "dya"}, {"time_unit": "mm"}])
def test_settings_are_refused_before_reading(options):
    with pytest.raises(DataError):
        read_table("no such file.csv", **options)


def test_a_misspelt_keyword_is_answered():
    with pytest.raises(KeywordError, match="observables"):
        read_table(io.StringIO(GOOD), observable=["PSA"])


def test_all_faults_are_reported_at_once():
    source = (
        "subject,time,observable,value,unit,censoring\n"
        "a,0,PSA,ten,ng/mL,none\n"
        "a,0,PSA,5,ngg/mL,lft\n"
        "b,-1,PSB,,ng/mL,none\n"
    )
    doses = [
        {"subject": "c", "time": 0, "into": "x", "amount": 1},
        {"subject": "a", "time": 0, "into": "x", "rate": 1, "duration": -2},
    ]
    lines = refusal(source, observables=["PSA"], doses=doses).splitlines()
    assert lines[0].startswith("the table cannot be used; 9 faults")
    starts = [line.split(":")[0].strip() for line in lines[1:]]
    assert starts == ["row 2", "row 3", "row 3", "row 3", "row 4", "row 4", "row 4", "doses row 2", "doses row 3"]


def test_a_missing_column_does_not_hide_the_other_faults():
    message = refusal("subject,time,observable,val,sd\na,x,PSA,1,-1\n")
    for part in ("row 1: no column 'value'", "row 2: time 'x'", "row 2: sd is negative"):
        assert part in message
    assert "3 faults" in message


def test_equal_faults_share_a_line_and_long_lists_end():
    rows = [ROW | {"time": -1 - i} for i in range(30)]
    assert one_line(refusal(rows)) == "rows 2-31: time is negative; shift the clock or say allow_negative_times=True"
    lines = refusal([ROW | {"value": f"x{i}", "time": i} for i in range(100)]).splitlines()
    assert "100 faults" in lines[0]
    assert lines[-1].strip() == "and 75 more"


def one_line(message) -> str:
    (line,) = message.splitlines()[1:]
    return line.strip()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"amount": 1, "rate": 2}], "one of amount, rate and on; here amount and rate"),
        ([{"amount": None}], "one of amount, rate and on; here none"),
        ([{"amount": -1}], "amount is negative"),
        ([{"rate": 1}], "rate needs a duration"),
        ([{"on": 1, "duration": 0}], "duration 0 is not above zero"),
        ([{"on": 1, "duration": -1}], "duration -1 is not above zero"),
        ([{"amount": 1, "time": -1}], "time is negative"),
        ([{"amount": 1, "subject": "aa"}], "subject 'aa' has doses and no measurement; did you mean 'a'?"),
        ([{"amount": 1, "unit": "mgg"}], "unknown name 'mgg'"),
        ([{"amount": "one"}], "amount 'one' is not a number"),
        ([{"on": 1, "duration": 5}, {"on": 1, "duration": 5, "time": 4}], "overlaps row 2"),
        ([{"rate": 1, "duration": 9}, {"on": 0, "duration": 1}, {"rate": 2, "duration": 5, "time": 8}], "overlaps row"),
    ],
)
def test_faults_of_doses(rows, said):
    rows = [{"subject": "a", "time": 0, "into": "drug"} | row for row in rows]
    assert said in refusal([ROW], doses=rows)


def test_doses_at_one_instant_add_and_touching_intervals_do_not_overlap():
    rows = [{"subject": "a", "time": 0, "into": "C", "amount": 1}] * 2
    rows += [
        {"subject": "a", "time": t, "into": "u", "on": u, "duration": 0.1} for t, u in ((0, 1), (0.1, 0), (0.2, 1))
    ]
    assert len(read_table([ROW], doses=rows).doses["time"]) == 5


def test_measurements_out_of_a_recorded_schedule():
    schedule = [
        {"subject": "a", "time": 1, "into": "u", "on": 1, "duration": 6},
        {"subject": "a", "time": 7, "into": "u", "on": 0, "duration": 7},
    ]
    rows = [ROW | {"time": time} for time in (0, 1, 14, 15)] + [ROW | {"subject": "b", "time": 99}]
    lines = refusal(rows, doses=schedule).splitlines()[1:]
    assert [line.split(":")[0].strip() for line in lines] == ["row 2", "row 5"]
    assert "out of the schedule of 'u' (1 to 14)" in lines[0]
    # without an interval that records "off", the table lists doses and is no record of the follow-up
    assert len(read_table(rows, doses=schedule[:1])) == 5


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators_line_ends_and_byte_order_mark(tmp_path, separator, end):
    path = tmp_path / "psa.csv"
    path.write_bytes(("\ufeff" + GOOD.replace(",", separator).replace("\n", end) + end).encode())
    assert read_table(path) == read_table(io.StringIO(GOOD))


def test_rows_count_as_in_a_spreadsheet():
    source = 'subject,time,observable,value\n"a\nb",0,PSA,1\n\na,0,PSA,x\n'
    assert one_fault(source).startswith("row 4: value 'x'")


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path / "nothing.csv")
    (tmp_path / "latin.csv").write_bytes("subject,µ\n".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        read_table(tmp_path / "latin.csv")


def test_units_and_times_are_converted_with_everything_that_has_them():
    rows = [
        ROW | {"value": 1, "unit": "cm3", "time": 1, "time_unit": "week", "sd": 0.1},
        ROW | {"value": None, "unit": "uL", "time": 48, "time_unit": "hour", "censoring": "left", "limit": 5},
        ROW | {"value": 3, "unit": "mm^3", "time": 3},
    ]
    doses = [{"subject": "a", "time": 12, "time_unit": "hour", "duration": 6, "amount": 2, "unit": "mg", "into": "C"}]
    table = read_table(rows, units={"PSA": "mm^3"}, doses=doses, dose_units={"C": "ug"})
    np.testing.assert_allclose(table["time"], [7, 2, 3], rtol=1e-15)
    np.testing.assert_allclose(table["value"], [1000, np.nan, 3], rtol=1e-15)
    np.testing.assert_allclose(table["sd"], [100, np.nan, np.nan], rtol=1e-15)
    np.testing.assert_allclose(table["limit"], [np.nan, 5, np.nan], rtol=1e-15)
    assert set(table["unit"]) == {"mm^3"}
    assert (table.doses["time"][0], table.doses["duration"][0]) == (0.5, 0.25)
    assert (table.doses["amount"][0], table.doses["unit"][0]) == (2000, "ug")


def test_without_a_target_the_first_unit_holds():
    table = read_table([ROW | {"value": 1, "unit": "mL"}, ROW | {"time": 1, "value": 500, "unit": "uL"}])
    np.testing.assert_allclose(table["value"], [1, 0.5])
    assert table.units == {"PSA": "mL"}


def test_wide_layout():
    source = "mouse,day,vol [mL],weight g,group\nm1,0,0.1,20,x\nm1,7,,21,x\nm2,0,0.2,,y\n"
    table = read_table(
        io.StringIO(source),
        layout="wide",
        columns={"mouse": "subject", "day": "time", "group": "arm", "weight g": "body mass"},
        units={"vol": "mm^3"},
    )
    assert table.observables == ("vol", "body mass")
    assert table.arms == {"m1": "x", "m2": "y"}
    np.testing.assert_allclose(table.select(observable="vol")["value"], [100, 200])
    np.testing.assert_allclose(table.select(observable="body mass")["value"], [20, 21])
    fault = one_fault(
        source.replace("21,x", "heavy,x"),
        layout="wide",
        columns={"mouse": "subject", "day": "time"},
        observables=["vol", "weight g"],
    )
    assert fault.startswith("row 3: value 'heavy'")
    message = refusal(source, layout="wide", columns={"mouse": "subject", "day": "time"}, observables=["volume"])
    assert "no column for the observable 'volume'" in message


def test_constants_and_covariates():
    source = "subject,time,value,dose,code,note\na,0,1,5,007,x\na,1,2,,008,\n"
    table = read_table(io.StringIO(source), constants={"observable": "V", "unit": {"V": "mm^3"}})
    assert table.units == {"V": "mm^3"}
    np.testing.assert_array_equal(table["dose"], [5, np.nan])
    assert table["code"].tolist() == ["007", "008"]
    assert len(table.select(where=table["note"] == "x")) == 1


def test_decimal_comma():
    source = "subject;time;observable;value\na;0,5;V;1,25\n"
    table = read_table(io.StringIO(source), decimal=",")
    assert (table["time"][0], table["value"][0]) == (0.5, 1.25)


def test_select():
    doses = [{"subject": s, "time": 0, "into": "C", "amount": 1} for s in "ab"]
    table = read_table(io.StringIO(GOOD), doses=doses)
    assert table.select(subject="a", until=0)["value"].tolist() == [10]
    assert table.select(subject=["b"]).doses["subject"].tolist() == ["b"]
    assert len(table.select(where=table["value"] > 7)) == 2
    assert table.dose_rows("a") == [{"subject": "a", "time": 0.0, "into": "C", "amount": 1.0}]
    with pytest.raises(DataError, match="did you mean 'PSA'"):
        table.select(observable="psa")
    with pytest.raises(DataError, match="one bool"):
        table.select(where=[0, 1, 2])
    with pytest.raises(KeywordError, match="subject"):
        table.select(subjects="a")
    with pytest.raises(DataError, match="did you mean 'value'"):
        table["vlaue"]


def test_round_trip_is_exact(tmp_path):
    rng = np.random.default_rng(5)
    rows = [
        ROW | {"subject": f"s{i % 7}", "time": i / 3, "value": v, "unit": "ng/mL", "sd": v / 7, "note": 'a "b", c'}
        for i, v in enumerate(rng.lognormal(size=50))
    ]
    rows += [ROW | {"time": 99, "value": None, "censoring": "left", "limit": 0.1, "unit": "ng/mL", "replicate": "2"}]
    doses = [{"subject": "s1", "time": 1 / 3, "rate": 2 / 3, "duration": 1.7, "into": "C", "unit": "mg/day"}]
    table = read_table(rows, doses=doses)
    files = write_table(table, tmp_path / "psa.csv")
    assert [file.name for file in files] == ["psa.csv", "psa_doses.csv"]
    assert read_table(files[0], doses=files[1]) == table
    assert sorted(path.name for path in tmp_path.iterdir()) == ["psa.csv", "psa_doses.csv"]
    assert pickle.loads(pickle.dumps(table)) == table


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "psa.csv"
    path.write_text("old")

    def full_disk(*_):
        raise OSError("no space")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_table(read_table(io.StringIO(GOOD)), path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["psa.csv"]


def test_to_pandas_and_back():
    table = read_table(io.StringIO(GOOD))
    frame = table.to_pandas()
    assert frame.shape[0] == 3
    assert frame["value"].sum() == 35
    assert read_table(frame) == table


def test_a_table_states_what_it_holds():
    text = str(read_table(io.StringIO(GOOD)))
    assert "3 values of 2 subjects, 0 to 7 day" in text
    assert "PSA: 3 values, 5 to 20 ng/mL" in text
    with pytest.raises(DataError, match="needs the column 'value'"):
        Table({"subject": ["a"], "time": [0], "observable": ["V"]})
    with pytest.raises(DataError, match="has shape"):
        Table({"subject": ["a"], "time": [0, 1], "observable": ["V"], "value": [1]})
