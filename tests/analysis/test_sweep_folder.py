"""Run folders: a killed sweep goes on and ends with the same bits; damage is mended, another sweep refused."""

import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from remission.analysis import nadir, sweep
from remission.models import ProblemError, RemissionError, sensitive_resistant
from remission.solvers import Problem, Treatment

DAILY = Problem(sensitive_resistant(), t_span=(0, 300), treatment=Treatment.constant({"u": 1.0}))
NAMES = ["r", "f_R"]


def draws(first, last):
    """A sampler: the same rows whenever it is asked for them."""
    rng = np.random.default_rng([5, first])
    return np.column_stack([rng.uniform(0.02, 0.04, last - first), 10 ** rng.uniform(-4, -1, last - first)])


def run(folder, n=400, outputs="burden", problem=DAILY, samples=None, **more):
    samples = (draws, n) if samples is None else samples
    return sweep(problem, samples, outputs, names=NAMES, folder=folder, progress=False, **more)


def chunks(folder):
    return {p.name: p.stat().st_mtime_ns for p in (folder / "chunks").iterdir()}


def test_a_folder_holds_the_same_numbers_as_memory(tmp_path):
    plain = sweep(DAILY, (draws, 400), ["burden", nadir("burden")], names=NAMES, progress=False)
    kept = run(tmp_path / "x", outputs=["burden", nadir("burden")])
    for name in ("samples", "values", "again"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(plain, name))
    assert isinstance(kept.values, np.memmap)
    assert kept.status == plain.status
    assert list(kept.messages) == list(plain.messages)
    assert str(kept) == str(plain)
    note = json.loads((tmp_path / "x" / "run.json").read_text())
    assert note["status"] == "done"
    assert note["asked"]["names"] == NAMES
    assert set(note["runs"][0]) >= {"numpy", "llvmlite", "processor", "started", "ended"}


def test_a_second_call_solves_nothing_again(tmp_path):
    first = np.array(run(tmp_path).values)
    before = chunks(tmp_path)
    second = run(tmp_path, workers=1)
    assert chunks(tmp_path) == before
    np.testing.assert_array_equal(second.values, first)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "missing", "garbage"])
def test_a_damaged_chunk_is_solved_again(tmp_path, damage):
    whole = np.array(run(tmp_path).values)
    before = chunks(tmp_path)
    path = sorted((tmp_path / "chunks").iterdir())[3]
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes({
        "truncated": data[:middle], "empty": b"", "garbage": b"not a chunk", "missing": b"",
        "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
    }[damage])  # fmt: skip
    if damage == "missing":
        path.unlink()
    np.testing.assert_array_equal(run(tmp_path).values, whole)
    after = chunks(tmp_path)
    assert {k: v for k, v in after.items() if k != path.name} == {k: v for k, v in before.items() if k != path.name}
    assert path.read_bytes() == data  # the same bits


def test_nothing_is_unpickled(tmp_path):
    """A chunk with a pickled object inside, under the right checksum, is not opened but solved again."""
    from hashlib import sha256

    whole = np.array(run(tmp_path).values)
    path = sorted((tmp_path / "chunks").iterdir())[0]
    np.savez(path, samples=np.array([{"a": 1}], dtype=object), values=whole, status=whole, again=whole, about=whole)
    path.rename(path.with_name(f"000000-{sha256(path.read_bytes()).hexdigest()[:16]}.npz"))
    np.testing.assert_array_equal(run(tmp_path).values, whole)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"problem": DAILY.replace(parameters={"turnover": 0.3})}, "parameters: turnover is 0.25 there and 0.3 here"),
        ({"problem": DAILY.replace(treatment=Treatment.constant({"u": 0.5}))}, "s 1: level is 1.0 there and 0.5 here"),
        ({"problem": DAILY.replace(rtol=1e-8)}, "rtol is 1e-06 there and 1e-08 here"),
        ({"outputs": "R"}, "outputs 1: of is burden there and R here"),
        ({"n": 401}, "members is 400 there and 401 here"),
        ({"times": [0, 10]}, "times is None there"),
        ({"samples": (lambda a, b: draws(a, b) + (np.arange(a, b)[:, None] == 130) * [0, 0.01], 400)}, "member 130"),
    ],
)  # fmt: skip
def test_another_sweep_is_refused_with_what_differs(tmp_path, change, said):
    run(tmp_path)
    before = chunks(tmp_path), (tmp_path / "values.npy").read_bytes()
    with pytest.raises(ProblemError, match=said) as refusal:
        run(tmp_path, **change)
    assert "another folder" in str(refusal.value)
    assert (chunks(tmp_path), (tmp_path / "values.npy").read_bytes()) == before
    run(tmp_path)  # and nothing is locked


