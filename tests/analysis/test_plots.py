"""Figures: what is drawn is what was computed, labels have units, legends cover nothing, nothing global changes."""

import hashlib
import pickle
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex

import remission as rm
from remission.analysis import plots
from remission.analysis.plots.legend import obstacles
from remission.analysis.plots.solution import curve
from remission.models import Model, Parameter, State
from remission.models.catalogue import oncogene_withdrawal, paracrine_loop, sensitive_resistant
from remission.models.text import diagram_arrows
from remission.solvers import Problem, Treatment, solve


@pytest.fixture(autouse=True)
def nothing_global_changes():
    """No test may change matplotlib's settings or leave a figure with pyplot."""
    import matplotlib.pyplot as plt

    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == []


@pytest.fixture(scope="module")
def adaptive():
    rule = Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0, relative_to="start")
    return solve(Problem(sensitive_resistant(), t_span=(0, 600), treatment=rule))


@pytest.fixture(scope="module")
def two_phases():
    rule = Treatment.switch_when({"u": 1, "cin": 0}, of="at_risk", above=1e8, before={"u": 0, "cin": 1})
    return solve(Problem(oncogene_withdrawal(), t_span=(0, 300), treatment=rule))


@pytest.fixture(scope="module")
def a_fit():
    rows, doses = [], []
    for subject, rate, scale in (("m1", 0.05, 3.0), ("m2", 0.03, 5.0)):
        for day in range(0, 60, 6):
            value = scale * 0.1 * np.exp(rate * day)
            rows.append({"subject": subject, "time": day, "observable": "size", "value": value, "unit": "mm^3"})
        doses += [{"subject": subject, "time": 0, "duration": 20, "on": 1, "into": "drug"}]
        doses += [{"subject": subject, "time": 20, "duration": 40, "on": 0, "into": "drug"}]
    table = rm.read_table(rows, doses=doses)
    observe = {"size": rm.Scaled("burden")}
    whole = rm.Experiment(Problem(sensitive_resistant(), t_span=(0, 1)), table, observe, into={"drug": "u"})
    early, late = whole.split(0.6, at_least=3)
    found = rm.fit(early, {"r": rm.Own()}, noise="relative", n_starts=1, rng=0, progress=False)
    return found, late, table


def spans_of(ax):
    """Left and right edge of full-height shading, in order."""
    boxes = [p for p in ax.patches if p.get_gid() == "background"]
    return sorted((p.get_x(), p.get_x() + p.get_width()) for p in boxes)


def covered(ax):
    """Points of what is drawn that lie under the legend."""
    ax.figure.draw_without_rendering()
    box, points = ax.get_legend().get_window_extent(), obstacles(ax)
    x, y = points.T
    return int(np.sum((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1)))


def vertices_covered(ax):
    """The same from the data alone, without our own idea of what is an obstacle."""
    ax.figure.draw_without_rendering()
    box = ax.get_legend().get_window_extent()
    count = 0
    for line in ax.lines:
        points = line.get_transform().transform(line.get_xydata())
        points = [p for p in points if not line.get_clip_on() or ax.bbox.contains(*p)]
        count += sum(box.contains(*p) for p in points if np.all(np.isfinite(p)))
    return count


# --- the verb ---------------------------------------------------------------------------------------------------------


def test_an_unknown_result_is_told_what_can_be_drawn():
    with pytest.raises(rm.ProblemError, match=r"no figure for int; it draws Solution, Model, Table"):
        rm.plot(3)
    with pytest.raises(rm.ProblemError, match=r"solve\(problem\) first"):
        rm.plot(Problem(sensitive_resistant()))


def test_a_misspelt_option_gets_the_nearest(adaptive):
    with pytest.raises(rm.KeywordError, match=r"plot\(Solution\) has no option 'nams'; did you mean 'names'"):
        rm.plot(adaptive, nams=["S"])


def test_every_drawer_exists_and_takes_an_axes():
    import importlib
    import inspect

    for module, name in plots.DRAWERS.values():
        drawer = getattr(importlib.import_module(f"remission.analysis.plots.{module}"), name)
        assert list(inspect.signature(drawer).parameters)[1] == "ax"


