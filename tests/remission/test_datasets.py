"""The shipped sets against the counts and units of their collections, and their pages against the tables."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from remission import datasets
from remission.datasets._clean import page
from remission.datasets.dataset import FOLDER
from remission.models.errors import DataError, KeywordError
from remission.models.units import conversion

# name: subjects, values, units, subjects per arm (or number of arms), as counted when the sets were collected;
# atezolizumab had 5599 values, of which three repeat another in patient, day and value.
COUNTS = {
    "adaptive_abiraterone": (
        21,
        439,
        {"PSA": "ng/mL"},
        {"adaptive abiraterone": 11, "continuous abiraterone (standard of care)": 10},
    ),
    "intermittent_adt": (
        44,
        3947,
        {"PSA": "ng/mL", "testosterone": "nmol/L"},
        {"intermittent": 44},
    ),
    "egfr_tki_lung_pdx": (
        36,
        518,
        {"tumour volume": "mm^3", "plasma concentration": "ng/mL"},
        {
            "control": 6,
            "erlotinib 100 mg/kg/day": 6,
            "erlotinib 25 mg/kg/day": 4,
            "erlotinib 6.25 mg/kg/day": 6,
            "gefitinib 100 mg/kg/day": 3,
            "gefitinib 25 mg/kg/day": 5,
            "gefitinib 6.25 mg/kg/day": 6,
        },
    ),
    "tetraploid_evolution": (
        12,
        62,
        None,
        {
            "newly formed tetraploid cells in culture": 1,
            "tumour grown from newly formed tetraploid (4N) cells": 11,
        },
    ),
    "ploidy_dose_response": (
        24,
        576,
        {"relative viability": "fraction"},
        {"HAP1 haploid": 8, "HAP1 diploid": 8, "HAP1 tetraploid": 8},
    ),
    "cart_dex_killing": (
        52,
        8756,
        {"cell index": "1", "residual tumour cells": "cells", "residual effector cells": "cells"},
        {"PBT1": 16, "PBT2": 18, "PBT4": 18},
    ),
    "atezolizumab_tumour_size": (976, 5596, {"target lesion diameter": "mm"}, 14),
}


def test_every_set_is_counted_here():
    assert set(COUNTS) == set(datasets.list_datasets()) == set(datasets.NAMES)


@pytest.mark.parametrize("name", COUNTS)
def test_subjects_values_units_and_arms(name):
    subjects, values, units, arms = COUNTS[name]
    data = getattr(datasets, name)()
    table = data.table
    assert (len(table.subjects), len(table)) == (subjects, values)
    if units is None:
        assert set(table.units.values()) == {"fraction"}
    else:
        assert data.units == units
    counted = {}
    for arm in table.arms.values():
        counted[arm] = counted.get(arm, 0) + 1
    assert (len(counted) if isinstance(arms, int) else counted) == arms
    assert (table["time"] >= 0).all()
    assert (np.isfinite(table["value"]) | (table["censoring"] != "none")).all()
    assert datasets.load(name) is data


@pytest.mark.parametrize("name", COUNTS)
def test_provenance_is_complete_and_the_page_is_current(name):
    data = datasets.load(name)
    assert re.fullmatch(r"10\.\d{4}/\S+", data.doi)
    assert data.licence in {"CC0-1.0", "MIT", "BSD-3-Clause", "CC-BY-4.0"}
    assert data.page == page(data)
    for rule in data.cleaning:
        assert rule in data.page
    assert data.doi in data.table.source
    assert str(len(data.table)) in str(data)


def test_the_overview_page_has_the_counts():
    text = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    for name, (subjects, values, *_) in COUNTS.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}()`")]
        data = datasets.load(name)
        assert f"| {subjects} | {values} |" in line
        assert data.doi in line
        assert line.endswith(f"| {data.licence} |")


def test_abiraterone_keeps_values_and_schedule():
    data = datasets.adaptive_abiraterone()
    first = data.table.select(subject="P1001")
    assert first["value"][:3].tolist() == [6.06, 0.03, 0.1]
    assert first["time"][:3].tolist() == [0, 27, 55]
    assert [(d["time"], d["duration"], d["on"]) for d in data.table.dose_rows("P1001")[:3]] == [
        (0, 27, 1),
        (27, 110, 0),
        (137, 28, 1),
    ]
    assert len(data.doses["on"]) == 95
    assert set(data.doses["into"]) == {"abiraterone"}
    continuous = data.table.select(arm="continuous abiraterone (standard of care)")
    # eight of the ten begin without the drug; once it is given it stays
    off = continuous.doses["on"] == 0
    assert int(off.sum()) == 8
    assert set(continuous.doses["time"][off]) == {0}
    parameters = data.tables["published_parameters"]
    assert len(parameters["subject"]) == 21
    assert parameters["S0"][0] == 2158.32
    assert len(data.tables["progression_by_arm"]["censored"]) == 32


def test_intermittent_adt_keeps_the_zero_and_the_codes():
    data = datasets.intermittent_adt()
    zero = data.table.select(where=data.table["value"] == 0)
    assert (zero.subjects, zero.observables, zero["censoring"].tolist()) == (("100",), ("PSA",), ["none"])
    assert len(data.doses["on"]) == 236
    outcomes = data.tables["outcome"]["outcome"].tolist()
    assert (outcomes.count("no relapse"), outcomes.count("relapse")) == (35, 8)
    assert "NIL 300" in data.table["cpa_mg_per_day"]
    assert data.table.subjects[0] == "001"


def test_doses_of_mice_are_the_nominal_ones():
    data = datasets.egfr_tki_lung_pdx()
    doses = data.doses
    assert len(doses["amount"]) == 191 + 196
    assert set(doses["unit"]) == {"ug"}
    assert (doses["time"].min(), doses["time"].max()) == (3, 16)
    nominal = {s: float(re.search(r"([\d.]+) mg/kg", arm)[1]) for s, arm in data.table.arms.items() if arm != "control"}
    assert set(nominal) == set(doses["subject"].tolist())
    per_mass = doses["amount"] / doses["body_mass_g"]  # ug/g = mg/kg
    np.testing.assert_allclose(per_mass, [nominal[s] for s in doses["subject"].tolist()], rtol=0.05)


def test_plasma_never_holds_more_drug_than_was_given():
    """A mouse has about 0.05 mL of plasma a gram; in mg/L the highest level would be more than its dose."""
    data = datasets.egfr_tki_lung_pdx()
    levels, doses = data.table.select(observable="plasma concentration"), data.doses
    assert len(levels) == 52
    for subject, level in zip(levels["subject"], levels["value"], strict=True):
        own = doses["subject"] == subject
        in_plasma = level * conversion("ng/mL", "ug/mL") * 0.05 * doses["body_mass_g"][own].max()
        assert in_plasma < 0.1 * doses["amount"][own].min()


def test_classes_of_each_tumour_add_up_to_at_most_one():
    table = datasets.tetraploid_evolution().table
    tumours = table.select(where=table["subject"] != "culture")
    assert (len(tumours), int((tumours["value"] == 0).sum())) == (55, 9)
    sums = {s: tumours.select(subject=s)["value"].sum() for s in tumours.subjects}
    assert max(sums.values()) <= 1 + 1e-9
    assert min(sums.values()) > 0.9


def test_dose_response_has_twelve_concentrations_of_each_drug():
    table = datasets.ploidy_dose_response().table
    for drug, highest in (("Doxorubicin", 1250), ("GSK-923295", 625)):
        part = table.select(where=table["drug"] == drug)
        levels = np.unique(part["concentration_nM"])[::-1]
        np.testing.assert_allclose(levels, highest / 2.0 ** np.arange(12), rtol=1e-5)
    assert set(table["time"]) == {0}
    assert int((table["value"] < 0).sum()) == 35


def test_wells_are_replicates_and_the_clock_converts():
    data = datasets.cart_dex_killing()
    table = data.table
    index = table.select(observable="cell index")
    assert [len(index.select(arm=arm)) for arm in ("PBT1", "PBT2", "PBT4")] == [2608, 2934, 3006]
    ends = table.select(observable=["residual tumour cells", "residual effector cells"])
    assert len(ends) == 208
    assert set(ends["replicate"]) == {"1", "2"}
    assert int((ends["value"] == 0).sum()) == 9
    assert int(np.isnan(index["sd"]).sum()) == 55
    assert not (table["sd"] == 0).any()
    assert set(np.unique(table["car_t_per_well"])) == {0, 500, 1250, 2500}
    assert len(data.tables["published_fits"]["rho"]) == 52
    assert np.median(data.tables["published_fits"]["reduced_chi2"]) == pytest.approx(0.14, abs=0.005)
    days = datasets.load("cart_dex_killing", time_unit="day").table
    np.testing.assert_allclose(days["time"] * 24, table["time"], rtol=1e-15, atol=1e-13)


def test_atezolizumab_clock_censoring_and_repeats():
    table = datasets.atezolizumab_tumour_size().table
    # as collected: 270, 613, 1459, 2767 and 490 rows; studies 2, 3 and 5 lose a repeated row each
    assert [int((table["study"] == k).sum()) for k in range(1, 6)] == [270, 612, 1458, 2767, 489]
    small = table.select(where=table["censoring"] == "left")
    assert len(small) == 37
    assert set(small["limit"]) == {5}
    assert np.isnan(small["value"]).all()
    assert int((table["value"] == 0).sum()) == 193
    # 194 zeros as collected; one of them repeats another
    assert table.select(where=table["replicate"] == "2").subjects == ("s5-0130c48e",)
    began = {}
    for subject, start, on in zip(*(table.doses[k].tolist() for k in ("subject", "time", "on")), strict=True):
        if on:
            began[subject] = start
    for subject, time, day in zip(*(table[k].tolist() for k in ("subject", "time", "day_of_treatment")), strict=True):
        assert subject not in began or time - began[subject] == day
    assert (table.select(subject="s1-663cce65")["time"][:3] == [0, 39, 86]).all()
    assert set(table.select(arm="Study_4_Arm_1").doses["into"]) == {"docetaxel"}
    assert set(table.select(arm="Study_2_Arm_1").doses["into"]) == {"atezolizumab or docetaxel"}


def test_unknown_names_are_answered():
    with pytest.raises(DataError, match="did you mean 'adaptive_abiraterone'"):
        datasets.load("adaptive_abirateron")
    with pytest.raises(KeywordError, match="time_unit"):
        datasets.load("cart_dex_killing", timeunit="day")


def test_size_of_what_ships():
    size = sum(path.stat().st_size for path in FOLDER.iterdir() if path.suffix in {".csv", ".md", ".toml"})
    assert 0.5e6 < size < 1.5e6


def test_listing_reads_no_table_and_loads_nothing_heavy():
    code = (
        "import sys, remission.datasets as d; d.list_datasets(); "
        "print([m for m in ('pandas', 'scipy', 'sympy', 'matplotlib', 'remission.analysis') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
