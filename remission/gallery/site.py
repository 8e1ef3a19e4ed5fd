"""The catalogue as pages of the documentation: a gallery by question, and a page a model, with their pictures."""

import re
from pathlib import Path

from remission import models
from remission.models.text import diagram_arrows, letters_latex, model_latex

from .page import docstring_sections, group_value, page
from .pictures import draw, recipe_of

__all__ = ["page_markdown", "write_site"]

MOST_BOXES, MOST_ARROWS = 10, 40  # of a compartment diagram
DOTS = 220  # per inch; pictures are shown at half that
INTRODUCTION = """# Gallery of models

Every model of the catalogue with its main result. A page has the paper, the equations, every letter with its unit and
plausible range, what the code derives from them, and what to know before using a number.

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
    parts += [_figure(f"{name}.png", 560, _unbroken(recipe_of(name).caption), f"main result of {name}")]
    parts += ["## Equations", _without_first_line(found.sections[""]), f"$$\n{model_latex(found.model)}\n$$"]
    if _has_diagram(found.model):
        tall = 340 if len(found.model.states) == 2 else 480
        parts += [_figure(f"{name}-diagram.png", tall, "", f"compartments of {name}")]
    parts += ["## Letters", _table(found.letters), "## Observables", _observables(found.model)]
    parts += ["## What follows from the equations", *_derived(found)]
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
                make().figure.savefig(path, dpi=DOTS)
        written.append(_written(folder / f"{name}.md", page_markdown(name)))
    shown = [row for row in rows if names is None or row["name"] in names]
    return [_written(folder / "index.md", _gallery(shown)), *written]


def _written(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return path


def _has_diagram(model):
    """Whether boxes and arrows can be told apart; every class of a ladder acts on every other."""
    return 2 <= len(model.states) <= MOST_BOXES and len(diagram_arrows(model)) <= MOST_ARROWS


def _gallery(rows):
    """Where to look, then cards by question; thumbnails are the pictures of the pages."""
    questions = dict.fromkeys(row["question"] for row in rows)
    parts = [INTRODUCTION + _by_question(questions, rows) + _by_paper(rows)]
    for question in questions:
        cards = "\n".join(_card(row) for row in rows if row["question"] == question)
        parts.append(f'## {question.capitalize()}\n\n<div class="gallery">\n{cards}\n</div>\n')
    listed = "\n".join(row["name"] for row in rows)
    parts.append(f"```{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{listed}\n```\n")
    return "\n".join(parts)


def _by_question(questions, rows):
    links = []
    for question in questions:
        count = sum(row["question"] == question for row in rows)
        links.append(f"[{question}](#{question.replace(' ', '-')}) ({count})")
    return f"**By question:** {' · '.join(links)}\n\n"


def _by_paper(rows):
    """A list by first author, because that is how a published model is remembered."""
    papers = {}
    for row in rows:
        papers.setdefault(short_source(row["source"]), []).append(row["name"])
    lines = []
    for paper, names in sorted(papers.items(), key=lambda item: (not item[0].endswith(")"), item[0].lower())):
        links = ", ".join(f'<a href="{name}.html"><code>{name}</code></a>' for name in names)
        lines.append(f"<li>{_escaped(paper)}: {links}</li>")
    return '**By paper:**\n\n<ul class="papers">\n' + "\n".join(lines) + "\n</ul>\n\n"


def _card(row):
    """HTML, because a grid of linked pictures has no form in Markdown; pictures are listed for Sphinx by the pages."""
    name = row["name"]
    title = docstring_sections(getattr(models, name))[""].splitlines()[0]
    return (
        f'<a class="card" href="{name}.html"><img src="../_images/{name}.png" alt="">'
        f"<strong>{name}</strong><span>{_escaped(row['about'] or title)}</span>"
        f"<small>{_escaped(short_source(row['source']))}</small></a>"
    )


def short_source(source):
    """Authors and year of a source; a title in their place is cut between words, no year means its first words.

    Parameters
    ----------
    source : str

    Returns
    -------
    str

    Examples
    --------
    >>> short_source("Monro & Gaffney (2009), Journal of Theoretical Biology 257, 292-302")
    'Monro & Gaffney (2009)'
    """
    source = re.sub(r"^[^():,;]*(?<!\d): ", "", source)
    year = re.search(r"\(((?:19|20)\d\d)\)", source)
    if not year:
        return re.split(r"[;,(]", source)[0].strip()
    authors = source[: year.start()].strip()
    if len(authors) > 50:
        authors = authors[:40].rsplit(" ", 1)[0] + " ..."
    return f"{authors} ({year.group(1)})"


def _figure(file, width, caption, alt):
    lines = [f"```{{figure}} {file}", f":width: {width}px", f":alt: {alt}", ":figclass: picture"]
    return "\n".join([*lines, "", *([caption] if caption else []), "```"])


def _unbroken(text):
    """Numbers such as 1e-6 on one line."""
    return re.sub(r"(?<=\de)-(?=\d)", "\u2011", text)


def _escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _derived(found):
    letters = (*found.model.states, *found.model.parameters, *found.model.inputs)
    parts = [f"**Conserved totals.** {', '.join(f'${letters_latex(e, letters)}$' for e in found.totals) or 'None.'}"]
    parts += [f"**Cannot become negative.** {', '.join(f'`{n}`' for n in found.box.nonnegative) or 'Not shown.'}"]
    parts += [f"**Invariant box** (default parameters, inputs within 0 and 1). {found.box}"]
    if found.jacobian is not None:
        matrix = letters_latex(found.jacobian, letters).replace(r"\left[", r"\left[\small")
        order = ", ".join(f"`{s}`" for s in found.model.states)
        parts += [f"**Jacobian**, states in the order {order}:\n\n$$\n{matrix}\n$$"]
    if found.scaled is None:
        parts += [f"**Groups.** {found.not_scaled}"]
    elif not found.scaled.groups:
        parts += ["**Groups.** None: the scaled form has no parameter left."]
    else:
        rows = [
            f"| `{n}` | ${letters_latex(e, letters)}$ | {group_value(found, n)} |"
            for n, e in found.scaled.groups.items()
        ]
        scale = letters_latex(found.scaled.time_scale, letters)
        parts += [f"**Groups** of the scaled form, time in units of ${scale}$:", _rows(("group", "is", "value"), rows)]
    return parts


def _table(letters):
    columns = ("name", "role", "value", "unit", "plausible", "about")
    return _rows(columns, [f"| `{r['name']}` | " + " | ".join(r[c] for c in columns[1:]) + " |" for r in letters])


def _observables(model):
    rows = [
        f"| `{name}` | ${letters_latex(e, (*model.states, *model.parameters, *model.inputs))}$ |"
        for name, e in model.observables.items()
    ]
    return _rows(("name", "is"), rows)


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