def test_the_axes_that_were_given_are_drawn_on(adaptive):
    fig, (left, right) = plots.figure(2, width="double")[0], plots.figure(2)[1].ravel()
    assert rm.plot(adaptive, left) is left
    assert rm.plot(adaptive, ax=right, names="R") is right
    assert fig is not left.figure


# --- solutions --------------------------------------------------------------------------------------------------------


def test_labels_have_units():
    ax = rm.plot(solve(Problem(paracrine_loop(), t_span=(0, 30))))
    assert ax.get_ylabel() == "tumour cells (10⁶ cells)"
    assert ax.get_xlabel() == "time (days)"


def test_shading_is_the_drug_that_was_given(adaptive):
    ax = rm.plot(adaptive)
    on = [(s.start, s.end) for s in adaptive.trace.segments if s.inputs[0] > 0]
    assert len(on) > 2
    np.testing.assert_allclose(spans_of(ax), sorted(on), rtol=1e-12)
    switches = [e.time for e in adaptive.events if e.kind == "switch"]
    edges = {round(t, 9) for span in spans_of(ax) for t in span} - {0.0, 600.0}
    assert edges == {round(t, 9) for t in switches}
    assert "given: u = 1" in [t.get_text() for t in ax.get_legend().get_texts()]


def test_levels_darken_the_shade():
    doses = Treatment.constant({"u": 0.5}, start=10, end=20) + Treatment.constant({"u": 1.0}, start=30, end=50)
    ax = rm.plot(solve(Problem(sensitive_resistant(), t_span=(0, 60), treatment=doses)))
    assert spans_of(ax) == [(10, 20), (30, 50)]
    half, full = [p.get_alpha() for p in sorted(ax.patches, key=lambda p: p.get_x()) if p.get_gid() == "background"]
    assert half == pytest.approx(full / 2)


def test_two_inputs_are_two_strips_above_the_curves(two_phases):
    ax = rm.plot(two_phases, scale="log")
    strips = {p.get_label(): (p.get_x(), p.get_x() + p.get_width()) for p in ax.patches if p.get_gid() == "strip"}
    switch = next(e.time for e in two_phases.events if e.kind == "switch")
    assert strips == {"given: cin = 1": pytest.approx((0, switch)), "given: u = 1": pytest.approx((switch, 300))}
    lowest = min(p.get_y() for p in ax.patches if p.get_gid() == "strip")
    ax.figure.draw_without_rendering()
    tops = [ax.transAxes.inverted().transform(ax.transData.transform((0, np.nanmax(line.get_ydata()))))[1]
            for line in ax.lines if line.get_gid()]  # fmt: skip
    assert max(tops) < lowest


def test_jumps_are_drawn_as_jumps():
    cut = Treatment.surgery({"S": 0.9, "R": 0.9}, at=50)
    solution = solve(Problem(sensitive_resistant(), t_span=(0, 100), treatment=cut))
    times, values = curve(solution, "burden")
    at = np.flatnonzero(times == 50)
    assert len(at) == 2
    assert values[at[1]] == pytest.approx(0.1 * values[at[0]], rel=1e-12)
    ax = rm.plot(solution)
    assert "surgery: 90 % of S, R" in ax.get_legend_handles_labels()[1]


def test_doses_are_marked_at_their_times():
    pulses = Treatment.bolus({"central": 10}, every=7, times=3)
    ax = rm.plot(solve(Problem(rm.models.bolus_1cpt(), t_span=(0, 30), treatment=pulses)))
    (marks,) = [line for line in ax.lines if line.get_marker() == "v"]
    assert list(marks.get_xdata()) == [0, 7, 14]
    assert marks.get_label() == "10 into central"
    assert ax.get_ylabel() == "drug in blood (mg)"


def test_a_logarithmic_axis_ends_at_one_cell(two_phases):
    assert rm.plot(two_phases, scale="log").get_ylim()[0] == pytest.approx(1.0)
    treated = Problem(paracrine_loop(), t_span=(0, 300), treatment=Treatment.constant({"e": 0.6, "B": 30}))
    assert rm.plot(solve(treated), scale="log").get_ylim()[0] == pytest.approx(1e-6)  # in 1e6 cells


