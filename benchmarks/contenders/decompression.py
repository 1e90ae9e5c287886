"""The limit: decompress the baskets that the analysis needs, and nothing else, on two threads.

Prints the seconds that took, without the start of the process.
"""

import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import uproot

from flavorframe._rootio.codecs import decompress_block

HEADER = 9
"""Bytes before each compressed block: algorithm (2), method (1), sizes (3 and 3)."""

BRANCHES = (
    "Trigger_hltname Trigger_hltdecision Trigger_l1name Trigger_l1decision Triplet2_Mass "
    "RefittedPV2_NTracks FlightDistBS_SV_Significance Mu01_Pt Mu01_Eta Mu01_Phi Mu02_Pt Mu02_Eta "
    "Mu02_Phi Tr_Pt Tr_Eta Tr_Phi MuonPt Muon_isGlobal Muon_isPF Track_pt Track_dz Track_dxy "
    "RefTrack1_Pt RefTrack1_Eta RefTrack1_Phi RefTrack2_Pt RefTrack2_Eta RefTrack2_Phi "
    "Mu1_dRtriggerMatch_2017 Mu2_dRtriggerMatch_2017 TripletVtx2_Chi2"
)


def main(file: str) -> None:
    """Time it."""
    print(seconds_of(file, uproot.open(file)["Tree3Mu/ntuple"], BRANCHES.split()))


def seconds_of(file: str, tree: Any, branches: list[str]) -> float:
    """Return the median seconds to decompress some branches of a tree, on two threads."""
    content = np.memmap(file, np.uint8, "r").data
    baskets = [
        content[position : position + size]
        for branch in map(tree.__getitem__, branches)
        for position, size in zip(
            branch.member("fBasketSeek")[: branch.num_baskets].tolist(),
            branch.member("fBasketBytes")[: branch.num_baskets].tolist(),
            strict=True,
        )
    ]
    halves = baskets[::2], baskets[1::2]
    return statistics.median(_timed(halves) for _ in range(5))  # as of the contenders


def _timed(halves: tuple[list[memoryview], ...]) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(len(halves)) as pool:
        list(pool.map(_decompress_all, halves))
    return time.perf_counter() - began


def _decompress_all(baskets: list[memoryview]) -> None:
    room = np.empty(1 << 20, np.uint8)
    for basket in baskets:
        place, end = int.from_bytes(basket[14:16], "big"), len(basket)
        size = int.from_bytes(basket[6:10], "big")
        if size > len(room):
            room = np.empty(size, np.uint8)
        while end - place < size and place < end:  # a basket of its own size is not compressed
            before = int.from_bytes(basket[place + 3 : place + 6], "little")
            after = int.from_bytes(basket[place + 6 : place + HEADER], "little")
            block = basket[place + HEADER : place + HEADER + before]
            decompress_block(bytes(basket[place : place + 2]), block, room[:after].data)
            place += HEADER + before


if __name__ == "__main__":
    main(sys.argv[1])
