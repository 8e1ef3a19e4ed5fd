"""What the figures of the chapters share: panel letters, one legend below all panels, numbers with powers of ten."""

__all__ = ["legend_below", "letters", "power"]


def power(value, digits=2) -> str:
    """A number with a power of ten that is easy to read.

    Parameters
    ----------
    value : float
    digits : int
        Significant digits.

    Returns
    -------
    str

    Examples
    --------
    >>> power(2.5e-4), power(0.363), power(1e8, 1)
    ('2.5 × 10⁻⁴', '0.36', '10⁸')
    """
    from remission.analysis.plots.style import SUPERSCRIPT

    if value == 0 or 1e-2 <= abs(value) < 1e4:
        return f"{value:.{digits}g}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    raised = "10" + str(int(exponent)).translate(SUPERSCRIPT)
    return raised if float(mantissa) == 1 else f"{float(mantissa):g} × {raised}"


def letters(axes, texts=None):
    """Panel letters, with a title where given.

    Parameters
    ----------
    axes : sequence of Axes
    texts : sequence of str, optional
    """
    from remission.analysis.plots.style import FONT

    for i, ax in enumerate(axes):
        text = f"({'abcdefgh'[i]}) {texts[i] if texts else ''}".strip()
        ax.set_title(text, loc="left", fontsize=FONT["label"])


def legend_below(fig, axes, ncols):
    """One legend of all panels below them; an entry that several panels have comes once.

    Parameters
    ----------
    fig : Figure
    axes : sequence of Axes
    ncols : int

    Returns
    -------
    Legend
    """
    from remission.analysis.plots.style import FONT

    found = {}
    for ax in axes:
        for handle, text in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(text, handle)
    return fig.legend(
        list(found.values()), list(found), loc="outside lower center", ncols=ncols, frameon=False,
        fontsize=FONT["legend"], handlelength=2.4, columnspacing=1.6,
    )  # fmt: skip
