"""The results of several datasets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

from flavorframe._display import Paragraph, as_html
from flavorframe.errors import AnalysisError, did_you_mean
from flavorframe.result._headline import headline
from flavorframe.result._saving import save
from flavorframe.result.result import Result


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

    def resume(self, *, on: Any = None, **options: Any) -> Results:
        """Read what is missing of each; see `Result.resume`."""
        from flavorframe._run.resume import resume_each

        return resume_each(self, on, options)

    @property
    def total(self) -> Result:
        """The sum of all results; see `Result.__add__`."""
        return reduce(lambda a, b: a + b, self.values())

    def __repr__(self) -> str:
        return "\n".join(headline(result) for result in self.values())

    def _repr_html_(self) -> str:
        return "".join(as_html(Paragraph(headline(result))) for result in self.values())