def test_different_units_do_not_share_an_axis():
    solution = solve(Problem(paracrine_loop(), t_span=(0, 20)))
    with pytest.raises(rm.ProblemError, match=r"T in 1e6 cells; F, X in 1\).*solution_panels"):
        rm.plot(solution, names=["T", "F", "X"])
    fig = plots.solution_panels(solution, ["T", "F", "X"])
    assert [len([line for line in ax.lines if line.get_gid()]) for ax in fig.axes] == [1, 2]
    chosen = plots.solution_panels(solution, [["T"], ["X"], ["F", "M", "P"]])
    assert len(chosen.axes) == 3


def test_an_unknown_name_gets_the_nearest(adaptive):
    with pytest.raises(rm.ProblemError, match="did you mean 'burden'"):
        rm.plot(adaptive, names="burdn")
    with pytest.raises(rm.ProblemError, match="names is empty"):
        rm.plot(adaptive, names=[])


@pytest.mark.filterwarnings("ignore::remission.solvers.SolveWarning")
def test_a_failed_solution_says_so_in_the_figure():
    N, k = State("N", 1.0), Parameter("k", 1.0, unit="1/day")
    ax = rm.plot(solve(Problem(Model("blow_up", rates={N: k * N**2}), t_span=(0, 2))))
    assert any("ended early" in text.get_text() for text in ax.texts)


def test_clones_keep_their_colours_in_every_figure(adaptive, two_phases, a_fit):
    def colour(ax, name):
        return next(to_hex(line.get_color()) for line in ax.lines if line.get_gid() == name)

    found, _, _ = a_fit
    fitted = rm.plot(found, subject="m1", parts=["S", "R"])
    for name in ("S", "R", "burden"):
        seen = {colour(rm.plot(s), name) for s in (adaptive, two_phases)} | {colour(fitted, name)}
        assert seen == {plots.colour_of(name, "tumour").lower()}
    shown = {plots.colour_of(n) for n in ("S", "A", "R", "burden")}
    assert len(shown) == 4
    assert len({str(plots.line_of(n)) for n in ("S", "A", "R")}) == 3


def test_curves_of_one_colour_differ_in_their_line():
    names = [f"clone_{i}" for i in range(6)]
    states = [State(name, 1.0 + i) for i, name in enumerate(names)]
    ax = rm.plot(solve(Problem(Model("six", rates={s: -0.1 * s for s in states}), t_span=(0, 5))))
    looks = {(to_hex(line.get_color()), str(line._unscaled_dash_pattern)) for line in ax.lines}
    assert len(looks) == len(ax.lines)


# --- legends ----------------------------------------------------------------------------------------------------------


def full_of_points(ax):
    x, y = np.meshgrid(np.linspace(0, 1, 25), np.linspace(0, 1, 25))
    ax.plot(x.ravel(), y.ravel(), ".", label="everywhere")


def a_long_diagonal(ax):
    ax.plot([0, 1], [0, 1], label="two vertices only")
    ax.plot([0, 1], [1, 0], label="and back")


def tall_bars(ax):
    ax.bar(range(5), [5, 5, 5, 5, 5], width=1.0, label="bars")


def a_wide_band(ax):
    ax.fill_between([0, 1], [0, 0], [1, 1], alpha=0.2, label="a band with four corners")
    ax.set_ylim(0, 1)


def on_a_log_axis(ax):
    ax.set_yscale("log")
    x = np.linspace(0, 1, 300)
    for k in range(6):
        ax.plot(x, 10 ** (8 * np.abs(np.sin(9 * x + k))), label=f"clone {k}, of a long name")


def one_free_corner(ax):
    x = np.linspace(0, 1, 200)
    ax.plot(x, np.where(x < 0.55, 0.0, 1.0), label="step")
    ax.plot(x, np.where(x < 0.55, 1.0, 0.5 + 0.5 * x), label="other")


AWKWARD = [full_of_points, a_long_diagonal, tall_bars, a_wide_band, on_a_log_axis, one_free_corner]


