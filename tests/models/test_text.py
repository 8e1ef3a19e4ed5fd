"""A model as text, LaTeX, a table and a diagram."""

import pytest

from remission import models
from remission.models import Model, Parameter, State, grad
from remission.models.text import diagram_arrows, letters_latex, model_text, parameter_table

NAMES = [name for names in models.BY_QUESTION.values() for name in names]


def test_text_reads_like_the_system():
    model = models.logistic_growth()
    assert str(model).splitlines()[:3] == [
        "logistic_growth (time in day)",
        "  dV/dt = r*V*(1 - V/K)",
        "  burden = V",
    ]
    assert "doi:10.1186" in str(model)
    assert "scaled time" in str(models.nondimensionalise(model).model)


def test_latex_aligns_one_line_a_state():
    text = models.paracrine_loop().latex()
    assert text.startswith(r"\begin{aligned}")
    assert text.endswith(r"\end{aligned}")
    lines = text.splitlines()[1:-1]
    assert len(lines) == 5
    assert all(line.count("&=") == 1 for line in lines)
    assert [line.endswith(r"\\") for line in lines] == [True] * 4 + [False]
    assert lines[1].startswith(r"\frac{dF}{dt} &= g_{F} \left(e - F\right)")


def test_latex_of_a_greek_letter_and_an_index():
    b, q = Parameter("beta", 1.0), Parameter("d_R", 1.0)
    S = State("S", 1.0)
    assert Model("m", rates={S: b * S - q}).latex().splitlines()[1] == r"\frac{dS}{dt} &= \beta S - d_{R}"


def test_latex_of_names_is_no_product_of_letters():
    names = ("kap", "etaF", "sig0", "cin", "crowd_R", "N_crit", "x_10", "V0", "KD0", "rho")
    shown = [letters_latex(Parameter(name, 1.0)) for name in names]
    assert shown == [
        r"\kappa", r"\eta_{F}", r"\sigma_{0}", r"\mathrm{cin}", r"\mathrm{crowd}_{R}", r"N_{\mathrm{crit}}", "x_{10}",
        "V_{0}", r"\mathrm{KD0}", r"\rho",
    ]  # fmt: skip
    alike = Parameter("gX", 1.0) + Parameter("g_X", 1.0)
    assert sorted(letters_latex(alike).split(" + ")) == [r"\mathrm{gX}", r"\mathrm{g\_X}"]


def test_latex_of_a_flux():
    D, v, S = Parameter("D", 0.1), Parameter("v", 1.0), State("S", 1.0)
    model = Model("m", rates={S: -v * S}, fluxes={S: -D * grad(S)})
    line = model.latex().splitlines()[1]
    assert line == r"\frac{\partial S}{\partial t} &= \nabla \cdot \left(D \nabla {\left(S \right)}\right) - v S"


@pytest.mark.parametrize("name", NAMES)
def test_every_letter_of_the_catalogue_is_described(name):
    model = getattr(models, name)()
    rows = parameter_table(model)
    assert len(rows) == len(model.states) + len(model.parameters) + len(model.inputs)
    for row in rows:
        assert row["about"], f"{row['name']} has no text"
        assert row["unit"], f"{row['name']} has no unit"
        assert row["role"] != "parameter" or row["plausible"], f"{row['name']} has no plausible range"
    assert model.source
    assert model.about
    assert model_text(model).count("dt = ") == len(model.states)


def test_the_loop_of_inflammation_closes():
    """X calls in M, M makes P, P lowers the loss of T, T makes X; chemotherapy drives F, F drives X; B cuts X to M."""
    arrows = {(a.start, a.end): a.kind for a in diagram_arrows(models.paracrine_loop())}
    assert arrows == {
        ("T", "X"): "raises",
        ("X", "M"): "raises",
        ("M", "P"): "raises",
        ("P", "T"): "raises",
        ("F", "X"): "raises",
        ("e", "F"): "raises",
        ("e", "T"): "lowers",
        ("B", "M"): "lowers",
    }


def test_the_diagram_of_instability():
    arrows = {(a.start, a.end): a.kind for a in diagram_arrows(models.oncogene_withdrawal())}
    assert arrows["S", "A"] == "flow"
    assert arrows["S", "R"] == arrows["A", "R"] == "raises"
    assert arrows["u", "S"] == arrows["u", "A"] == arrows["u", "R"] == "lowers"
    assert arrows["cin", "R"] == "raises"
    assert ("R", "S") not in arrows  # R takes no room by default
