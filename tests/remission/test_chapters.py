"""The chapters on models, at a reduced size: numbers against the reference table, files, and the same numbers again."""

import csv
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from remission.models.errors import RemissionError
from remission.studies import Chapter, RunFolder, inflammation, instability, sensitivities
from remission.studies.one_at_a_time import Swing, one_at_a_time, span
from remission.studies.options import read_options

REFERENCE = tomllib.loads((Path(__file__).parents[1] / "reference.toml").read_text())
M2, M3 = REFERENCE["oncogene_withdrawal"], REFERENCE["paracrine_loop"]
SMALL = {
    "instability": {"n_rates": 9},
    "inflammation": {"n_plane": 5},
    "sensitivity": {"n_relapse": 8, "n_burden": 8},
}
MODULES = {"instability": instability, "inflammation": inflammation, "sensitivity": sensitivities}


def made(kind, path, **options):
    spec = {"name": kind, "kind": kind, "title": kind.capitalize()} | SMALL[kind] | options
    folder = RunFolder(path)
    chapter = MODULES[kind].run(spec, folder, budget="small", progress=False, workers=1, seed=5)
    for table in chapter.tables:
        folder.write_table(table)
    return chapter


@pytest.fixture(scope="module")
def chapters(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    return path, {kind: made(kind, path) for kind in MODULES}


def values(chapter):
    return {n.name: n.value for n in chapter.numbers}


@pytest.mark.parametrize("kind", MODULES)
def test_a_chapter_is_whole(chapters, kind):
    path, chapter = chapters[0], chapters[1][kind]
    assert chapter.summary
    assert chapter.methods
    assert chapter.warnings
    assert 2 <= sum(n.headline for n in chapter.numbers) <= 4
    names = [n.name for n in chapter.numbers]
    assert len(set(names)) == len(names)
    for figure in chapter.figures:
        for suffix in ("png", "pdf"):
            assert (path / "figures" / f"{figure.name}.{suffix}").stat().st_size > 5000
        assert figure.caption.endswith(".")
    for table in chapter.tables:
        rows = list(csv.reader((path / "tables" / f"{table.name}.csv").open()))
        assert len(rows) == 1 + len(table.rows)
        assert {len(row) for row in rows} == {len(table.columns)}
    assert Chapter.from_dict(chapter.to_dict()) == chapter
    for number in chapter.numbers:  # an interval says what it is, and holds its value
        if number.low is not None:
            assert number.interval, number.name
            assert number.low <= number.value <= number.high, number.name
    words = " ".join((*chapter.summary, *chapter.methods, *chapter.warnings, *(f.caption for f in chapter.figures)))
    assert "nan" not in words.lower().split()
    assert "inf" not in words.split()


# --- instability ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["low", "high"])
def test_regression_and_relapse_of_both_cohorts(chapters, name):
    found, wanted = values(chapters[1]["instability"]), M2[name]
    assert found[f"withdrawn_{name}"] == pytest.approx(wanted["T1"], rel=1e-7)
    assert found[f"aneuploid_{name}"] == pytest.approx(wanted["aneuploid"], rel=1e-7)
    assert found[f"left_day_3_{name}"] == pytest.approx(wanted["left_day_3"], rel=1e-7)
    assert found[f"left_day_30_{name}"] == pytest.approx(wanted["left_day_30"], rel=1e-6)
    assert found[f"mean_independent_{name}"] == pytest.approx(wanted["braked"]["R_T1"], rel=1e-7)
    for ending, kind in (("", "braked"), ("_free", "free")):
        assert found[f"lineages_{name}{ending}"] == pytest.approx(sum(wanted[kind]["Lambda"]), rel=1e-7)
        assert found[f"relapse_{name}{ending}"] == pytest.approx(wanted[kind]["P"], rel=1e-7)
    early = wanted["braked"]["Lambda"][0] / sum(wanted["braked"]["Lambda"])
    assert found[f"founded_before_{name}"] == pytest.approx(early, rel=1e-7)


def test_critical_rates(chapters):
    found, wanted = values(chapters[1]["instability"]), M2["P_of_p"]
    assert found["critical_rate"] == pytest.approx(wanted["critical_braked"], rel=1e-7)
    assert found["critical_rate_free"] == pytest.approx(wanted["critical_free"], rel=1e-7)
    assert 1 - (1 - wanted["critical_free"]) ** 40 == pytest.approx(wanted["critical_m_free"], rel=1e-8)
    m = 1 - (1 - wanted["critical_braked"]) ** 40
    assert found["critical_abnormal_divisions"] == pytest.approx(m, rel=1e-6)


def test_relapse_rises_with_the_rate_and_never_falls():
    """There is no falling branch: R, an expectation, neither stops phase 1 nor takes room."""
    problem, wanted = instability.protocol(brake_R=0), M2["P_of_p"]
    chances = [-math.expm1(-instability.established(problem, p_on=p)) for p in wanted["p_on"]]
    np.testing.assert_allclose(chances, wanted["free"], rtol=1e-6)
    assert np.all(np.diff(chances) > 0)


def test_survival_of_the_high_cohort():
    options = read_options({"name": "a"}, instability.DEFAULTS | {"n_rates": 9})
    high = instability.cohort(instability.protocol(options), "high", 2.5e-3, options)
    for kind, alive in (("braked", high.survival), ("free", high.survival_free)):
        for day in (100, 150, 200, 250):
            relapsed = 1 - alive[np.searchsorted(high.days, day)]
            assert relapsed == pytest.approx(M2["high"][kind]["relapsed"][f"day_{day}"], rel=1e-5)
    assert high.survival[-1] == pytest.approx(high.lineages.cure_fraction, rel=1e-6)
    at_median = np.interp(high.median_relapse, high.days, 1 - high.survival)
    assert at_median == pytest.approx(high.lineages.relapse_probability / 2, rel=1e-3)


def test_ranges_over_f_r_are_those_of_runs_with_that_f_r(chapters):
    number = next(n for n in chapters[1]["instability"].numbers if n.name == "relapse_high")
    problem = instability.protocol()
    for end, f_r in ((number.low, 1e-10), (number.high, 1e-5)):
        assert end == pytest.approx(-math.expm1(-instability.established(problem, f_r=f_r)), rel=1e-6)
    critical = next(n for n in chapters[1]["instability"].numbers if n.name == "critical_rate")
    # read off a curve of nine rates: rough, but on the right place
    at_low = instability.established(problem, p_on=critical.low, f_r=2e-7)
    assert -math.expm1(-at_low) == pytest.approx(0.5, abs=0.03)


def test_animals_that_differ_relapse_less_often(chapters):
    chapter = chapters[1]["instability"]
    table = next(t for t in chapter.tables if t.name == "instability-frailty")
    found = values(chapter)
    assert table.rows[0] == pytest.approx((0.0, found["relapse_low"], found["relapse_high"]))
    assert table.rows[2] == pytest.approx((1.0, 0.0486, 0.2993), rel=2e-3)  # 20-node Gauss-Hermite
    assert np.all(np.diff(np.array(table.rows)[:, 1:], axis=0) < 0)


def test_a_tumour_that_does_not_come_or_does_not_go_has_no_answer():
    problem = instability.protocol()
    assert math.isnan(instability.established(problem, K=5e7))  # never 1e8 cells
    assert math.isnan(instability.established(problem, kap_A=0.05))  # aneuploid cells stay


def test_half_is_not_passed():
    from remission.studies import instability_words as words

    options = read_options({"p_range": [1e-4, 1e-3]}, instability.DEFAULTS | {"n_rates": 4})
    problem = instability.protocol(options)
    low, high = (instability.cohort(problem, n, options[f"p_{n}"], options) for n in ("low", "high"))
    found = instability.scan(problem, options, False)
    numbers = words.numbers(low, high, found, (), problem, options)
    number = next(n for n in numbers if n.name == "critical_rate")
    assert number.value is None
    assert "not passed" in number.note
    assert "does not pass one half" in " ".join(words.summary(low, high, found, (), options))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"p_range": [1e-2, 1e-3]}, "p_range"),
        ({"p_low": "small"}, "p_low"),
        ({"n_rates": 0}, "whole number"),
        ({"p_high": 0.06}, "raise t_end"),
    ],
)
def test_faulty_options_are_refused(tmp_path, options, words):
    with pytest.raises(RemissionError, match=words):
        made("instability", tmp_path, **options)


