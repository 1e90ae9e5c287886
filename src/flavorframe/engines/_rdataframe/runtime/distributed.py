"""A graph on the workers of a Dask cluster: ROOT's distributed RDataFrame."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any

from flavorframe.engines._rdataframe.codegen.external import External, make_ready
from flavorframe.engines._rdataframe.codegen.program import Program
from flavorframe.engines._rdataframe.runtime.root import EXPRESSIONS, configure, root

PARTITIONS_PER_THREAD = 2
"""More than one, so that a thread that is done early finds another partition."""


def distributed_frame(client: Any, tree: str, files: Sequence[str], program: Program) -> Any:
    """Return a frame whose graph the workers run; they get the functions of a program."""
    distributed = root().RDF.Distributed
    distributed.initialize(_prepare_worker, program.externals)
    for code in (EXPRESSIONS, *(external.code for external in program.externals), program.code):
        distributed.DistributeCppCode(code)
    partitions = PARTITIONS_PER_THREAD * max(sum(client.nthreads().values()), 1)
    return root().RDataFrame(tree, list(files), executor=client, npartitions=partitions)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Keep ROOT's own bar of progress from being printed."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _prepare_worker(externals: Sequence[External]) -> None:
    import ROOT

    configure(ROOT)
    for external in externals:
        make_ready(ROOT, external)
