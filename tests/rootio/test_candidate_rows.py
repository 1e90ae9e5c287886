"""At which rows events begin, and keys as one number: compared with plain Python."""

import numpy as np
import pytest

from flavorframe._rootio.candidate_rows.groups import BLOCK, Groups
from flavorframe._rootio.key_hashes import hashed

PIECE = 2 * BLOCK


def groups_of(begins):
    pieces = [begins[i : i + PIECE] for i in range(0, len(begins), PIECE)]
    return Groups.of(pieces, len(begins))


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
@pytest.mark.parametrize("often", [0.00001, 0.1, 1.0])
def test_groups_are_those_of_a_list(rows, often):
    random = np.random.default_rng(rows)
    begins = random.random(rows) < often
    begins[:1] = True
    groups, known = groups_of(begins), [*np.flatnonzero(begins).tolist(), rows]
    assert groups.events == len(known) - 1
    ranges = [(0, groups.events), (0, 0), (groups.events, groups.events)]
    ranges += [sorted(random.integers(0, groups.events + 1, 2).tolist()) for _ in range(20)]
    for first, stop in ranges:
        assert groups.starts(first, stop).tolist() == known[first : stop + 1]
    places = np.unique([0, rows, *random.integers(0, rows + 1, 10)])
    assert groups.events_before(places).tolist() == [int(begins[:p].sum()) for p in places]


def test_equal_numbers_of_all_types_have_one_hash():
    numbers = [0, 1, 255, 2**31 - 1]
    types = (np.int32, np.uint32, np.int64, np.uint64, np.float64)
    hashes = {tuple(hashed([np.array(numbers, kind)]).tolist()) for kind in types}
    assert len(hashes) == 1


def test_other_numbers_or_another_order_have_other_hashes():
    a, b = np.arange(1000), np.arange(1000)[::-1]
    assert len(set(hashed([a, b]).tolist())) == 1000
    assert (hashed([a, b]) != hashed([b, a])).sum() >= 999
    assert not set(hashed([a]).tolist()) & set(hashed([a + 0.5]).tolist())