@pytest.mark.parametrize("draw", AWKWARD, ids=lambda f: f.__name__)
def test_a_legend_covers_no_data(draw):
    _, ax = plots.figure()
    draw(ax)
    plots.place_legend(ax)
    assert covered(ax) == 0
    assert vertices_covered(ax) == 0
    frame, page = ax.get_legend().get_window_extent(), ax.figure.bbox
    assert frame.x0 >= page.x0 - 1
    assert frame.x1 <= page.x1 + 1
    assert frame.y0 >= page.y0 - 1


def test_a_legend_that_covers_data_is_noticed():
    """The measure of the tests above can fail."""
    _, ax = plots.figure()
    full_of_points(ax)
    ax.legend(loc="center")
    assert covered(ax) > 0
    assert vertices_covered(ax) > 0


def test_legends_of_solutions_cover_nothing(adaptive, two_phases):
    for ax in (rm.plot(adaptive), rm.plot(two_phases, scale="log"), rm.plot(two_phases)):
        assert covered(ax) == 0


def test_a_legend_is_placed_again_when_the_figure_is_saved(tmp_path):
    fig, ax = plots.figure()
    ax.plot([0, 1], [0, 0.1], label="low")
    ax.set_ylim(0, 1)
    plots.place_legend(ax)
    full_of_points(ax)
    assert covered(ax) > 0
    plots.save(fig, tmp_path / "again")
    assert covered(ax) == 0


# --- other results ----------------------------------------------------------------------------------------------------


def test_every_arrow_of_a_model_is_drawn_and_no_boxes_overlap():
    for model in (sensitive_resistant(), oncogene_withdrawal(), paracrine_loop()):
        ax = rm.plot(model)
        drawn = {p.get_gid() for p in ax.patches if p.get_gid()}
        assert drawn == {f"{a.start} {a.kind} {a.end}" for a in diagram_arrows(model)}
        ax.figure.draw_without_rendering()
        boxes = [t.get_bbox_patch().get_window_extent() for t in ax.texts]
        assert len(boxes) == len(model.states) + len(model.inputs)
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        assert all(b.x0 >= 0 and b.x1 <= ax.figure.bbox.x1 for b in boxes)


def sensitivity_like(**changes):
    parts = dict(  # noqa: C408
        method="sobol",
        parameters=("a", "b"),
        outputs=("burden at the end",),
        values=np.array([[0.3, 0.8]]),
        total=np.array([[0.3, 0.8]]),
        first=np.array([[0.2, 0.6]]),
        total_halfwidth=np.array([[0.05, 0.3]]),
        first_halfwidth=np.array([[0.04, 0.2]]),
        resolved=np.array([[True, False]]),
    )
    return type("Sensitivity", (SimpleNamespace,), {})(**(parts | changes))


def test_sobol_bars_have_their_halfwidths_and_doubtful_ones_are_hatched():
    ax = rm.plot(sensitivity_like())
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]  # largest on top
    total, first, *_ = ax.containers[1], ax.containers[3]
    assert [bar.get_width() for bar in total] == [0.3, 0.8]
    assert [bar.get_width() for bar in first] == [0.2, 0.6]
    assert [bool(bar.get_hatch()) for bar in total] == [False, True]
    ends = total.errorbar.lines[2][0].get_segments()
    np.testing.assert_allclose([s[:, 0] for s in ends], [[0.25, 0.35], [0.5, 1.1]])
    assert ax.get_xlim()[1] > 1.1
    assert "not resolved (± > 0.1)" in [t.get_text() for t in ax.get_legend().get_texts()]
    assert covered(ax) == 0


def test_local_bars_and_several_outputs():
    problem = Problem(sensitive_resistant(), t_span=(0, 100))
    one = rm.sensitivity(problem, "burden", vary=["r", "turnover"])
    ax = rm.plot(one)
    np.testing.assert_allclose(sorted(b.get_width() for b in ax.containers[0]), sorted(one.values[0]))
    both = rm.sensitivity(problem, ["burden", "R"], vary=["r", "turnover"])
    ax = rm.plot(both)
    np.testing.assert_allclose(
        np.asarray(ax.images[0].get_array()).T[:, 0], both.values[:, np.abs(both.values).max(0).argmax()]
    )
    assert len(plots.sensitivity_panels(both).axes) == 2
    with pytest.raises(rm.ProblemError, match="did you mean 'R at the end'"):
        rm.plot(both, output="R at the ed")


