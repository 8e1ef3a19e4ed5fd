"""One self-contained HTML page: figures inside, no script, readable on a phone, in the dark and on paper."""

import base64
import html
from importlib import resources

__all__ = ["write_report"]

MOST_ROWS_OPEN = 12  # longer tables start folded
FULL_WIDTH = 1417  # pixels of a figure 180 mm wide; narrower ones are shown narrower, so that all letters have one size


def write_report(folder, study, chapters, run):
    """Write `report.html` of a run folder.

    Parameters
    ----------
    folder : RunFolder
        Its figures are put into the page.
    study : dict
        The study file.
    chapters : list of Chapter
    run : dict
        Content of run.json.

    Returns
    -------
    Path
    """
    style = resources.files(__package__).joinpath("report.css").read_text()
    title = html.escape(study.get("title", "Study"))
    body = [_header(study, chapters, run), "<main>"]
    body += [_section(i, c, folder) for i, c in enumerate(chapters, 1)]
    body += [_missing(name, reason) for name, reason in run["failed"].items()]
    body += ["</main>", _footer(run)]
    page = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )
    return folder.write_text("report.html", page)


def _header(study, chapters, run):
    about = html.escape(" ".join(study.get("about", "").split()))
    links = "".join(f'<li><a href="#{c.name}">{html.escape(c.title)}</a></li>' for c in chapters)
    cards = "".join(_card(n) for c in chapters for n in c.numbers if n.headline)
    bad = "" if run["state"] == "done" else " bad"
    state = f'<span class="state{bad}">{run["state"]} · budget {run["budget"]}</span>'
    return (
        f"<header><h1>{html.escape(study.get('title', 'Study'))}</h1><p class=lead>{about}</p>{state}"
        f'<ul class="cards">{cards}</ul><nav aria-label="Chapters"><ol>{links}</ol></nav></header>'
    )


def _card(number):
    interval = ""
    if number.low is not None and number.high is not None:
        label = f"{html.escape(number.interval)}: " if number.interval else ""
        interval = f'<span class="range">{label}{_text(number.low, 3)} to {_text(number.high, 3)}</span>'
    unit = f' <span class="unit">{html.escape(number.unit)}</span>' if number.unit else ""
    return (
        f'<li><span class="value">{_text(number.value, 3)}{unit}</span>'
        f'<span class="label">{html.escape(number.label or number.name)}</span>{interval}</li>'
    )


def _section(position, chapter, folder):
    parts = [
        f'<section id="{chapter.name}">',
        f'<h2><span class="number">{position}</span>{html.escape(chapter.title)}</h2>',
        *(f"<p>{html.escape(text)}</p>" for text in chapter.summary),
        *(f'<p class="warning">{html.escape(text)}</p>' for text in chapter.warnings),
        *(_figure(f, folder) for f in chapter.figures),
        *(_table(t) for t in chapter.tables),
        _numbers(chapter),
    ]
    if chapter.methods:
        methods = "".join(f"<p>{html.escape(text)}</p>" for text in chapter.methods)
        parts.append(f'<details class="methods"><summary>How this was done</summary>{methods}</details>')
    return "\n".join([*parts, "</section>"])


def _figure(figure, folder):
    picture = (folder.path / "figures" / f"{figure.name}.png").read_bytes()
    share = min(100, 100 * int.from_bytes(picture[16:20]) / FULL_WIDTH)  # the header of a PNG holds its width
    data, caption = base64.b64encode(picture).decode(), html.escape(figure.caption)
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{caption}" style="max-width:{share:.0f}%">'
        f"<figcaption>{caption} <small>(figures/{figure.name}.pdf)</small></figcaption></figure>"
    )


def _table(table):
    heads = "".join(
        f"<th>{html.escape(n)}{f' <small>{html.escape(u)}</small>' if u else ''}</th>" for n, u in table.columns
    )
    rows = "".join("<tr>" + "".join(_cell(v) for v in row) + "</tr>" for row in table.rows)
    caption = html.escape(table.caption)
    inner = f'<div class="scroll"><table><caption>{caption}</caption><tr>{heads}</tr>{rows}</table></div>'
    if len(table.rows) <= MOST_ROWS_OPEN:
        return inner
    return f"<details><summary>Table: {caption}</summary>{inner}</details>"


def _numbers(chapter):
    if not chapter.numbers:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(n.label or n.name)}</td>{_cell(n.value)}<td>{html.escape(n.unit)}</td>"
        f"<td>{_interval(n)}</td><td>{html.escape(n.note)}</td></tr>"
        for n in chapter.numbers
    )
    head = "<tr><th>number</th><th>value</th><th>unit</th><th>interval</th><th>note</th></tr>"
    return (
        f"<details><summary>All numbers of this chapter (numbers.json)</summary>"
        f'<div class="scroll"><table>{head}{rows}</table></div></details>'
    )


def _interval(number):
    if number.low is None or number.high is None:
        return ""
    label = f" ({html.escape(number.interval)})" if number.interval else ""
    return f"{_text(number.low)} to {_text(number.high)}{label}"


def _cell(value):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f'<td class="number">{_text(value)}</td>'
    return f"<td>{html.escape('' if value is None else str(value))}</td>"


def _text(value, digits=4):
    """A number as people write it: few digits, a real minus, powers of ten spelt out."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f").replace("-", "−")
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, power = text.split("e")
        text = f"{mantissa} × 10<sup>{int(power)}</sup>"
    return text.replace("-", "−")


def _missing(name, reason):
    name, reason = html.escape(name), html.escape(reason)
    return f'<section id="{name}"><h2>{name}</h2><p class="warning">Not there: {reason}</p></section>'


def _footer(run):
    versions = ", ".join(f"{k} {v}" for k, v in run["versions"].items() if v)
    seconds = sum(c["seconds"] for c in run["chapters"].values())
    return (
        f"<footer><p>Seed {run['seed']}; {seconds:.0f} s of work; {html.escape(versions)}.</p>"
        "<p>Every number is in numbers.json, every table in tables/, every figure in figures/ as PNG and PDF. "
        "Model parameters marked “assumed” are not measurements; the numbers that rest on them are the models’, "
        "not the patients’.</p></footer>"
    )
