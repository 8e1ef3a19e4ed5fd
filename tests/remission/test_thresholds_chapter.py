"""The chapter on thresholds, at a reduced size: numbers against the reference table, and beside patients' fits."""

import csv
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from remission import datasets
from remission.models.errors import RemissionError
from remission.solvers import sample
from remission.studies import Chapter, RunFolder, threshold_loop, threshold_patients, thresholds
from remission.studies.inflammation import treated
from remission.studies.one_at_a_time import Swing
from remission.studies.options import read_options
from remission.studies.threshold_lineages import operated

REFERENCE = tomllib.loads((Path(__file__).parents[1] / "reference.toml").read_text())
M2, M3 = REFERENCE["oncogene_withdrawal"], REFERENCE["paracrine_loop"]
SPEC = {"name": "thresholds", "kind": "thresholds", "title": "Thresholds", "n_residue": 4, "undecided": 0.3}
SPEC |= {"check_doses": [0.2, 0.6], "blockers": [0, 30]}
MEN = {"P1017": (0.0056, 0.0005), "C002": (0.035, 0.004), "C005": (0.002, math.nan)}
KILL = (0.0367, 0.0029)


def left_fits(folder):
    """What the chapter on resistance leaves: two fits with the covariance of logarithms, one rate at its bound."""
    labels = [["kill", None], *(["r", s] for s in MEN)]
    relative = [KILL[1] / KILL[0], *(sd / r for r, sd in MEN.values())]
    covariance = np.diag(np.square(relative))
    covariance[0, 1] = covariance[1, 0] = 0.5 * relative[0] * relative[1]
    fit = {
        "estimates": {"kill": KILL[0], "r": {s: r for s, (r, _) in MEN.items()}},
        "covariance_of": labels,
        "covariance": covariance,
    }
    folder.write_json("chapters/resistance-fits.json", dict.fromkeys(threshold_patients.FITS, fit))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    left_fits(folder)
    swings = (Swing("kap", "1/day", 0.1, 1.0, (1.0, 1.94, math.inf, 0.0), (0.1, 0.152, 0.0, math.inf)),)
    with pytest.MonkeyPatch.context() as patch:  # 32 times everything: the slow tier
        patch.setattr(threshold_loop, "swings_of", lambda options, progress: swings)
        spec = SPEC | {"fits": "resistance", "after": ["resistance"]}
        chapter = thresholds.run(spec, folder, budget="small", progress=False, workers=1, seed=1)
    for table in chapter.tables:
        folder.write_table(table)
    return folder.path, chapter


@pytest.fixture(scope="module")
def numbers(made):
    return {n.name: n.value for n in made[1].numbers}


def test_the_chapter_is_whole(made):
    path, chapter = made
    assert len(chapter.figures) >= 5
    for figure in chapter.figures:
        for suffix in ("png", "pdf"):
            assert (path / "figures" / f"{figure.name}.{suffix}").stat().st_size > 5000
        assert figure.caption.endswith(".")
    for table in chapter.tables:
        rows = list(csv.reader((path / "tables" / f"{table.name}.csv").open()))
        assert len(rows) == 1 + len(table.rows)
        assert {len(row) for row in rows} == {len(table.columns)}
    assert len({n.name for n in chapter.numbers}) == len(chapter.numbers)
    assert Chapter.from_dict(chapter.to_dict()).to_dict() == chapter.to_dict()
    for number in chapter.numbers:
        if number.low is not None:
            assert number.interval, number.name
            assert number.low <= number.value <= number.high, number.name
    words = " ".join((*chapter.summary, *chapter.methods, *chapter.warnings, *(f.caption for f in chapter.figures)))
    assert not {"nan", "inf", "None"} & set(words.replace(",", " ").split())


def test_thresholds_of_the_loop(numbers):
    assert numbers["curative_dose"] == pytest.approx(M3["curative_dose"], rel=1e-9)
    assert numbers["pulsed_dose"] == pytest.approx(2 * M3["curative_dose"], rel=1e-9)  # a rare tumour feels the mean
    for fold in M3["folds"]:
        if fold["B"] in (0, 30):
            assert numbers[f"fold_dose_B{fold['B']:g}"] == pytest.approx(fold["e"], rel=1e-7)
    blockade = next(p["B"] for p in M3["critical_blockade"] if p["e"] == 0.6)
    assert numbers["critical_blockade"] == pytest.approx(blockade, rel=1e-8)
    assert numbers["shortest_blockade"] == pytest.approx(M3["blockade_days"]["days"], rel=1e-8)
    assert numbers["residual_bare"] == pytest.approx(4.12438415, rel=1e-8)
    assert numbers["residual_inflamed"] == pytest.approx(3.33937705, rel=1e-8)
    assert numbers["states_missed"] == 0


def test_residual_disease_divides_the_runs(numbers):
    """A tenth of a percent below it chemotherapy clears, a tenth of a percent above the tumour comes back."""
    ends = [
        sample(treated(0.6, 0.0, t_end=900, start=numbers["residual_disease"] * f), [900], ["T"]).values[0, 0]
        for f in (0.999, 1.001)
    ]
    assert ends[0] < 1e-3 < 300 < ends[1]


def test_the_latest_operation_divides_the_runs(numbers):
    day = numbers["latest_surgery"]
    assert 60 < day < 300
    problem = operated({"dose": 0.6}).replace(t_span=(0, 1500), rtol=1e-10)
    ends = [sample(problem.replace(parameters={"day": day + d}), [1500], ["T1", "T2"]).values[0] for d in (-0.05, 0.05)]
    assert max(ends[0]) < 1e-3
    assert ends[1] == pytest.approx((364.94, 107.81), rel=1e-3)