def test_all_that_need_not_fit_into_memory(tmp_path):
    """A sampler, a file, a mapped file and a stream of uneven parts hold the same members."""
    table = np.concatenate([draws(0, 250), draws(250, 400)])
    np.save(tmp_path / "table.npy", table)
    whole = sweep(DAILY, table, "burden", names=NAMES, progress=False)
    mapped = np.load(tmp_path / "table.npy", mmap_mode="r")

    def rows(first, last):
        return dict(zip(NAMES, table[first:last].T, strict=True))

    for number, samples in enumerate([tmp_path / "table.npy", mapped, (rows, 400)]):
        found = run(tmp_path / str(number), samples=samples)
        np.testing.assert_array_equal(found.values, whole.values)
        np.testing.assert_array_equal(found.samples, table)
    streamed = run(tmp_path / "stream", samples=iter([table[:7], table[7:300], table[300:]]))
    np.testing.assert_allclose(streamed.values, whole.values, rtol=1e-5)  # its length is not known: other groups
    again = run(tmp_path / "stream", samples=iter([table[:100], table[100:]]))
    np.testing.assert_array_equal(again.values, streamed.values)
    with pytest.raises(ProblemError, match="r of member 399"):
        run(tmp_path / "stream", samples=iter([table[:399], table[:1]]))


@pytest.mark.optional
def test_a_stream_that_ends_sooner_is_another(tmp_path):
    table = draws(0, 4500)
    assert len(run(tmp_path, samples=iter([table]))) == 4500
    with pytest.raises(ProblemError, match="the samples end with chunk 0"):
        run(tmp_path, samples=iter([table[:4096]]))
    with pytest.raises(ProblemError, match="chunk 1 holds 404 members, here it has 204"):
        run(tmp_path, samples=iter([table[:4300]]))


def test_a_function_has_to_be_importable(tmp_path):
    with pytest.raises(ProblemError, match="cannot be imported"):
        run(tmp_path, outputs=lambda solution: 1.0)


def test_the_result_pickles(tmp_path):
    table = np.concatenate([draws(0, 100), [[np.nan, 0.1]]])
    found = run(tmp_path, samples=table)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.values, found.values)
    assert str(again) == str(found)
    assert again.messages[100] == found.messages[100] != ""
    assert found.messages[:2] == ("", "")
    assert found.status[98:] == ("done", "done", "refused")
    assert found.status != ("done",) * 101
    assert repr(found.status).endswith("101 in all)")


@pytest.mark.optional
def test_a_stream_that_fails_keeps_what_is_done(tmp_path):
    def parts():
        yield draws(0, 5000)
        raise RuntimeError("the tape is torn")

    with pytest.raises(RuntimeError, match="torn"):
        run(tmp_path, samples=parts(), workers=1)
    assert len(chunks(tmp_path)) == 1
    assert json.loads((tmp_path / "run.json").read_text())["status"] == "stopped"
    found = run(tmp_path, samples=iter([draws(0, 5000)]))
    assert len(found) == 5000


def test_failed_members_keep_their_reasons(tmp_path):
    table = np.concatenate([draws(0, 100), [[np.nan, 0.1], [1e300, 0.1]]])
    kept = run(tmp_path, samples=table)
    plain = sweep(DAILY, table, "burden", names=NAMES, progress=False)
    assert list(kept.messages) == list(plain.messages)
    assert kept.status == plain.status
    assert kept.status[100] == "refused"
    assert np.flatnonzero(kept.failed).tolist() == np.flatnonzero(plain.failed).tolist()
    assert str(kept) == str(plain)


def test_members_solved_in_processes(tmp_path):
    """An adaptive rule: one by one, in two processes, then nothing again."""
    rule = Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0, relative_to="start")
    problem = DAILY.replace(treatment=rule)
    plain = sweep(problem, draws(0, 20), "burden", names=NAMES, progress=False)
    found = run(tmp_path, samples=draws(0, 20), problem=problem, workers=2)
    np.testing.assert_array_equal(found.values, plain.values)
    before = chunks(tmp_path)
    run(tmp_path, samples=draws(0, 20), problem=problem)
    assert chunks(tmp_path) == before
    with pytest.raises(ProblemError, match="rules"):
        run(tmp_path, samples=draws(0, 20), problem=DAILY)


def test_a_lost_chunk_is_left_to_the_next_run(tmp_path, monkeypatch):
    from remission.analysis import members

    whole = np.array(run(tmp_path / "whole").values)
    results = members._results
    monkeypatch.setattr(members, "_results", lambda *a: ((t, None if t[0] == 2 else chunk) for t, chunk in results(*a)))
    found = run(tmp_path / "x", workers=1)
    assert set(found.status) == {"done", "lost"}
    lost = found.failed
    assert "the worker process died" in found.messages[int(np.flatnonzero(lost)[0])]
    np.testing.assert_array_equal(found.values[~lost], whole[~lost])
    assert json.loads((tmp_path / "x" / "run.json").read_text())["status"] == "incomplete"
    monkeypatch.undo()
    np.testing.assert_array_equal(run(tmp_path / "x").values, whole)


