"""Run the Python blocks of a page in order and hold what they print against the text blocks that follow them.

    python docs/run_pages.py docs/tutorials/PAGE.md            in the folder where the pictures are to lie
    python docs/run_pages.py --write docs/tutorials/PAGE.md    put what was printed into the page

A text block straight after a Python block is what it prints. Three dots stand for anything, and white space does
not count.
"""

import argparse
import contextlib
import doctest
import io
import re
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Block", "blocks_of", "draw_pages", "run_page", "written"]

PAIR = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\s*^```text\n(?P<text>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"^```\{figure\} (figures/\S+)", re.MULTILINE)
LOOSE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """Code of a page.

    Attributes
    ----------
    line : int
        On which the code starts.
    code : str
    text : str or None
        What the page says it prints; None where it says nothing.
    """

    line: int
    code: str
    text: str | None

    def holds(self, printed) -> bool:
        """Whether what was printed is what the page says."""
        return self.text is None or doctest.OutputChecker().check_output(self.text, printed, LOOSE)


def blocks_of(page) -> list:
    """Code blocks of a page in order.

    Parameters
    ----------
    page : str
        Markdown.

    Returns
    -------
    list of Block
    """
    return [Block(page.count("\n", 0, m.start()) + 2, m["code"], m["text"]) for m in PAIR.finditer(page)]


def run_page(path) -> list:
    """Run a page in the current folder, all blocks in one namespace.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of (Block, str)
        Every block, and what it printed.

    Raises
    ------
    RuntimeError
        If a block fails; names the page and the line.
    """
    space, done = {"__name__": "__main__"}, []
    for block in blocks_of(Path(path).read_text(encoding="utf-8")):
        printed = io.StringIO()
        try:
            code = compile("\n" * (block.line - 1) + block.code, str(path), "exec")
            with contextlib.redirect_stdout(printed):
                exec(code, space)
        except Exception:
            raise RuntimeError(f"{path}, code from line {block.line}:\n{traceback.format_exc()}") from None
        done.append((block, printed.getvalue()))
    return done


def written(page, printed) -> str:
    """A page with new text blocks where it had some.

    Parameters
    ----------
    page : str
        Markdown.
    printed : sequence of str
        One a code block.

    Returns
    -------
    str
    """
    outputs = iter(printed)

    def renewed(match):
        text, output = match["text"], next(outputs)
        if text is None or doctest.OutputChecker().check_output(text, output, LOOSE):
            return match[0]
        lines = "\n".join(line.rstrip() for line in output.rstrip().split("\n"))
        return match[0][: match.start("text") - match.start()] + lines + "\n```\n"

    return PAIR.sub(renewed, page)


def draw_pages(docs):
    """Run the pages that show pictures, each in the folder `figures` beside it; what is newer than its sources is kept.

    Parameters
    ----------
    docs : Path

    Raises
    ------
    RuntimeError
        If a page does not run, or prints something else than it says.
    """
    import remission

    rooms = [Path(folder) for room in ("models", "solvers", "analysis") for folder in getattr(remission, room).__path__]
    newest = max(f.stat().st_mtime for room in rooms for f in room.rglob("*.py"))
    for page in sorted((*docs.glob("tutorials/*.md"), *docs.glob("how-to/*.md"))):
        shown = [page.parent / name for name in PICTURE.findall(page.read_text(encoding="utf-8"))]
        since = max(newest, page.stat().st_mtime)
        if all(f.exists() and f.stat().st_mtime > since for f in shown):
            continue
        shown[0].parent.mkdir(exist_ok=True)
        done = subprocess.run(
            [sys.executable, __file__, page], cwd=shown[0].parent, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr)


def main(arguments=None) -> int:
    """Run pages; 1 if one prints something else than it says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("page", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="put what was printed into the text blocks of the page")
    options = parser.parse_args(arguments)
    wrong = 0
    for path in (p.resolve() for p in options.page):
        done = run_page(path)
        if options.write:
            page = written(path.read_text(encoding="utf-8"), [printed for _, printed in done])
            path.write_text(page, encoding="utf-8")
            continue
        for block, printed in done:
            if not block.holds(printed):
                wrong += 1
                sys.stderr.write(f"{path}, line {block.line}: it says\n{block.text}\nand prints\n{printed}\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
