"""What the variants of the paracrine loop do to its thresholds; the numbers are ours, by Newton from many starts."""

import numpy as np
import pytest

from remission.analysis import steady_states
from remission.models import paracrine_invasion, paracrine_loop
from remission.solvers import Problem, sample


def sizes(model, parameters=None, **levels):
    """Tumour sizes of the rest points, tumour-free left out, and how each is."""
    found = steady_states(Problem(model, parameters=parameters or {}).at_constant(**levels), n_starts=80)
    return [(s[model.states[0].name], s.stability) for s in found if s[model.states[0].name] > 0]


def threshold(model, parameters=None, **levels):
    (size,) = [v for v, stability in sizes(model, parameters, **levels) if stability == "unstable"]
    return size


def test_dilution_by_the_tumour_takes_the_threshold_away():
    """Same T_V/T_X: the size that chemotherapy fails from falls with T_V to nothing, the large tumour stays."""
    model = paracrine_loop(dilution=True)
    wanted = {1000: (2.746665, 363.8338), 100: (0.2723118, 366.5862), 1: (0.002720569, 366.8863)}
    for T_V, pair in wanted.items():
        found = sizes(model, {"T_V": T_V, "T_X": T_V / 100}, e=0.6)
        np.testing.assert_allclose([v for v, _ in found], pair, rtol=1e-5)
        assert [stability for _, stability in found] == ["unstable", "stable"]
    assert threshold(paracrine_loop(), e=0.6) == pytest.approx(2.739069, rel=1e-6)


@pytest.mark.parametrize(
    ("kM", "e", "wanted"),
    [
        (0.1, 0.6, (4.414539, 275.4478)),
        (0.3, 0.6, (15.96851, 97.05622)),
        (0.1, 0.9, ()),
        (0.0, 0.9, (9.987731, 142.0543)),
    ],
)
def test_chemotherapy_that_kills_myeloid_cells(kM, e, wanted):
    """It does part of the blocker's work: the threshold rises, the large tumour shrinks or is lost."""
    found = [v for v, _ in sizes(paracrine_loop(), {"kM": kM}, e=e)]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_myeloid_death_moves_no_rest_point_but_the_memory():
    """0.015 against 0.25 per day: same thresholds, and a blockade that ends on day 60 is remembered longer."""
    loop = paracrine_loop()
    assert sizes(loop, {"dM": 0.015}, e=0.6) == [pytest.approx(pair) for pair in sizes(loop, e=0.6)]
    slowest = {}
    for dM in (0.015, 0.25):
        problem = Problem(loop, parameters={"dM": dM}).at_constant(e=0.6)
        (state,) = [s for s in steady_states(problem) if s["T"] > 100]
        slowest[dM] = max(state.eigenvalues.real)
    assert slowest[0.25] == pytest.approx(-0.05410267, abs=1e-7)
    assert slowest[0.25] < 3 * slowest[0.015] < 0


def test_myeloid_cells_that_kill_turn_the_blocker_around():
    """Without chemotherapy the tumour settles at 76, at 321 with B = 30, at 653 without any recruitment."""
    model = paracrine_loop(neutrophils="kill")
    for B, size in ((0, 75.983537), (30, 320.981442), (1e9, 653.333291)):
        assert sizes(model, B=B) == [(pytest.approx(size, rel=1e-6), "stable")]
    assert sizes(paracrine_loop(), B=30)[0][0] < sizes(paracrine_loop())[0][0]  # protection: the blocker helps


def test_myeloid_cells_that_kill_make_it_spiral():
    """Slow ones give complex eigenvalues, which a cooperative system cannot have at its leading end; still stable."""
    problem = Problem(paracrine_loop(neutrophils="kill"), parameters={"dM": 0.015})
    (state,) = [s for s in steady_states(problem) if s["T"] > 1]
    leading = max(state.eigenvalues, key=lambda z: z.real)
    assert (leading.real, abs(leading.imag)) == pytest.approx((-0.0131, 0.0122), abs=1e-4)


@pytest.mark.parametrize(
    ("options", "e", "unstable", "stable"),
    [
        ({"uptake": True}, 0.6, 3.658334, 362.8386),
        ({"uptake": True}, 0.8, 8.925378, 213.6828),
        ({"tnf": "stroma"}, 0.6, 3.216202, 364.4253),
        ({"tnf": "stroma"}, 0.8, 7.209058, 216.7290),
        ({"tnf": "killing"}, 0.6, 7.343619, 365.1968),
        ({"tnf": "killing"}, 0.8, 15.26392, 217.5455),
    ],
)
def test_weaker_signals_raise_the_threshold(options, e, unstable, stable):
    """All three leave the bistability and make small residues safer; e = 1 is above their fold, as of the stroma."""
    model = paracrine_loop(**options)
    assert sizes(model, e=e) == [
        (pytest.approx(unstable, rel=1e-6), "unstable"),
        (pytest.approx(stable, rel=1e-6), "stable"),
    ]
    assert unstable > threshold(paracrine_loop(), e=e)


@pytest.mark.parametrize(("e", "B"), [(0, 0), (0.4, 0), (0.6, 0), (0.8, 0), (0.6, 10), (0.5, 30)])
def test_homogeneous_states_in_space_are_those_of_the_loop(e, B):
    """K/T_X = 100: rest points of paracrine_loop / 1000, stability included, because the slow state is the same."""
    wanted = sizes(paracrine_loop(), e=e, B=B)
    found = sizes(paracrine_invasion(), e=e, B=B)
    assert found == [(pytest.approx(size / 1000, rel=1e-7), stability) for size, stability in wanted]


@pytest.mark.parametrize(("e", "plateau"), [(0, 0.7993), (0.4, 0.5102), (0.6, 0.3650), (0.8, 0.2180)])
def test_plateaus_in_space(e, plateau):
    """tau = 0.8 everywhere goes to the plateau that the file's planar runs reach."""
    problem = Problem(paracrine_invasion(), t_span=(0, 1500), parameters={"tau0": 0.8}, rtol=1e-8).at_constant(e=e)
    assert sample(problem, [1500], ["tau"]).values[0, 0] == pytest.approx(plateau, abs=5e-5)
