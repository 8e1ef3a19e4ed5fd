"""The command line, as a user meets it."""

import csv
import json

import numpy as np
import pytest

from remission.command import find_model, main
from remission.models.errors import RemissionError


def test_no_words_print_help(capsys):
    assert main([]) == 0
    assert "remission solve sensitive_resistant" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["study", "models", "show", "solve", "datasets"])
def test_help_of_every_command(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert "usage: remission " + command in capsys.readouterr().out


def test_models_are_listed_by_question(capsys):
    assert main(["models"]) == 0
    text = capsys.readouterr().out
    assert text.index("resistance") < text.index("sensitive_resistant") < text.index("inflammation")
    assert main(["models", "--question", "resistanc"]) == 1
    assert "did you mean 'resistance'" in capsys.readouterr().err


def test_show_prints_equations_units_and_source(capsys):
    assert main(["show", "sensitive_resistant"]) == 0
    text = capsys.readouterr().out
    for part in ("dS/dt = ", "1/day", "doi:10.1158/0008-5472.CAN-20-0806", "0.01 to 0.1"):
        assert part in text
    assert main(["show", "sensitive_resistant", "--latex"]) == 0
    assert r"\frac{dS}{dt}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["show", "paracrine_lop"], "did you mean 'paracrine_loop'"),
        (["solve", "sensitive_resistant", "--set", "turnovr=1"], "did you mean 'turnover'"),
        (["solve", "sensitive_resistant", "--set", "turnover"], "write NAME=NUMBER"),
        (["solve", "sensitive_resistant", "--set", "turnover=lots"], "write NAME=NUMBER"),
        (["solve", "sensitive_resistant", "--input", "v=1"], "has no 'v'"),
        (["solve", "sensitive_resistant", "--on", "3"], "belong together"),
        (["solve", "sensitive_resistant", "--method", "RK54"], "did you mean 'RK45'"),
        (["datasets", "adaptive_abirateron"], "did you mean 'adaptive_abiraterone'"),
        (["study", "nowhere.toml"], "cannot be read"),
    ],
)
def test_wrong_names_suggest_the_right_ones(words, text, capsys):
    assert main(words) == 1
    assert text in capsys.readouterr().err


def test_a_wrong_command_suggests_the_right_one(capsys):
    with pytest.raises(SystemExit) as end:
        main(["stduy"])
    assert end.value.code == 2
    assert "did you mean 'study'" in capsys.readouterr().err


def test_solve_writes_table_settings_and_figure(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["solve", "sensitive_resistant", "--set", "turnover=0.3", "f_R=0.02", "--input", "u=1", "--t-end", "365"]
    assert main([*words, "--points", "74", "--out", str(out)]) == 0
    rows = list(csv.reader((out / "solution.csv").read_text().splitlines()))
    assert rows[0][:3] == ["t [day]", "S", "R"]
    assert len(rows) == 75
    record = json.loads((out / "solution.json").read_text())
    assert record["parameters"]["turnover"] == 0.3
    assert record["treatment"] == "u = 1 always"
    table = np.array(rows[1:], dtype=float)
    np.testing.assert_allclose(table[0, 1:3], [0.5 * 0.98, 0.5 * 0.02])
    assert (out / "solution.png").stat().st_size > 5000
    assert (out / "solution.pdf").read_bytes().startswith(b"%PDF")
    assert "burden" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:.*")
def test_a_failed_solve_says_so_and_exits_with_one(capsys):
    words = ["solve", "sensitive_resistant", "--input", "u=1", "--initial", "S=1.55", "--t-end", "2000"]
    assert main(words) == 1
    assert "S = " in capsys.readouterr().out


def test_datasets_are_listed_and_shown(capsys, tmp_path):
    assert main(["datasets"]) == 0
    assert "adaptive_abiraterone" in capsys.readouterr().out
    assert main(["datasets", "adaptive_abiraterone"]) == 0
    assert "10.7554/eLife.76284" in capsys.readouterr().out
    assert main(["datasets", "adaptive_abiraterone", "--csv", str(tmp_path / "psa.csv")]) == 0
    assert (tmp_path / "psa.csv").read_text().startswith("subject")


def test_find_model_refuses_what_is_not_a_model():
    with pytest.raises(RemissionError, match="no model 'errors'"):
        find_model("errors")