def test_a_sweep_shows_its_members_and_counts_what_is_missing():
    samples = {"r": np.geomspace(0.01, 0.1, 5), "n0": [0.1, 0.2, -1, 0.4, 0.5]}
    found = rm.sweep(Problem(sensitive_resistant(), t_span=(0, 50)), samples, "burden", progress=False)
    ax = rm.plot(found, x="r")
    np.testing.assert_allclose(ax.collections[0].get_offsets()[:, 0], np.delete(samples["r"], 2))
    assert ax.get_title(loc="right") == "1 of 5 failed"
    assert ax.get_xlabel() == "r: growth rate (per day)"
    assert rm.plot(found).figure.axes[1].get_ylabel() == "burden at the end"
    two = rm.sweep(Problem(sensitive_resistant(), t_span=(0, 50)), {"r": [0.1]}, ["burden", "R"], progress=False)
    with pytest.raises(rm.ProblemError, match="choose one output of the sweep"):
        rm.plot(two)


def test_steady_states_are_filled_when_stable():
    found = rm.steady_states(Problem(paracrine_loop()).at_constant(e=0.6))
    ax = rm.plot(found)
    shown = [(line.get_xdata()[0], line.get_fillstyle()) for line in ax.lines if line.get_marker() == "o"]
    assert [style for _, style in shown] == ["full", "none", "full"]
    np.testing.assert_allclose([x for x, _ in shown], [s["T"] for s in found])
    assert ax.get_title(loc="left") == "constant B = 0, e = 0.6"
    assert "unstable (λ = 0.0352 per day)" in ax.texts[1].get_text()


def test_branches_do_not_cross_a_fold():
    model = paracrine_loop()

    def found(*values):
        states = [SimpleNamespace(values={"T": v}, stability=s) for v, s in values]
        return type("Result", (list,), {"problem": SimpleNamespace(model=model)})(states)

    results = [found((0, "stable")), found((0, "stable"), (5, "unstable"), (9, "stable")),
               found((0, "stable"), (3, "unstable"), (10, "stable"))]  # fmt: skip
    ax = plots.plot_steady_branches([0.0, 0.5, 1.0], results)
    lines = {line.get_label(): line for line in ax.lines}
    joins = {
        (x0, y0, x1, y1)
        for line in lines.values()
        for (x0, y0), (x1, y1) in zip(line.get_xydata()[:-1], line.get_xydata()[1:], strict=True)
        if np.isfinite([y0, y1]).all()
    }
    assert joins == {(0, 0, 0.5, 0), (0.5, 0, 1, 0), (0.5, 5, 1, 3), (0.5, 9, 1, 10)}


def test_a_fit_beside_its_data(a_fit):
    found, late, _ = a_fit
    ax = rm.plot(found, subject="m1", held_out=late)
    assert ax.get_ylabel() == "size (mm³)"
    points = {line.get_label(): line for line in ax.lines if line.get_marker() == "o"}
    series = found.experiments[0].series_of("m1")[0]
    np.testing.assert_allclose(points["fitted"].get_ydata(), series.value)
    np.testing.assert_allclose(points["held out"].get_ydata(), late.series_of("m1")[0].value)
    assert points["held out"].get_markerfacecolor() == "white"
    early, after = (next(li for li in ax.lines if li.get_gid() == g) for g in ("burden", "burden predicted"))
    assert early.get_xdata()[-1] <= series.time[-1] <= after.get_xdata()[-1] == 54
    fitted = np.interp(series.time, early.get_xdata(), early.get_ydata())
    np.testing.assert_allclose(fitted, found.predict("m1", times=series.time)["size"], rtol=1e-3)
    assert spans_of(ax) == [(0, 20)]
    assert covered(ax) == 0


