"""Ctrl-C at any moment of a run: what is given is whole, or partial and knows what is missing."""

import gc
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import flavorframe as ff
from flavorframe._run.core import interrupts
from support import servers

SOURCE = str(Path(interrupts.__file__).parent.parent)
STEP = 41
"""Of how many lines one is interrupted."""
t = ff.events().triplet


@pytest.fixture(autouse=True)
def interrupts_raise():
    """Have Ctrl-C raise, as in a terminal: a shell has what it starts beside it ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Lines:
    """Counts the lines that add up what was read, and does something at one of them."""

    FILES = (
        "core/accumulator.py",
        "core/failures.py",
        "core/opened_files.py",
        "core/ordering.py",
        "core/threads.py",
        "core/updates.py",
        "local.py",
        "progress/base.py",
        "snapshots/rows.py",
    )

    def __init__(self, number, act):
        self.number, self.act, self.count = number, act, 0
        self.files = {os.path.join(SOURCE, name) for name in self.FILES}

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)

    def trace(self, frame, event, argument):
        code = frame.f_code
        if code.co_filename not in self.files or self.skips(code.co_name):
            return None
        if event == "line":
            self.count += 1
            if self.count == self.number:
                self.act()
        return self.trace

    def skips(self, name):
        """Where a block is entered, Python itself forgets it when something is raised."""
        return self.act is raise_now and name == "__enter__"


def raise_now():
    raise KeyboardInterrupt


def send():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(params=["memory", "file", "four files"])
def analysis(request, analysis, tmp_path):
    if request.param == "memory":
        return analysis
    count = 1 if request.param == "file" else 4
    path = tmp_path / "rows.root"
    return analysis.with_outputs(
        rows=ff.snapshot(t.mass, ff.events().event, path=path, files=count)
    )


def rows_of(result):
    import uproot

    if not hasattr(result.rows, "paths"):
        return [result.rows[name] for name in ("mass", "event", "weight")]
    found = [uproot.open(path)["candidates"].arrays(library="np") for path in result.rows.paths]
    return [np.concatenate([f[name] for f in found]) for name in ("mass", "event", "weight")]


def everything(result):
    counts = [
        (r.events, r.candidates, r.sumw_candidates, r.sumw2_candidates) for r in result.cutflow
    ]
    return counts, result.mass.view(flow=True).tolist(), [x.tolist() for x in rows_of(result)]


def run(analysis, files, **options):
    dataset = ff.dataset(files[:2])
    return analysis.run(dataset, progress=False, partition_size=700, threads=2, **options)


@pytest.mark.slow
@pytest.mark.parametrize("act", [raise_now, send])
def test_at_any_line(analysis, files, act):
    """Raised by what knows no better, or sent as a terminal does: nothing counts by halves."""
    whole = everything(run(analysis, files))
    with Lines(-1, act) as lines:
        run(analysis, files)
    kinds = set()
    for number in range(1, lines.count + 1, STEP):
        result = None
        try:
            with Lines(number, act):
                result = run(analysis, files)
        except KeyboardInterrupt:
            kinds.add("raised")
            gc.collect()
            continue
        assert act is raise_now or signal.getsignal(signal.SIGINT) is signal.default_int_handler
        kinds.add("whole" if result.is_complete else "partial")
        complete = result.resume(progress=False)
        assert complete.is_complete
        assert everything(complete) == whole
    assert "partial" in kinds
    assert "whole" not in kinds or act is raise_now


def interrupt_once(condition):
    """Interrupt from another thread, which is returned, a moment after a condition holds."""

    def act():
        servers.wait_for(condition)
        time.sleep(0.5)
        send()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_while_a_function_takes_its_time(analysis, files):
    calls = []

    @ff.function
    def sleeping(mass):
        calls.append(len(mass))
        time.sleep(0.2)
        return mass

    slow = ff.Analysis(
        ff.Selection(t).cut("mass", sleeping(t.mass) > 1.7), **dict(analysis.outputs)
    )
    thread = interrupt_once(lambda: len(calls) > 4)
    result = slow.run(ff.dataset(files), progress=False, partition_size=200, threads=2)
    thread.join()
    assert result.stopped == "interrupted"
    assert 0 < result.fraction < 0.7


def test_what_hangs_is_left_alone(files, monkeypatch):
    monkeypatch.setattr("flavorframe._run.core.threads.SHUTDOWN_SECONDS", 0.2)
    let_go, hung = threading.Event(), []

    @ff.function
    def hanging(mass, event):
        if (event > 100).any():
            hung.append(len(event))
            let_go.wait(servers.PATIENCE)
        return mass

    stuck = hanging(t.mass, ff.events().event)
    thread = interrupt_once(lambda: len(hung) == 2)  # both threads
    began = time.monotonic()
    try:
        result = ff.Analysis(ff.Selection(t).cut("m", stuck > 0)).run(
            ff.dataset(files[0]), progress=False, partition_size=100, threads=2
        )
        assert time.monotonic() - began < servers.PATIENCE / 2
    finally:
        let_go.set()
        thread.join()
    assert result.stopped == "interrupted"
    assert result.events >= 100


def test_where_it_is_noted_it_comes_at_the_next_wait():
    seen = []

    def work():
        with interrupts.deferred():
            send()
            seen.append("noted")
            with interrupts.allowed():
                seen.append("never")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert seen == ["noted"]


def test_one_that_nobody_took_is_raised_in_the_end():
    seen = []

    def work():
        with interrupts.deferred():
            send()
            seen.append("noted")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert seen == ["noted"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_one_is_raised_wherever_it_comes(monkeypatch):
    monkeypatch.setattr(interrupts, "FORCE_SECONDS", 0.05)
    seen = []

    def work():
        with interrupts.deferred():
            send()
            send()  # a finger that trembles
            seen.append("noted")
            time.sleep(0.1)
            send()
            seen.append("never")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert seen == ["noted"]


def test_a_callback_is_interrupted_and_a_run_within_it_is_not_by_halves(
    analysis, files, monkeypatch
):
    monkeypatch.setattr("flavorframe._run.core.updates.UPDATE_SECONDS", 0.0)
    inner = []

    def update(result):
        inner.append(ff.Analysis(ff.Selection(t)).run(ff.dataset(files[0]), progress=False))
        send()
        inner.append("never")

    result = run(analysis, files, on_update=update)
    assert result.stopped == "interrupted"
    assert len(inner) == 1
    assert inner[0].is_complete
    assert result.resume(progress=False).is_complete


def test_handlers_of_the_user_are_asked(analysis, files):
    class MineError(Exception):
        pass

    def mine(number, frame):
        raise MineError

    before = signal.signal(signal.SIGINT, mine)
    try:
        with pytest.raises(MineError), Lines(100, send):
            run(analysis, files)
        assert signal.getsignal(signal.SIGINT) is mine
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with Lines(100, send):
            assert run(analysis, files).is_complete
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_no_handler_is_set(analysis, files):
    found = []
    thread = threading.Thread(target=lambda: found.append(run(analysis, files)))
    thread.start()
    thread.join()
    assert found[0].is_complete
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_stop_is_for_the_datasets_that_follow(analysis, files):
    eras = {name: ff.dataset(files[:2], name=name) for name in ("B", "C")}
    last = ff.Analysis(ff.Selection(t), mass=dict(analysis.outputs)["mass"])
    with Lines(400, send):
        results = last.run(eras, progress=False, partition_size=300, threads=1)
    assert [result.stopped for result in results.values()] == ["interrupted", "interrupted"]
    assert results["C"].events == 0


@pytest.mark.parametrize("engine", ["rdataframe"])
def test_with_another_engine(files, engine, tmp_path):
    rows = ff.snapshot(t.mass, path=tmp_path / "rows.root")
    whole = ff.Analysis(ff.Selection(t), rows=rows).run(ff.dataset(files[:3]), progress=False)
    kinds = set()
    for number in range(1, 400, 37):
        try:
            with Lines(number, send):
                result = ff.Analysis(ff.Selection(t), rows=rows).run(
                    ff.dataset(files[:3]), engine=engine, progress=False
                )
        except KeyboardInterrupt:
            kinds.add("raised")
            continue
        kinds.add("given")
        assert len(result.resume(progress=False).rows) == len(whole.rows)
    assert kinds == {"raised", "given"}