# --- inflammation -----------------------------------------------------------------------------------------------------


def test_lines_in_the_plane():
    edges = inflammation.edges(inflammation.DEFAULTS)
    assert np.ptp(edges["transcritical"][:, 0]) < 1e-9
    assert edges["transcritical"][0, 0] == pytest.approx(M3["curative_dose"], rel=1e-9)
    order = np.argsort(edges["fold"][:, 1])
    for point in M3["critical_blockade"]:
        e = np.interp(point["B"], edges["fold"][order, 1], edges["fold"][order, 0])
        assert e == pytest.approx(point["e"], abs=2e-3)


def test_treatments_of_the_loop():
    options = inflammation.DEFAULTS
    given = inflammation.arms(options)
    runs = {"untreated": "untreated", "blocker": "blocker", "chemo": "chemo", "both": "chemo_B30",
            "strong chemo": "strong_chemo", "strong chemo and weak blocker": "strong_chemo_B10"}  # fmt: skip
    for name, key in runs.items():
        wanted = M3["runs"][key]["T"]
        sizes = [given[name].size(day) for day in M3["runs"]["days"][: len(wanted)]]
        np.testing.assert_allclose(sizes, wanted, rtol=2e-4 if key == "chemo_B30" else 1e-5)
    pulsed = M3["pulsed"]
    assert given["pulses"].size(pulsed["day"]) == pytest.approx(pulsed["alone"], rel=1e-6)
    assert given["pulses and blocker"].size(pulsed["day"]) == pytest.approx(pulsed["blocked"], rel=1e-5)
    assert given["chemo"].rest == pytest.approx(364.955328, rel=1e-8)
    assert given["both"].rest == 0


