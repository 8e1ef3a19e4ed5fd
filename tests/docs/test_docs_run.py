"""Every code block of README.md, CONTRIBUTING.md and docs/ runs, and prints what the page says it prints."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = {"gallery", "generated", "_build"}
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"] + [
    page for page in sorted((ROOT / "docs").glob("**/*.md")) if not BUILT & set(page.relative_to(ROOT).parts)
]
RUNNER = ROOT / "docs" / "run_pages.py"
spec = importlib.util.spec_from_file_location("run_pages", RUNNER)
run_pages = sys.modules["run_pages"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_pages)


def relative(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", [relative(p) for p in PAGES if run_pages.blocks_of(p.read_text(encoding="utf-8"))])
def test_code_on_a_page_runs_and_prints_what_it_says(name, tmp_path):
    """In a new interpreter, away from the checkout; the pictures that the page shows are drawn."""
    done = subprocess.run(
        [sys.executable, RUNNER, ROOT / name],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for picture in run_pages.PICTURE.findall((ROOT / name).read_text(encoding="utf-8")):
        assert (tmp_path / Path(picture).name).stat().st_size > 5000


PAGE = """
```python
x = 2
print(x, 0.1 + 0.2)
```

```text
2 0.3...
```

```python
print(x * 21)
```

```text
43
```

```python
print("not shown")
```
"""


def test_what_is_printed_is_held_against_the_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    (first, a), (second, b), (third, _) = run_pages.run_page(page)
    assert (first.line, second.line) == (3, 12)
    assert first.holds(a)
    assert not second.holds(b)
    assert third.text is None
    assert run_pages.main([str(page)]) == 1
    assert run_pages.main(["--write", str(page)]) == 0
    assert page.read_text() == PAGE.replace("\n43\n", "\n42\n")
    assert run_pages.main([str(page)]) == 0


def test_a_fault_names_the_line_of_the_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n```python\na = 1\nb = a / 0\n```\n")
    with pytest.raises(RuntimeError, match=r"(?s)page.md, code from line 4.*line 5, in <module>"):
        run_pages.run_page(page)
