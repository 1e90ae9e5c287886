"""What comes in any order is handed on in order, and what does not come is a gap."""

import itertools
import random

import pytest

from flavorframe._run.core.options import PARTITION_SIZE
from flavorframe._run.core.ordering import Ordering
from flavorframe._run.core.partitions import FileRange
from flavorframe._run.dask.schedule import SMALLEST, Schedule
from flavorframe.datasets import Partition
from flavorframe.engines import FileInfo

LENGTHS = {"a": 10, "b": 0, "c": 7, "d": 4}


def run(come, seed):
    """Feed the partitions ``come`` accepts in a random order; return what was handed on."""
    work = [FileRange(name) for name in LENGTHS]
    log = []
    ordering = Ordering(
        work,
        enter=lambda index: log.append(("enter", index)),
        write=lambda part: log.append((part.file, part.start, part.stop)),
        add_gap=lambda file, start, stop: log.append((file, start, stop, "gap")),
    )
    happenings = []
    for index, (name, length) in enumerate(LENGTHS.items()):
        happenings.append((ordering.opened, (index, length)))
        for start in range(0, length, 3):
            part = Partition(name, "t", start, min(start + 3, length), index)
            if come(part):
                happenings.append((ordering.add, (part, part)))
    random.Random(seed).shuffle(happenings)
    for call, arguments in happenings:
        call(*arguments)
    ordering.end()
    return log


@pytest.mark.parametrize("seed", range(20))
def test_any_order(seed):
    whole = run(lambda part: True, seed)
    assert whole == run(lambda part: True, 99)
    assert [entry for entry in whole if "gap" in entry] == []
    some = run(lambda part: part.start != 3, seed)
    gaps = [entry for entry in some if "gap" in entry]
    assert gaps == [("a", 3, 6, "gap"), ("c", 3, 6, "gap"), ("d", 3, None, "gap")]
    assert [e for e in whole if e not in some] == [("a", 3, 6), ("c", 3, 6), ("d", 3, 4)]


def test_files_that_do_not_open_or_were_not_reached():
    gaps = []
    ordering = Ordering(
        [FileRange("a"), FileRange("b", 5, 9), FileRange("c")],
        enter=lambda index: None,
        write=lambda part: None,
        add_gap=lambda file, start, stop: gaps.append((file, start, stop)),
    )
    ordering.opened(0, None)
    ordering.opened(1, 20)
    ordering.end()
    assert gaps == [("a", 0, None), ("b", 5, 9), ("c", 0, None)]


@pytest.mark.parametrize(("threads", "size"), [(1, None), (3, None), (500, None), (2, 999)])
@pytest.mark.parametrize("edges", [(), tuple(range(0, 300_001, 30_000))])
def test_schedules_cover_everything_once_and_end_small(threads, size, edges):
    work = [FileRange("a"), FileRange("b", 1000, 250_000), FileRange("c")]
    schedule = Schedule(work, size)
    schedule.threads = threads
    parts = []
    while True:
        for batch in schedule.to_open():
            for index, segment in batch:
                schedule.opened(index, FileInfo(segment.file, "t", "nano", 300_000, edges))
        batches = list(schedule.to_evaluate(0))
        if not batches:
            break
        for batch in batches:
            parts += batch
            schedule.took(len(batch), 0.001 * len(batch))
    for index, (start, stop) in enumerate([(0, 300_000), (1000, 250_000), (0, 300_000)]):
        found = [(part.start, part.stop) for part in parts if part.index == index]
        assert found[0][0] == start
        assert found[-1][1] == stop
        assert all(a[1] == b[0] for a, b in itertools.pairwise(found))
    lengths = [len(part) for part in parts]
    assert max(lengths) <= (size or PARTITION_SIZE)
    if size is None and not edges:
        assert lengths[-1] <= 2 * SMALLEST


def test_few_tasks_until_one_has_told_how_long_it_takes():
    schedule = Schedule([FileRange("a")], 1000)
    schedule.threads = 2
    list(schedule.to_open())
    schedule.opened(0, FileInfo("a", "t", "nano", 300_000))
    first = list(schedule.to_evaluate(0))
    assert [len(batch) for batch in first] == [1, 1, 1, 1]
    assert list(schedule.to_evaluate(4)) == []
    assert len(list(schedule.to_evaluate(0))) == 4  # the first killed their workers
    schedule.took(1, 0.05)
    assert next(iter(schedule.to_evaluate(4)))[9:]
