"""The results of several datasets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from flavorframe._display import Paragraph, as_html
from flavorframe.errors import AnalysisError, did_you_mean
from flavorframe.result._drawing import draw_stack
from flavorframe.result._saving import save
from flavorframe.result._stacking import stack_of
from flavorframe.result._summary import summary_line
from flavorframe.result.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal

    from matplotlib.figure import Figure
    from typing_extensions import Never

    from flavorframe._run.core.options import Target
    from flavorframe.datasets import PathLike


class Results(Mapping[str, Result]):
    """The results of several datasets, a mapping from the name of each.

    Args:
        results: The results by name.

    Raises:
        AnalysisError: For a name that is not there, with the nearest ones.
    """

    def __init__(self, results: Mapping[str, Result]) -> None:
        self._results = dict(results)

    def __getitem__(self, era: str) -> Result:
        if era not in self._results:
            raise AnalysisError(
                f"There is no result of {era!r}.{did_you_mean(era, self._results)} There are "
                f"{', '.join(self._results)}."
            )
        return self._results[era]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def __contains__(self, era: object) -> bool:
        return era in self._results

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the results to a folder, each to one of its name; see `Result.save`."""
        return save(self, folder)

    def resume(
        self,
        *,
        on: Target = None,
        cache: bool | PathLike | None = None,
        threads: int | None = None,
        partition_size: int | None = None,
        progress: bool | Literal["live"] | None = None,
        on_error: Literal["report", "raise"] = "report",
        retries: int = 2,
        on_update: Callable[[Result], object] | None = None,
        should_stop: Callable[[], bool] | None = None,
        performance_report: PathLike | None = None,
        files: PathLike | Sequence[PathLike] = (),
        **unknown: Never,
    ) -> Results:
        """Read what is missing of each, with one Dask cluster for all; see `Result.resume`.

        Args:
            on: Where to run: ``None`` for the cores of this machine, a Dask client, cluster or
                address such as ``"tcp://host:8786"``, ``"dask"`` for a Dask cluster on this
                machine, ``"gateway"`` for a new one of Dask Gateway, or a batch system such as
                ``ff.Slurm(...)``.
            cache: Keep what was read and computed, so that a changed cut shows its result at once:
                ``True`` in ``$FLAVORFRAME_CACHE`` or ``~/.cache/flavorframe``, a folder there,
                ``False`` nowhere. ``None`` keeps it in memory in a notebook, and in
                ``$FLAVORFRAME_CACHE`` where that is set.
            threads: Number of threads; by default the number of cores. With a batch system it is
                that of each job, with ``on="dask"`` the number of workers.
            partition_size: Most events that are read at once; by default 170,000 or fewer.
            progress: Show a progress bar; by default where a person is looking on. In a notebook
                ``"live"`` shows the histograms as well.
            on_error: ``"report"`` notes files that cannot be read in ``result.failures``;
                ``"raise"`` raises the first error.
            retries: How many times more to try what failed for a reason that may pass.
            on_update: Function that is called about once a second with the result so far.
            should_stop: Function that is asked between partitions whether to end the run, with the
                result so far.
            performance_report: HTML file for Dask's own report of the run.
            files: Files that functions of the analysis read: see `flavorframe.delivered`.
            **unknown: There are no others; a misspelt name is an error.

        Returns:
            The whole results by name. Where a run is stopped, those after it stay as they are.

        Raises:
            AnalysisError: A result is a sum of results, or an option does not exist or means
                nothing here.
            RunError: A snapshot's file has been removed or replaced.

        Example:
            >>> whole = results.resume(retries=5)  # doctest: +SKIP
        """
        from flavorframe._run.resume import resume_each, resume_options

        options = resume_options(
            unknown,
            on=on,
            cache=cache,
            threads=threads,
            partition_size=partition_size,
            progress=progress,
            on_error=on_error,
            retries=retries,
            on_update=on_update,
            should_stop=should_stop,
            performance_report=performance_report,
            files=files,
        )
        return resume_each(self, options)

    @property
    def data(self) -> Results:
        """The results of data, by name."""
        return self._of_kind("data")

    @property
    def simulation(self) -> Results:
        """The results of simulation, by name."""
        return self._of_kind("simulation")

    def _of_kind(self, kind: str) -> Results:
        return Results({k: each for k, each in self.items() if each.dataset.kind == kind})

    def stack(
        self,
        output: str,
        *,
        luminosity: float | None = None,
        titles: Mapping[str, str] | None = None,
        logarithmic: bool = False,
        label: str = "",
        path: str | Path | None = None,
    ) -> Figure:
        """Draw a histogram: data as points, above all simulation stacked, and their ratio below.

        Simulation is scaled to the luminosity by its cross-sections and sums of generator weights,
        as by `Result.scaled`; it is stacked in the order of the results. The hatched band is its
        statistical error.

        Args:
            output: The name of a histogram with one axis; ``"signal.mass"`` is that of a region.
                Of variations the nominal one is drawn, and categories together.
            luminosity: What simulation is scaled to [fb⁻¹]; by default that of the data.
            titles: What samples are called in the legend, by name; those with one title are added.
            logarithmic: Whether the entries have a logarithmic axis.
            label: What stands beside the name, such as "Preliminary".
            path: A file to write, as PNG, PDF or what else its suffix says.

        Returns:
            The figure.

        Raises:
            AnalysisError: There is no simulation, no luminosity, or no such histogram, it has
                several axes, a sample cannot be scaled, or a title is for none of the samples.

        Example:
            >>> results.stack("mass", titles={"DsPhiPi": "Ds → φπ"})  # doctest: +SKIP
        """
        stacked = stack_of(self, output, luminosity, titles or {})
        return draw_stack(stacked, logarithmic=logarithmic, label=label, path=path)

    @property
    def total(self) -> Result:
        """The sum of all results; see `Result.__add__`."""
        return reduce(lambda a, b: a + b, self.values())

    def __repr__(self) -> str:
        return "\n".join(summary_line(result) for result in self.values())

    def _repr_html_(self) -> str:
        return "".join(as_html(Paragraph(summary_line(result))) for result in self.values())