def test_numbers_of_the_loop(chapters):
    found = values(chapters[1]["inflammation"])
    assert found["strong_nadir"] == pytest.approx(M3["chemo_08"]["nadir"], rel=1e-7)
    assert found["strong_nadir_day"] == pytest.approx(M3["chemo_08"]["nadir_day"], abs=2e-3)
    assert found["strong_back_day"] == pytest.approx(M3["chemo_08"]["back_at_100_day"], rel=1e-6)
    assert found["plane_failed"] == 0


def test_the_plane_says_what_the_runs_say(chapters):
    table = next(t for t in chapters[1]["inflammation"].tables if t.name == "inflammation-plane")
    assert len(table.rows) == 2 * 5 * 5
    from remission.solvers import sample

    for start, e, B, residual in table.rows[::13]:
        alone = sample(inflammation.treated(e, B, t_end=180, start=start), [180], ["T"]).values[0, 0]
        assert residual == pytest.approx(alone, rel=1e-3, abs=1e-8)


# --- sensitivity and helpers ------------------------------------------------------------------------------------------


def test_indices_are_those_of_the_tables_and_failures_are_counted(chapters):
    chapter = chapters[1]["sensitivity"]
    found = values(chapter)
    assert found["relapse_runs"] == 8 * (7 + 2)
    assert found["relapse_failed"] == 0
    assert found["burden_runs"] == 8 * (17 + 2)
    assert found["burden_failed"] == 0
    tables = {t.name: t for t in chapter.tables}
    assert set(tables) == {"sensitivity-relapse", "sensitivity-burden", "sensitivity-burden-linear"}
    table = tables["sensitivity-relapse"]
    total = [name for name, _ in table.columns].index("total")
    for row in table.rows:
        assert row[total] == found[f"relapse_{row[0]}"]
    ranges = {row[0]: row[3:6] for row in table.rows}
    assert ranges["f_r"] == (1e-10, 1e-5, "log")
    assert ranges["kap_A"][:2] == (0.3, 0.55)


def test_few_samples_are_called_not_resolved(chapters):
    chapter = chapters[1]["sensitivity"]
    assert "not resolved" in chapter.summary[-1]
    largest = max((n for n in chapter.numbers if n.interval), key=lambda n: n.high - n.low)
    assert largest.high - largest.low > 0.2
    assert largest.note == "not resolved"


def test_rough_tolerance_of_the_sobol_runs_is_fine_enough():
    """What the runs lose by their tolerance and short span is far below any half-width."""
    exact, rough = instability.protocol(), instability.protocol({"t_end": 400}).replace(**sensitivities.ROUGH)
    for changed in ({}, {"p_on": 1e-2, "kap_A": 0.3}, {"b_R": 0.9, "d_R": 0.06}, {"f_r": 3e-7, "kap_R": 0.02}):
        a, b = (-math.expm1(-instability.established(p, **changed)) for p in (exact, rough))
        assert a == pytest.approx(b, abs=1e-4)


@pytest.mark.parametrize("kind", MODULES)
def test_a_chapter_is_the_same_again(chapters, tmp_path, kind):
    again = made(kind, tmp_path)
    assert again.to_dict() == chapters[1][kind].to_dict()
    for figure in again.figures:
        first, second = (p / "figures" / f"{figure.name}.png" for p in (chapters[0], tmp_path))
        assert first.read_bytes() == second.read_bytes()


def test_options_have_the_type_of_their_default():
    defaults = {"n": 8, "x": 0.5, "many": (0.0, 1.0)}
    assert read_options({"name": "a", "x": 2, "many": [3]}, defaults) == {"n": 8, "x": 2.0, "many": (3.0,)}
    for wrong in ({"n": 1.5}, {"n": True}, {"x": 0}, {"x": "1"}, {"many": []}, {"many": [1, "2"]}, {"many": [-1]}):
        with pytest.raises(RemissionError, match=next(iter(wrong))):
            read_options({"name": "a"} | wrong, defaults)


def test_one_at_a_time_moves_one_parameter():
    model = inflammation.treated(0, 0).model
    seen = []
    swings = one_at_a_time(lambda p: (seen.append(p) or sum(p.values()),), model, leave_out=("T0",))
    assert all(len(p) == 1 for p in seen)
    assert len(seen) == 2 * len(swings) == 2 * 16
    swing = next(s for s in swings if s.parameter == "kap")
    assert (swing.at_low, swing.at_high) == ((0.1,), (1.0,))
    ends = [Swing("a", "", 0, 1, (2.0,), (math.nan,)), Swing("b", "", 0, 1, (math.inf,), (3.0,))]
    assert span(ends) == (2.0, math.inf)
    assert all(map(math.isnan, span([])))
