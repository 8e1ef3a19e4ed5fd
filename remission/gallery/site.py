"""The catalogue as pages of the documentation: a gallery by question, and a page a model, with their pictures."""

import re
from pathlib import Path

import sympy as sp

from remission import models
from remission.models.text import model_latex

from .page import docstring_sections, page
from .pictures import draw, recipe_of

__all__ = ["page_markdown", "write_site"]

INTRODUCTION = """# Gallery of models

Every model of the catalogue with its main result, by the question that it answers. A page has the paper, the equations,
every letter with its unit and plausible range, what the code derives from them, and what to know before using a number.

"""


def page_markdown(name) -> str:
    """The page of a model in Markdown, which expects `NAME.png` and `NAME-diagram.png` beside it.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> page_markdown("logistic_growth").splitlines()[0]
    '# logistic_growth'
    """
    found = page(name)
    parts = [f"# {name}", found.about, f"*Source:* {_linked(found.source)}"]
    parts += [f"![main result]({name}.png)\n\n{recipe_of(name).caption}"]
    parts += ["## Equations", _without_first_line(found.sections[""]), f"$$\n{model_latex(found.model)}\n$$"]
    parts += [f"![compartments]({name}-diagram.png)"] if _has_diagram(found.model) else []
    parts += ["## Letters", _table(found.letters), "## What follows from the equations", *_derived(found)]
    if "Notes" in found.sections:
        parts += ["## What to know", _markdown(found.sections["Notes"])]
    if "References" in found.sections:
        parts += ["## References", _markdown(found.sections["References"])]
    parts += ["## Use", f"```python\nimport remission as rm\n\nmodel = rm.models.{name}()\nprint(model)\n```"]
    return "\n\n".join(parts) + "\n"


def write_site(folder, names=None) -> list:
    """Write gallery, pages and pictures; a picture that is newer than the package's files is kept.

    Parameters
    ----------
    folder : path
    names : list of str, optional
        All of the catalogue if not given.

    Returns
    -------
    list of Path
        The Markdown files.
    """
    from remission.analysis import plot

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    newest = max(f.stat().st_mtime for f in Path(models.__file__).parent.rglob("*.py"))
    newest = max(newest, *(f.stat().st_mtime for f in Path(__file__).parent.glob("*.py")))
    rows, written = models.list_models(), []
    for row in rows:
        name = row["name"]
        if names is not None and name not in names:
            continue
        model = getattr(models, name)()
        pictures = [(folder / f"{name}.png", lambda name=name: draw(name))]
        if _has_diagram(model):
            pictures.append((folder / f"{name}-diagram.png", lambda model=model: plot(model)))
        for path, make in pictures:
            if not path.exists() or path.stat().st_mtime < newest:
                make().figure.savefig(path, dpi=150)
        written.append(_written(folder / f"{name}.md", page_markdown(name)))
    shown = [row for row in rows if names is None or row["name"] in names]
    return [_written(folder / "index.md", _gallery(shown)), *written]


def _written(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return path


def _has_diagram(model):
    return 2 <= len(model.states) <= 10


def _gallery(rows):
    """Cards by question; thumbnails are the pictures of the pages."""
    parts = [INTRODUCTION]
    for question in dict.fromkeys(row["question"] for row in rows):
        cards = "\n".join(_card(row) for row in rows if row["question"] == question)
        parts.append(f'## {question.capitalize()}\n\n<div class="gallery">\n{cards}\n</div>\n')
    listed = "\n".join(row["name"] for row in rows)
    parts.append(f"```{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{listed}\n```\n")
    return "\n".join(parts)


def _card(row):
    """HTML, because a grid of linked pictures has no form in Markdown; pictures are listed for Sphinx by the pages."""
    name = row["name"]
    title = docstring_sections(getattr(models, name))[""].splitlines()[0]
    return (
        f'<a class="card" href="{name}.html"><img src="../_images/{name}.png" alt="">'
        f"<strong>{name}</strong><span>{_escaped(row['about'] or title)}</span>"
        f"<small>{_escaped(_short(row['source']))}</small></a>"
    )


def _short(source):
    """A source up to its year."""
    found = re.match(r".{0,60}?\(?\b(19|20)\d\d\b\)?", source)
    return found.group(0) if found else source[:60]


def _escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _derived(found):
    parts = [f"**Conserved totals.** {', '.join(f'${sp.latex(e)}$' for e in found.totals) or 'None.'}"]
    parts += [f"**Cannot become negative.** {', '.join(f'`{n}`' for n in found.box.nonnegative) or 'Not shown.'}"]
    parts += [f"**Invariant box** (default parameters, inputs within 0 and 1). {found.box}"]
    if found.jacobian is not None:
        matrix = sp.latex(found.jacobian).replace(r"\left[", r"\left[\small")
        order = ", ".join(f"`{s}`" for s in found.model.states)
        parts += [f"**Jacobian**, states in the order {order}:\n\n$$\n{matrix}\n$$"]
    if found.scaled is None:
        parts += [f"**Groups.** {found.not_scaled}"]
    elif not found.scaled.groups:
        parts += ["**Groups.** None: the scaled form has no parameter left."]
    else:
        rows = [f"| `{n}` | ${sp.latex(e)}$ | {found.scaled.value(n):.4g} |" for n, e in found.scaled.groups.items()]
        scale = sp.latex(found.scaled.time_scale)
        parts += [f"**Groups** of the scaled form, time in units of ${scale}$:", _rows(("group", "is", "value"), rows)]
    return parts


def _table(letters):
    columns = ("name", "role", "value", "unit", "plausible", "about")
    return _rows(columns, [f"| `{r['name']}` | " + " | ".join(r[c] for c in columns[1:]) + " |" for r in letters])


def _rows(columns, rows):
    return "\n".join([f"| {' | '.join(columns)} |", "|" + "---|" * len(columns), *rows])


def _linked(source):
    return re.sub(r"doi:(10\.\S+?)([,;)]?)(?=\s|$)", r"[doi:\1](https://doi.org/\1)\2", source)


def _without_first_line(text):
    return _markdown("\n".join(text.splitlines()[1:]).strip())


def _markdown(text):
    """numpydoc's reStructuredText, as far as the catalogue uses it, in Markdown."""
    text = re.sub(r"::\n\n((?:    .*\n?|\n)+)", _code, text + "\n")
    text = re.sub(r"^\.\. \[(\d+)\] ", r"\1. ", text, flags=re.MULTILINE)
    return re.sub(r"\[(\d+)\]_", r"[\1]", re.sub(r"(?<!`)``(?!`)", "`", text)).strip()


def _code(found):
    return ":\n\n```text\n" + re.sub(r"^    ", "", found.group(1), flags=re.MULTILINE).rstrip() + "\n```\n"
