"""The cleaning rules of the shipped sets as code: ``python -m remission.datasets._clean SOURCE_FOLDER``.

The source folder holds one folder of collected tables for each set (not shipped). Each rule below is the one that
the set's page states; running this again gives the shipped files byte for byte.
"""

import csv
import sys
from pathlib import Path

from remission.analysis.tables import read_table, write_table

from . import NAMES
from .dataset import FOLDER, facts, read_shipped

RECIST_TOO_SMALL_MM = "5"


def _rows(path) -> list:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _keep(row, names, **more) -> dict:
    """The named cells of a row, some under another name ("study_arm:arm"), and further cells."""
    pairs = (name.partition(":") for name in names.split())
    return {new or old: row[old] for old, _, new in pairs} | more


BASIC = "subject study_arm:arm time time_unit observable value unit"


def _schedule(path, into) -> list:
    """Run-length coded on/off intervals as doses."""
    return [
        _keep(row, "subject start:time time_unit on", duration=float(row["end"]) - float(row["start"]), into=into)
        for row in _rows(path)
    ]


def adaptive_abiraterone(folder):
    """Doses from the schedule; the values as they are."""
    folder = folder / "adaptive-abiraterone"
    extra = {name: _rows(folder / f"{name}.csv") for name in ("published_parameters", "progression_by_arm")}
    values = [_keep(row, BASIC) for row in _rows(folder / "data.csv")]
    return values, _schedule(folder / "schedule.csv", "abiraterone"), extra


def intermittent_adt(folder):
    """Doses from the schedule; recorded drugs kept as text; the PSA of 0 kept."""
    folder = folder / "intermittent-adt-bruchovsky"
    names = BASIC + " cycle cpa_mg_per_day leuprolide_mg"
    values = [_keep(row, names) | {"arm": "intermittent"} for row in _rows(folder / "data.csv")]
    doses = _schedule(folder / "schedule.csv", "androgen suppression")
    return values, doses, {"outcome": _rows(folder / "outcome.csv")}


def egfr_tki_lung_pdx(folder):
    """Amounts per mouse into the drug; doses of 0 are none; plasma levels in ng/mL."""
    folder = folder / "egfr-tki-lung-pdx"
    # The collected "mg/L" would put more drug into the plasma than was given; see the page.
    units = {"mm3": "mm^3", "mg/L": "ng/mL"}
    values = [_keep(row, BASIC) | {"unit": units[row["unit"]]} for row in _rows(folder / "data.csv")]
    doses = [
        _keep(row, "subject time time_unit dose:amount drug:into body_weight_g:body_mass_g", unit="ug")
        for row in _rows(folder / "doses.csv")
        if float(row["dose"]) > 0
    ]
    return values, doses, {}


def tetraploid_evolution(folder):
    """Culture and tumours in one table of fractions."""
    folder = folder / "tetraploid-evolution"
    rows = _rows(folder / "in_vitro.csv") + _rows(folder / "in_vivo.csv")
    return [_keep(row, BASIC) | {"unit": "fraction"} for row in rows], None, {}


def ploidy_dose_response(folder):
    """Time 0 for the end point; drug and concentration make the replicate."""
    values = []
    for row in _rows(folder / "ploidy-dose-response-hap1" / "data.csv"):
        which = f"{row['therapy']} {float(row['concentration_nM']):g} nM"
        cells = _keep(row, BASIC + " therapy:drug concentration_nM", replicate=which)
        values.append(cells | {"time": 0, "time_unit": "day", "unit": "fraction"})
    return values, None, {}


def cart_dex_killing(folder):
    """Cell index and end counts in one table; the wells of a condition are its replicates; no sd of 0."""
    folder = folder / "cart-dex-killing"
    values, conditions, wells = [], {}, {}
    for row in _rows(folder / "cell_index.csv"):
        cells = _keep(row, BASIC + " sd car_t_per_well dex_ug_per_mL", well="", sample_index=row["sample_index"])
        conditions[row["subject"]] = _keep(row, "car_t_per_well dex_ug_per_mL")
        sd = row["sd"] if float(row["sd"]) > 0 else ""
        values.append(cells | {"observable": "cell index", "unit": "1", "sd": sd})
    for row in _rows(folder / "endpoint_counts.csv"):
        known = wells.setdefault(row["subject"], [])
        if row["well"] not in known:
            known.append(row["well"])
        name = row["observable"].replace(" (CAR T)", "")
        cells = _keep(row, BASIC + " well", replicate=known.index(row["well"]) + 1) | conditions[row["subject"]]
        values.append(cells | {"observable": name, "unit": "cells"})
    return values, None, {"published_fits": _rows(folder / "published_fits.csv")}