def test_panels_of_all_subjects_and_the_cloud_of_all_values(a_fit):
    found, late, _ = a_fit
    fig = plots.plot_subjects(found, held_out=late, relative=True, others={"again": found})
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["m1", "m2"]
    assert "again" in [t.get_text() for t in fig.legends[0].get_texts()]
    fig.draw_without_rendering()
    legend = fig.legends[0].get_window_extent()
    assert not any(legend.overlaps(ax.get_tightbbox()) for ax in fig.axes)
    assert not legend.overlaps(fig._supxlabel.get_window_extent())
    ax = rm.plot(found)
    assert ax.get_xlabel() == "predicted size (mm³)"
    assert sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == "o") == found.n_data
    with pytest.raises(rm.ProblemError, match="did you mean 'm1'"):
        rm.plot(found, subject="m11")


def test_a_prediction_and_its_drug(a_fit):
    found, _, _ = a_fit
    prediction = found.predict("m2", treatment=Treatment.constant({"u": 1}, start=5, end=9), t_end=80)
    ax = rm.plot(prediction)
    assert spans_of(ax) == [(5, 9)]
    assert ax.get_ylabel() == "size (mm³)"
    with pytest.raises(rm.ProblemError, match="did you mean 'size'"):
        rm.plot(prediction, names="sise")


def test_a_table_shows_values_limits_and_drug(a_fit):
    _, _, table = a_fit
    assert spans_of(rm.plot(table, subjects="m1")) == [(0, 20)]
    ax = rm.plot(table)
    assert {line.get_label() for line in ax.lines} == {"m1", "m2"}
    assert len(plots.table_panels(table).axes) == 2
    columns = {"subject": ["a"] * 3, "time": [0, 1, 2], "observable": ["v"] * 3, "value": [2.0, np.nan, np.nan]}
    censored = rm.analysis.Table(columns | {"censoring": ["none", "left", "right"], "limit": [np.nan, 0.5, 3.0]})
    marks = {line.get_marker(): line.get_ydata()[0] for line in rm.plot(censored).lines}
    assert marks == {"o": 2.0, "v": 0.5, "^": 3.0}
    with pytest.raises(rm.DataError, match="did you mean 'size'"):
        rm.plot(table, observable="siz")


def test_survival_has_its_band_its_plateau_and_its_steps():
    t, fraction, low, high = plots.kaplan_meier([6, 6, 6, 6, 7, 9, 10], [1, 1, 1, 0, 1, 0, 1])
    # by hand: 1 - 3/7, times 1 - 1/3, times 1 - 1/1
    assert dict(zip(t, fraction.round(4), strict=True)) == {0: 1.0, 6: 0.5714, 7: 0.381, 9: 0.381, 10: 0.0}
    assert np.all((low <= fraction) & (fraction <= high))
    curves = {"low": ([0, 100], [1, 0.95]), "high": ([0, 100], [1, 0.6], [1, 0.5], [1, 0.7])}
    ax = plots.plot_survival(curves, plateaus={"high": 0.6}, observed={"high": ([20, 50], [True, False])})
    assert "60 %\nnever relapse" in [text.get_text() for text in ax.texts]
    assert len(ax.collections) == 2
    assert covered(ax) == 0
    with pytest.raises(rm.DataError, match="fractions from 1 to 2"):
        plots.plot_survival({"bad": ([0, 1], [1, 2])})


def test_a_plane_has_a_labelled_bar_and_refuses_a_wrong_shape():
    x, y = np.linspace(0, 1, 12), np.linspace(0, 30, 9)
    values = np.exp(-10 * x[None] - y[:, None] / 10)
    ax = plots.plot_plane(x, y, values, value_label="tumour", unit="1e6 cells", scale="log", critical=1e-3,
                          critical_label="1000 cells")  # fmt: skip
    assert ax.figure.axes[1].get_ylabel() == "tumour (10⁶ cells)"
    assert "1000 cells" in [t.get_text() for t in ax.texts]
    with pytest.raises(rm.ProblemError, match=r"values has shape \(12, 9\); x and y need \(9, 12\)"):
        plots.plot_plane(x, y, values.T)
    with pytest.raises(rm.ProblemError, match="no value is finite"):
        plots.plot_plane(x, y, np.full((9, 12), np.nan))