def test_thresholds_of_clones_rates_and_sizes(numbers):
    assert numbers["dose_S_clonal_relapse"] == pytest.approx((0.2 - 1e-7 * 0.5) / 0.55)
    assert numbers["dose_every_clone_clonal_relapse"] == pytest.approx(0.8)
    m = M2["low"].get("m", 1 - (1 - 2.5e-4) ** 40)
    assert numbers["dose_S_oncogene_withdrawal"] == pytest.approx((0.5 * (1 - 2 * m) - 0.3) / 0.55)
    assert numbers["dose_A_oncogene_withdrawal"] == pytest.approx((0.47 * (1 - 0.4 * m) - 0.3) / 0.42)
    assert numbers["dose_every_clone_oncogene_withdrawal"] == pytest.approx(0.15 / 0.07)
    assert numbers["missegregation_relapse"] == pytest.approx(M2["P_of_p"]["critical_braked"], rel=1e-7)
    assert numbers["missegregation_ladder"] == pytest.approx(0.0585267, rel=1e-6)
    for clone, share in (("S", 0.2), ("A", 0.17 / (0.47 * 0.4))):
        assert numbers[f"error_threshold_{clone}"] == pytest.approx(1 - (1 - share) ** (1 / 40), rel=1e-9)
    assert numbers["threshold_size_exact"] == pytest.approx(4.0329e6, rel=1e-5)
    assert numbers["threshold_size_by_aneuploidy"] == pytest.approx(4.449e6, rel=1e-4)
    assert numbers["threshold_size_direct"] == pytest.approx(4e7, rel=1e-9)


def test_what_men_need_and_got(made):
    table = next(t for t in made[1].tables if t.name == "thresholds-patients")
    rows = {row[0]: row for row in table.rows}
    assert [row[0] for row in table.rows] == ["P1017", "C005", "C002"]  # by arm, then by the dose needed
    given, needed, low, high = rows["P1017"][3:7]
    assert needed == pytest.approx(0.0056 / KILL[0], rel=1e-12)
    a, b = 0.0005 / 0.0056, KILL[1] / KILL[0]
    spread = 1.959964 * math.sqrt(a * a + b * b - a * b)  # they are correlated by one half
    assert (low, high) == pytest.approx((needed * math.exp(-spread), needed * math.exp(spread)), rel=1e-6)
    assert given == pytest.approx(0.138447, rel=1e-5)
    assert rows["C002"][3] == 1
    assert rows["C005"][5:7] == (None, None)


def test_time_on_drug_is_that_of_the_record():
    table = datasets.adaptive_abiraterone().table
    last = table.select(subject=["P1002"])["time"].max()
    days = np.arange(0, last, 0.01)
    on = np.zeros(len(days), bool)
    for row in table.dose_rows("P1002"):
        on |= (row["on"] > 0) & (days >= row["time"]) & (days < row["time"] + row["duration"])
    first = np.argmax(on)
    share, length = threshold_patients._time_on_drug(table, "P1002")
    assert share == pytest.approx(on[first:].mean(), abs=1e-3)
    assert length == pytest.approx(last - days[first], abs=0.02)


def test_without_fits_nothing_is_drawn_beside_data(tmp_path):
    assert threshold_patients.patients(RunFolder(tmp_path), "resistance", datasets.adaptive_abiraterone()) == ()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"kap": 0.1}, (1.0016794625719767, 1.9427545240957729, math.inf, 0.0)),
        ({"kap": 1.0}, (0.10016794625719769, 0.15215530397881716, 0.0, math.inf)),
        ({"K": 100.0}, (0.33389315419065896, 0.33389315419065896, 2.086136569566986, 4.5694637)),
    ],
)
def test_thresholds_elsewhere(parameters, expected):
    """The first three by the scalar equation of the loop with its signals at rest; 0 and infinity have a meaning."""
    options = read_options({"name": "a"}, thresholds.DEFAULTS | {"n_residue": 4})
    found = threshold_loop.answers(treated(0.0, 0.0).replace(parameters=parameters), options)
    assert found == pytest.approx(expected, rel=1e-7)


@pytest.mark.slow
def test_one_parameter_at_a_time():
    options = read_options({"name": "a"}, thresholds.DEFAULTS | {"n_residue": 4})
    swings = {s.parameter: s for s in threshold_loop.swings_of(options, False)}
    assert len(swings) == 16
    assert swings["T_X"].at_low[2] == pytest.approx(307.6136569566985, rel=1e-9)
    assert swings["dM"].at_low[:3] == pytest.approx((0.33389315419, 0.59910546380, 29.861365696), rel=1e-9)
    assert swings["dM"].at_low[3] == pytest.approx(45.2742319, rel=1e-7)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"blocker": 20.0}, "not among the blockers"),
        ({"fits": "resistance"}, "has to be in after too"),
        ({"dataset": "adaptive_abi"}, "did you mean 'adaptive_abiraterone'"),
        ({"dose": -1}, "a number above zero"),
    ],
)
def test_faulty_options_are_refused(tmp_path, options, words):
    with pytest.raises(RemissionError, match=words):
        thresholds.run(SPEC | options, RunFolder(tmp_path), budget="small", progress=False, workers=1, seed=1)
