"""Work-precision figure: CPU time of one solve against the error that was achieved, a panel a problem."""

from .tasks import KERNEL, PUBLIC

PANELS = {
    "relapse": "Relapse model, 7 states", "ladder 50": "Karyotype ladder, 54 states",
    "ladder 200": "Karyotype ladder, 204 states", "ROBER": "ROBER, 3 states", "OREGO": "OREGO, 3 states",
    "HIRES": "HIRES, 8 states",
}  # fmt: skip
# Okabe and Ito's colours, told apart without colour by marker and dash
LINES = {
    KERNEL: ("#000000", "o", "-", "remission, compiled kernel"), PUBLIC: ("#000000", "o", ":", "remission, sample()"),
    "numbalsoda": ("#D55E00", "s", "-", "numbalsoda LSODA"), "pydiffsol": ("#0072B2", "^", "-", "pydiffsol BDF"),
    "casadi CVODES": ("#009E73", "D", "-", "casadi CVODES"), "SciPy LSODA": ("#CC79A7", "v", "-", "SciPy LSODA"),
    "AMICI CVODES": ("#E69F00", "P", "--", "AMICI CVODES"), "COPASI LSODA": ("#56B4E9", "X", "--", "COPASI LSODA"),
    "diffrax Tsit5": ("#7F7F7F", "*", "--", "diffrax Tsit5"),
}  # fmt: skip
ERRORS = 5e-11, 5e-2


def draw(results, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = [name for name in PANELS if results.get(name)]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    style = {"font.size": 9, "axes.titlesize": 9.5, "svg.fonttype": "none", "svg.hashsalt": "remission"}
    with plt.rc_context(style):
        figure, axes = plt.subplots(
            rows, columns, figsize=(3.1 * columns, 2.7 * rows + 0.7), squeeze=False, layout="constrained"
        )
        handles = {}
        for letter, name, ax in zip("abcdef", shown, axes.flat, strict=False):
            _panel(ax, results[name], f"{letter}  {PANELS[name]}", handles)
        for ax in axes.flat[len(shown) :]:
            ax.set_visible(False)
        for number, ax in enumerate(axes.flat[: len(shown)]):
            if number + columns >= len(shown):
                ax.set_xlabel("largest error / peak of the state")
            if number % columns == 0:
                ax.set_ylabel("CPU time of one solve (ms)")
        figure.legend(handles.values(), handles, loc="outside lower center", ncols=3, frameon=False, fontsize=8.5)
        figure.savefig(path, dpi=160, metadata={"Date": None} if str(path).endswith("svg") else None)
        plt.close(figure)


def _panel(ax, entries, title, handles):
    for who, (colour, marker, dash, label) in LINES.items():
        timed = sorted((e for e in entries if e.who == who and e.times), key=lambda e: e.rtol)
        line = [(e.error, e.fastest * 1e3) for e in timed]
        if not line:
            continue
        face = "white" if who == PUBLIC else colour
        handles[label] = ax.plot(
            *zip(*line, strict=True), color=colour, marker=marker, linestyle=dash, markersize=4.5, linewidth=1.2,
            markerfacecolor=face, zorder=3 if colour == "#000000" else 2,
        )[0]  # fmt: skip
    ax.set(xscale="log", yscale="log", xlim=ERRORS)
    ax.set_xticks([10.0**k for k in range(-10, -1, 2)])
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.minorticks_off()
    ax.set_title(title, loc="left")
    ax.grid(True, which="major", color="0.9", linewidth=0.6)
    ax.spines[["top", "right"]].set_visible(False)
