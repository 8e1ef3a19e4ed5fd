"""Pages of the catalogue: complete for every model, drawn, and the same in terminal and docs."""

import re

import numpy as np
import pytest

from remission import models
from remission.gallery import draw, page, page_markdown, page_text, recipes, write_site
from remission.gallery.page import docstring_sections
from remission.gallery.site import short_source
from remission.models.errors import RemissionError

NAMES = [row["name"] for row in models.list_models()]


def test_every_model_has_a_picture_and_no_picture_lacks_a_model():
    assert sorted(recipes()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_whole(name):
    text, markdown = page_text(name), page_markdown(name)
    model = getattr(models, name)()
    for state in model.states[:6]:
        assert f"d{state}/dt" in text
        assert f"| `{state}` |" in markdown
    for title in ("What follows from the equations", "invariant box", "conserved totals", "cannot become negative"):
        assert title in text
    for title in ("## Equations", "## Letters", "## What follows from the equations", "**Groups", "**Invariant box**"):
        assert title in markdown
    assert not re.search(r"\[\d+\]_|^\.\. \[|``(?!`)(?<!```)", markdown, flags=re.MULTILINE)
    assert recipes()[name].caption.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_shows_something(name):
    ax = draw(name)
    ax.figure.draw_without_rendering()
    sheet, used = ax.figure.bbox, ax.get_tightbbox()
    assert (used.x0 > -1) & (used.y0 > -1) & (used.x1 < sheet.x1 + 1) & (used.y1 < sheet.y1 + 1)
    assert not ax.xaxis.get_offset_text().get_text()
    assert not ax.yaxis.get_offset_text().get_text()
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    drawn = [np.ptp(np.asarray(line.get_ydata(), dtype=float)) for line in ax.get_lines()]
    assert max(drawn, default=0.0) > 0 or ax.collections or ax.images


def test_site_has_a_card_a_page_and_pictures(tmp_path):
    files = write_site(tmp_path, ["sensitive_resistant", "paracrine_loop"])
    assert {f.name for f in files} == {"index.md", "sensitive_resistant.md", "paracrine_loop.md"}
    assert (tmp_path / "paracrine_loop-diagram.png").stat().st_size > 5000
    index = (tmp_path / "index.md").read_text()
    assert index.count('class="card"') == 2
    assert "Strobl et al. (2021)" in index
    assert '<li>Acharyya et al. (2012): <a href="paracrine_loop.html">' in index
    assert "[resistance](#resistance) (1)" in index
    picture = tmp_path / "paracrine_loop.png"
    before = picture.stat().st_mtime_ns
    write_site(tmp_path, ["paracrine_loop"])
    assert picture.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("Monro & Gaffney (2009), Journal of Theoretical Biology 257", "Monro & Gaffney (2009)"),
        ("Nagumo equation: Fife & McLeod (1977), Arch Ration Mech Anal", "Fife & McLeod (1977)"),
        (
            "A title of a paper that goes on and on for two lines (2023), npj",
            "A title of a paper that goes on and on ... (2023)",
        ),
        ("this package; resistance as in Greene et al.", "this package"),
    ],
)
def test_a_source_is_shown_as_authors_and_year(source, shown):
    assert short_source(source) == shown


def test_sections_of_a_docstring():
    def function():
        """Title.

        Text.

        Notes
        -----
        A note.
        """

    assert docstring_sections(function) == {"": "Title.\n\nText.", "Notes": "A note."}


def test_unknown_names_are_refused_with_the_nearest():
    for verb in (page, draw):
        with pytest.raises(RemissionError, match="did you mean 'paracrine_loop'"):
            verb("paracrine_lop")
