"""Studies: the declarative file, the run folder, resuming, failing and being interrupted."""

import json
import math
import signal

import pytest

from remission.models.errors import RemissionError
from remission.studies import Chapter, Number, RunFolder, TableOut, read_study, run_study
from remission.studies import study as machinery


def write(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


ONE = '[[chapter]]\nname = "a"\nkind = "fake"\ntitle = "A"\n'
TWO = ONE + '[[chapter]]\nname = "b"\nkind = "fake"\ntitle = "B"\nsize = 2\n'


class Fake:
    """A chapter module whose behaviour a test chooses."""

    OPTIONS = ("size",)

    def __init__(self):
        self.calls, self.act = [], {}

    def run(self, spec, folder, *, budget, progress, workers, seed):
        self.calls.append((spec["name"], budget, seed))
        if spec["name"] in self.act:
            raise self.act[spec["name"]]
        import matplotlib.figure

        figure = matplotlib.figure.Figure()
        figure.subplots().plot([0, 1])
        folder.write_figure(figure, spec["name"] + "-figure")
        from remission.studies import Figure

        return Chapter(
            spec["name"],
            spec["title"],
            ("An <answer>.",),
            (Number("x", 1.25, "day", 1, 2, "95 %", "an x", headline=True), Number("never", math.inf)),
            (TableOut(spec["name"] + "-table", "caption", (("n", ""), ("v", "mm")), ((1, 2.5),)),),
            (Figure(spec["name"] + "-figure", "a figure"),),
        )


@pytest.fixture
def fake(monkeypatch):
    module = Fake()
    monkeypatch.setitem(machinery.KINDS, "fake", "fake")
    monkeypatch.setattr(machinery, "_module", lambda kind: module)
    return module


def test_a_study_becomes_a_folder_with_a_self_contained_report(tmp_path, fake):
    result = run_study(write(tmp_path, 'title = "T"\nseed = 7\n' + TWO), tmp_path / "run", progress=False)
    assert result.complete
    numbers = json.loads((result.path / "numbers.json").read_text())
    assert numbers["a"]["x"] == {
        "value": 1.25, "unit": "day", "low": 1, "high": 2, "interval": "95 %", "label": "an x", "note": "",
    }  # fmt: skip
    assert numbers["b"]["never"]["value"] == "inf"
    assert (result.path / "tables/a-table.csv").read_text() == "n,v [mm]\n1,2.5\n"
    assert (result.path / "figures/b-figure.pdf").exists()
    page = result.report.read_text()
    assert "An &lt;answer&gt;." in page
    assert page.count("data:image/png;base64,") == 2
    assert "http" not in page.replace('xmlns="http', "")
    assert json.loads((result.path / "run.json").read_text())["state"] == "done"
    assert fake.calls == [("a", "small", 7), ("b", "small", 7)]


def test_finished_chapters_are_kept_and_changed_ones_done_again(tmp_path, fake):
    path = write(tmp_path, TWO)
    first = run_study(path, tmp_path / "run", progress=False)
    again = run_study(path, tmp_path / "run", progress=False)
    assert len(fake.calls) == 2
    assert again.chapters == first.chapters
    run_study(write(tmp_path, TWO.replace("size = 2", "size = 3")), tmp_path / "run", progress=False)
    assert [c[0] for c in fake.calls] == ["a", "b", "b"]
    (tmp_path / "run/figures/a-figure.png").unlink()
    run_study(path, tmp_path / "run", progress=False)
    assert [c[0] for c in fake.calls][3:] == ["a"]
    run_study(path, tmp_path / "run", progress=False, resume=False)
    assert [c[0] for c in fake.calls][4:] == ["a", "b"]


def test_a_chapter_that_reads_another_is_done_again_with_it(tmp_path, fake):
    path = write(tmp_path, TWO + 'after = ["a"]\n')
    run_study(path, tmp_path / "run", progress=False)
    run_study(path, tmp_path / "run", progress=False)
    assert len(fake.calls) == 2
    run_study(write(tmp_path, TWO.replace('"A"', '"AA"') + 'after = ["a"]\n'), tmp_path / "run", progress=False)
    assert [c[0] for c in fake.calls][2:] == ["a", "b"]


def test_a_damaged_chapter_file_is_done_again(tmp_path, fake):
    path = write(tmp_path, ONE)
    run_study(path, tmp_path / "run", progress=False)
    (tmp_path / "run/chapters/a.json").write_text('{"key": ')
    assert run_study(path, tmp_path / "run", progress=False).complete
    assert len(fake.calls) == 2


def test_one_failed_chapter_does_not_lose_the_rest(tmp_path, fake):
    fake.act["a"] = RemissionError("no such data")
    result = run_study(write(tmp_path, TWO), tmp_path / "run", progress=False)
    assert result.failed == {"a": "no such data"}
    assert [c.name for c in result.chapters] == ["b"]
    assert "no such data" in result.report.read_text()


def test_an_interrupt_leaves_a_usable_folder(tmp_path, fake):
    fake.act["b"] = KeyboardInterrupt()
    path = write(tmp_path, TWO)
    result = run_study(path, tmp_path / "run", progress=False)
    assert result.interrupted
    assert json.loads((result.path / "run.json").read_text())["state"] == "interrupted"
    assert "an x" in result.report.read_text()
    del fake.act["b"]
    assert run_study(path, tmp_path / "run", progress=False).complete
    assert [c[0] for c in fake.calls] == ["a", "b", "b"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("title = ", "is not TOML"),
        ('titel = "x"\n' + ONE, "did you mean 'title'"),
        ('title = "x"', "no \\[\\[chapter\\]\\]"),
        ('[[chapter]]\nname = "a"\n', "kind is missing"),
        (ONE.replace("fake", "faek"), "unknown kind 'faek'"),
        (TWO.replace("size", "siez"), "did you mean 'size'"),
        (ONE + ONE, "is taken"),
        (ONE.replace('"a"', '"../a"'), "not a plain word"),
        (ONE + 'after = ["b"]\n', "names of chapters before it"),
        (TWO + "after = [1]\n", "names of chapters before it"),
    ],
)
def test_faults_of_a_study_file_are_named(tmp_path, fake, text, fault):
    with pytest.raises(RemissionError, match=fault):
        read_study(write(tmp_path, text))


def test_a_folder_that_cannot_be_written_is_refused_before_work(tmp_path, fake):
    (tmp_path / "file").write_text("")
    with pytest.raises(RemissionError, match="cannot be written"):
        run_study(write(tmp_path, ONE), tmp_path / "file" / "run")
    with pytest.raises(RemissionError, match="did you mean 'small'"):
        run_study(write(tmp_path, ONE), tmp_path / "run", budget="smal")
    assert fake.calls == []


def test_files_are_replaced_whole(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.write_json("a.json", {"n": 1})
    with pytest.raises(TypeError):
        folder.write_json("a.json", {"n": object()})
    assert folder.read_json("a.json") == {"n": 1}
    assert [p.name for p in folder.path.iterdir() if p.name.startswith(".")] == []


def test_ctrl_c_at_the_command_line_leaves_the_folder(tmp_path):
    """A real interrupt of a real process: exit code 130, run.json says interrupted, the report is there."""
    import os
    import subprocess
    import sys
    import time

    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "remission", "study", "--out", str(out), "--quiet", "--workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    for _ in range(600):
        if (out / "chapters").is_dir():
            break
        time.sleep(0.05)
    time.sleep(1.0)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors.decode()
    assert json.loads((out / "run.json").read_text())["state"] == "interrupted"
    assert (out / "report.html").exists()
