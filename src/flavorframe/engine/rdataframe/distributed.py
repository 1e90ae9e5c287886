"""A graph on the workers of a Dask cluster: ROOT's distributed RDataFrame."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any

from flavorframe.engine.rdataframe.program import Program
from flavorframe.engine.rdataframe.root import MEANING, root, settle

PARTITIONS_PER_THREAD = 2
"""So many that a thread which is done early finds another one to do."""


def distributed_frame(client: Any, tree: str, files: Sequence[str], program: Program) -> Any:
    """Return a frame whose graph the workers run, which are told the functions of a program."""
    distributed = root().RDF.Distributed
    distributed.initialize(_prepare_worker, bool(_corrections(program)))
    for code in (MEANING, *(code for _, code in program.externals), program.code):
        distributed.DistributeCppCode(code)
    partitions = PARTITIONS_PER_THREAD * max(sum(client.nthreads().values()), 1)
    return root().RDataFrame(tree, list(files), executor=client, npartitions=partitions)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Keep ROOT's own bar of progress from being printed."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _corrections(program: Program) -> list[str]:
    return [what for what, _ in program.externals if what.startswith("correction")]


def _prepare_worker(corrections: bool) -> None:
    import ROOT

    settle(ROOT)
    if corrections:
        import correctionlib

        correctionlib.register_pyroot_binding()