def test_courses_in_a_folder(tmp_path):
    found = run(tmp_path, outputs=["S", "R"], times=[0, 150, 300])
    assert found.values.shape == (400, 3, 2)
    np.testing.assert_array_equal(
        found.values, sweep(DAILY, (draws, 400), ["S", "R"], names=NAMES, times=[0, 150, 300], progress=False).values
    )


def test_two_runs_in_one_folder_are_refused(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    run(tmp_path)
    with open(tmp_path / "lock", "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(RemissionError, match="another process is running a sweep"):
            run(tmp_path)


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(RemissionError, match="is a file"):
        run(tmp_path / "file")
    run(tmp_path / "x")
    (tmp_path / "x" / "run.json").write_text("{")
    with pytest.raises(RemissionError, match="damaged"):
        run(tmp_path / "x")
    (tmp_path / "x" / "run.json").unlink()
    with pytest.raises(RemissionError, match="chunks but no"):
        run(tmp_path / "x")


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    from remission.analysis import run_folder

    whole = np.array(run(tmp_path / "whole").values)
    real, left = os.replace, iter([True] * 4)

    def full(*names):
        if str(names[1]).endswith(".npz") and not next(left, False):
            raise OSError(28, "No space left on device")
        real(*names)

    monkeypatch.setattr(run_folder.os, "replace", full)
    with pytest.raises(RemissionError, match="No space left on device; what the folder holds is kept"):
        run(tmp_path / "x", workers=1)
    monkeypatch.undo()
    assert len(chunks(tmp_path / "x")) == 4
    assert not list((tmp_path / "x").rglob(".writing-*"))
    np.testing.assert_array_equal(run(tmp_path / "x").values, whole)


SCRIPT = """
    import sys
    import numpy as np
    from remission.analysis import nadir, sweep
    from remission.models import sensitive_resistant
    from remission.solvers import Problem, Treatment

    def draws(first, last):
        rng = np.random.default_rng([5, first])
        return np.column_stack([rng.uniform(0.02, 0.04, last - first), 10 ** rng.uniform(-4, -1, last - first)])

    problem = Problem(sensitive_resistant(), t_span=(0, 300), treatment=Treatment.constant({"u": 1.0}))
    print("ready", flush=True)
    sweep(problem, (draws, 12_000), nadir("burden"), names=["r", "f_R"], folder=sys.argv[1], progress=False)
    print("done", flush=True)
"""


def started(script, folder):
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def wait_for_chunks(process, folder, count):
    for _ in range(3000):
        done = len(list((folder / "chunks").glob("0*.npz"))) if folder.exists() else 0
        if done >= count or process.poll() is not None:
            return
        time.sleep(0.01)


def test_killed_and_resumed_equals_uninterrupted_bit_for_bit(tmp_path):
    """SIGKILL twice and SIGINT once in the middle of a run; the fourth run ends it."""
    script, folder = tmp_path / "long_sweep.py", tmp_path / "killed"
    script.write_text(textwrap.dedent(SCRIPT))
    wanted = [2, 5, 9]
    for count, kind in zip(wanted, (signal.SIGKILL, signal.SIGKILL, signal.SIGINT), strict=True):
        process = started(script, folder)
        wait_for_chunks(process, folder, count)
        os.kill(process.pid, kind)
        out, err = process.communicate(timeout=60)
        assert "done" not in out
        if kind == signal.SIGINT:
            assert "the same call goes on from there" in err
            assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
        assert len(chunks(folder)) >= count
    before = chunks(folder)
    process = started(script, folder)
    out, err = process.communicate(timeout=120)
    assert "done" in out, err
    after = chunks(folder)
    assert all(after[name] == when for name, when in before.items() if not name.startswith("."))
    assert len(json.loads((folder / "run.json").read_text())["runs"]) == 4
    process = started(script, tmp_path / "whole")
    assert "done" in process.communicate(timeout=120)[0]
    for name in ("samples.npy", "values.npy", "status.npy", "again.npy"):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert [p.read_bytes() for p in sorted((folder / "chunks").iterdir())] == [
        p.read_bytes() for p in sorted((tmp_path / "whole" / "chunks").iterdir())
    ]


def test_the_page_on_large_sweeps_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = Path(__file__).parents[2] / "docs" / "how-to" / "large-sweeps.md"
    space = {}
    for block in page.read_text().split("```python\n")[1:]:
        exec(block.split("```")[0], space)
    assert "2000 members, 0 failed" in capsys.readouterr().out
