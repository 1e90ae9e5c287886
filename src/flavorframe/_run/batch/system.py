"""Batch systems as targets of a run: what `Slurm` and `HTCondor` can do beside being asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flavorframe._run.batch.site import Site
from flavorframe._run.core.options import refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Never

    from flavorframe._run.core.executor import Executor
    from flavorframe._run.core.options import RunOptions
    from flavorframe.datasets import PathLike
    from flavorframe.engines import Engine
    from flavorframe.result.result import Result


class System(Site):
    """A site that runs analyses, now or gathered later."""

    def executor(self, engine: Engine, options: RunOptions) -> Executor:
        """Return what runs an analysis here."""
        from flavorframe._run.batch.executor import BatchExecutor

        return BatchExecutor(self, engine, options)

    @staticmethod
    def gather(
        folder: PathLike,
        *,
        progress: bool | Literal["live"] | None = None,
        on_error: Literal["report", "raise"] | None = None,
        retries: int | None = None,
        on_update: Callable[[Result], object] | None = None,
        **unknown: Never,
    ) -> Result:
        """Return the result of a run that was sent earlier, from any process, by its folder.

        It waits for jobs that are not done, and submits again what failed. Options that are left
        out (``None``) are as when the run was sent.

        Args:
            folder: The folder of the run.
            progress: Show a progress bar; by default where a person is looking on. In a notebook
                ``"live"`` shows the histograms as well.
            on_error: ``"report"`` notes files that cannot be read in ``result.failures``;
                ``"raise"`` raises the first error.
            retries: How many times more to try what failed for a reason that may pass.
            on_update: Function that is called about once a second with the result so far.
            **unknown: There are no others; a misspelt name is an error.

        Returns:
            The result.

        Raises:
            FileError: The folder is none of a batch run.
            AnalysisError: An option does not exist, or was settled when the run was sent.

        Example:
            >>> ff.Slurm.gather("flavorframe-runs/2017B-20260301-101500")  # doctest: +SKIP
        """
        from flavorframe._run.batch.gather import gather

        refuse_unknown("gather", unknown)
        given = {
            "progress": progress,
            "on_error": on_error,
            "retries": retries,
            "on_update": on_update,
        }
        return gather(Path(folder), {k: v for k, v in given.items() if v is not None})