def test_a_threshold_is_named_beside_its_line():
    _, ax = plots.figure()
    x = np.linspace(0, 1, 50)
    ax.plot(x, np.ones(50) * 0.97)
    ax.figure.draw_without_rendering()
    before = obstacles(ax)
    text = plots.mark_threshold(ax, 0.5, "critical dose", unit="1/day", interval=(0.4, 0.6))
    assert text.get_text() == "critical dose\n0.5 per day"
    box = text.get_window_extent()
    assert not any(box.contains(*p) for p in before)


def test_a_forest_has_its_numbers_beside_it():
    ax = plots.plot_forest([("ours", 0.21, 0.18, 0.25), ("mean", 0.4)], name="RMSE", reference=0.2)
    assert [t.get_text() for t in ax.texts] == ["0.210 (0.180 to 0.250)", "0.400"]
    with pytest.raises(rm.ProblemError, match=r"ours: 0\.5 lies outside its interval, 0\.1 to 0\.3"):
        plots.plot_forest([("ours", 0.5, 0.1, 0.3)])


def test_a_band_is_quantiles_of_members():
    members = np.arange(101.0)[:, None] * np.ones(3)
    ax = plots.plot_band([0, 1, 2], members)
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (5.0, 95.0)
    with pytest.raises(rm.ProblemError, match="time goes last"):
        plots.plot_band([0, 1], members)


# --- style ------------------------------------------------------------------------------------------------------------


def test_text_is_legible_at_print_size(adaptive, two_phases):
    for result in (adaptive, two_phases, sensitive_resistant()):
        ax = rm.plot(result)
        texts = [*ax.get_xticklabels(), *ax.texts, ax.xaxis.label, ax.yaxis.label]
        texts += ax.get_legend().get_texts() if ax.get_legend() else []
        assert all(t.get_fontsize() >= 8 for t in texts)


def test_journal_widths():
    assert round(plots.figure()[0].get_size_inches()[0] * 25.4, 6) == 85
    assert round(plots.figure(2, 2, width="double")[0].get_size_inches()[0] * 25.4, 6) == 180


def test_saved_files_are_the_same_bytes_without_dates(tmp_path, adaptive):
    digests = []
    for folder in ("a", "b"):
        files = plots.save(rm.plot(adaptive), tmp_path / folder / "figure.png", title="Adaptive dosing")
        assert [f.name for f in files] == ["figure.png", "figure.pdf"]
        digests.append([hashlib.sha256(f.read_bytes()).hexdigest() for f in files])
    assert digests[0] == digests[1]
    pdf = files[1].read_bytes()
    assert b"CreationDate" not in pdf
    assert b"Adaptive dosing" in pdf


def test_saving_closes_a_figure_of_pyplot(tmp_path, adaptive):
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots()
    rm.plot(adaptive, ax)
    assert plt.get_fignums()
    plots.save(fig, tmp_path / "mine")
    assert not plt.get_fignums()


def test_figures_pickle(adaptive):
    ax = rm.plot(adaptive)
    again = pickle.loads(pickle.dumps(ax.figure))
    assert [line.get_gid() for line in again.axes[0].lines] == ["S", "R", "burden"]


def test_pretty_units():
    from remission.analysis.plots.style import pretty_unit

    expected = {"mm^2/day": "mm²/day", "ng/mL": "ng/mL", "1e6 cells": "10⁶ cells", "": "", "um": "µm", "mm3": "mm³"}
    expected |= {
        "mm/day^(1/2)": "mm/day^(1/2)",
        "day^(-2)": "day⁻²",
        "1/(cell day)": "per (cell day)",
        "1/day": "per day",
    }
    assert {unit: pretty_unit(unit) for unit in expected} == expected


def test_a_legend_below_stays_off_the_axis_label():
    _, ax = plots.figure()
    full_of_points(ax)
    for k in range(5):
        ax.plot([0, 1], [0, k], label=f"a curve with a long name, number {k}")
    ax.set_xlabel("time (days)")
    plots.place_legend(ax)
    ax.figure.draw_without_rendering()
    assert not ax.get_legend().get_window_extent().overlaps(ax.xaxis.label.get_window_extent())
    assert covered(ax) == 0