def atezolizumab_tumour_size(folder):
    """Clocks that start at the first visit, the start of treatment as doses, censored small lesions, no repeats."""
    values, doses = [], []
    for study in range(1, 6):
        patients = {}
        for row in _rows(folder / "atezolizumab-tumour-size" / f"study{study}.csv"):
            patients.setdefault(row["subject"], []).append(row)
        for rows in patients.values():
            rows.sort(key=lambda row: float(row["time"]))
            shift = max(0.0, -float(rows[0]["time"]))
            values += _visits(rows, shift, study)
            doses += _therapy(rows, shift)
    return values, doses, {}


def _visits(rows, shift, study):
    """The rows of one patient on the moved clock."""
    days, visits = {}, []
    for row in rows:
        seen = days.setdefault(row["time"], [])
        if row["value"] in seen:
            continue
        seen.append(row["value"])
        cells = _keep(row, BASIC, study=study, day_of_treatment=row["time"])
        cells |= {"time": float(row["time"]) + shift, "observable": "target lesion diameter"}
        if row["censoring"].startswith("left"):
            cells |= {"censoring": "left", "limit": RECIST_TOO_SMALL_MM}
        if len(seen) > 1:
            cells["replicate"] = len(seen)
        visits.append(cells)
    return visits


def _therapy(rows, shift):
    """Off before the start of treatment, on from it to the last visit."""
    last = float(rows[-1]["time"])
    common = {"subject": rows[0]["subject"], "time_unit": "day", "into": rows[0]["therapy"].partition(",")[0]}
    if shift > 0:
        yield common | {"time": 0, "on": 0, "duration": shift}
    if last > 0:
        yield common | {"time": shift, "on": 1, "duration": last}


def page(dataset) -> str:
    """The set's page in Markdown; counts are counted, the rest is the set's TOML file."""
    table, about = dataset.table, facts(dataset.name)
    lines = [f"# {dataset.title}", "", dataset.about, "", "| | |", "|---|---|"]
    lines += [f"| call | `remission.datasets.{dataset.name}()` |", f"| source | {dataset.source} |"]
    lines += [f"| DOI | [{dataset.doi}](https://doi.org/{dataset.doi}) |", f"| licence | {dataset.licence} |"]
    lines += [f"| taken from | {dataset.repository} |", f"| time | {table.time_unit} |", ""]
    lines += [
        "## What is in it",
        "",
        "| observable | unit | values | subjects | censored |",
        "|---|---|---:|---:|---:|",
    ]
    for name in table.observables:
        part = table.select(observable=name)
        unit = {"1": "dimensionless"}.get(table.units[name], table.units[name])
        censored = int((part["censoring"] != "none").sum())
        lines.append(f"| {name} | {unit} | {len(part)} | {len(part.subjects)} | {censored} |")
    lines += ["", "| arm | subjects | values |", "|---|---:|---:|"]
    for arm in dict.fromkeys(table["arm"].tolist()):
        part = table.select(arm=arm)
        lines.append(f"| {arm} | {len(part.subjects)} | {len(part)} |")
    if table.doses is not None:
        into, first = table.doses["into"].tolist(), table.doses["amount"][0]
        unit = f"amount in {table.doses['unit'][0]}" if first == first else "intervals, on = 1 or 0"
        lines += ["", f"Doses: {len(into)} rows into {', '.join(dict.fromkeys(into))} ({unit})."]
    lines += [f"\nTable `{name}`: {text}." for name, text in about.get("tables", {}).items()]
    lines += ["", "## Cleaning rules", "", *(f"{i}. {rule}" for i, rule in enumerate(dataset.cleaning, 1))]
    lines += ["", "## Before you fit", "", *(f"- {note}" for note in dataset.notes)]
    return "\n".join(lines) + "\n"


def clean(folder, into=FOLDER):
    """Write the shipped files of every set from the folder of collected tables."""
    folder, into = Path(folder), Path(into)
    for name in NAMES:
        values, doses, extra = globals()[name](folder)
        table = read_table(values, doses=doses, time_unit=facts(name)["time_unit"])
        write_table(table, into / f"{name}.csv")
        for title, rows in extra.items():
            with open(into / f"{name}_{title}.csv", "w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        (into / f"{name}.md").write_text(page(read_shipped(name, folder=into)), encoding="utf-8")


if __name__ == "__main__":
    clean(sys.argv[1])
