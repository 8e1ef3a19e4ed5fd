"""The bar shows rate and failures on a terminal, and nothing elsewhere."""

import io
import sys

from remission.analysis.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def worked(monkeypatch, stream, shown=True):
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(1000, shown) as bar:
        bar.bar.delay = bar.bar.mininterval = 0
        bar.found(500)
        bar.add(250, failed=3)
        bar.add(100, failed=1)
        assert (bar.done, bar.failed) == (850, 4)
        bar.bar.refresh()
    return stream.getvalue()


def test_a_terminal_gets_a_bar(monkeypatch):
    text = worked(monkeypatch, Terminal())
    assert "850/1000" in text
    assert "failed=4" in text
    assert "run/s" in text


def test_a_log_gets_nothing(monkeypatch):
    assert worked(monkeypatch, io.StringIO()) == ""


def test_nothing_where_it_is_not_wanted(monkeypatch):
    assert worked(monkeypatch, Terminal(), shown=False) == ""


def test_the_rate_counts_what_was_done_now(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress(1000, True) as bar:
        bar.found(900)
        bar.add(10)
        assert bar.bar.n - bar.bar.initial == 10
