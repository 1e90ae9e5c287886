"""The class of catalogues: datasets by name."""

from __future__ import annotations

import fnmatch
import functools
import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, overload

from flavorframe.datasets._dataset import Dataset, Kind, facts, html_table
from flavorframe.datasets._files import expanded
from flavorframe.datasets._left_out import copies_in
from flavorframe.errors import DatasetError, did_you_mean

if TYPE_CHECKING:
    from flavorframe._data_quality.duplicates import Duplicates

T = TypeVar("T")


@dataclass(frozen=True, repr=False, eq=False)
class Catalog(Mapping[str, Dataset]):
    """Datasets by name, as a catalogue file lists them.

    Globs and folders are looked up when a dataset is asked for, so that eras can be used whose
    files are here while those of others are not. ``catalog[name]`` raises `DatasetError` for an
    unknown name, with the nearest ones, and for a glob that matches no file.

    Args:
        datasets: The datasets by name, with globs and folders as they are written.
        source: The file that lists them, for messages.
    """

    datasets: Mapping[str, Dataset]
    source: str

    def __getitem__(self, name: str) -> Dataset:
        if name not in self.datasets:
            near = did_you_mean(str(name), self) or f" It has {', '.join(map(repr, self))}."
            raise DatasetError(f"{self.source} has no dataset {name!r}.{near}")
        dataset, where = self.datasets[name], f"{self.source}, era {name!r}"
        known = {places[0]: places for places in dataset.replicas}
        entries = [known.get(file, (file,)) for file in dataset.files]
        files, replicas, tree = expanded(entries, dataset.tree, where)
        return replace(dataset, files=files, replicas=replicas, tree=tree)

    def __iter__(self) -> Iterator[str]:
        return iter(self.datasets)

    def __len__(self) -> int:
        return len(self.datasets)

    def __contains__(self, name: object) -> bool:
        return name in self.datasets

    @overload
    def get(self, key: str, default: None = None, /) -> Dataset | None: ...
    @overload
    def get(self, key: str, default: Dataset | T, /) -> Dataset | T: ...
    def get(self, key: str, default: Any = None, /) -> Any:
        """Return the dataset of that name, or ``default`` where the catalogue has none."""
        return self[key] if key in self.datasets else default

    def select(self, *patterns: str, kind: Kind | None = None) -> Catalog:
        """Return the datasets whose name or era matches a pattern (``2017*``), of one kind or any.

        Args:
            patterns: Names, or patterns of names; without any, every name matches.
            kind: "data" or "simulation"; ``None`` for both.

        Returns:
            The catalogue of the datasets that match.

        Raises:
            DatasetError: Nothing matches.

        Example:
            >>> from flavorframe.catalogue import catalog
            >>> eras = {"2017B": {"type": "data", "files": "b.root"},
            ...         "DsPhiPi": {"type": "mc", "files": "m.root"}}
            >>> list(catalog(eras).select("2017*"))
            ['2017B']
        """
        chosen = {
            name: dataset
            for name, dataset in self.datasets.items()
            if kind in (None, dataset.kind) and _matches(dataset, patterns or ("*",))
        }
        if not chosen:
            asked = ", ".join(map(repr, patterns)) or f"kind {kind!r}"
            raise DatasetError(f"{self.source} has nothing for {asked}: it has {', '.join(self)}.")
        return Catalog(chosen, self.source)

    def combine(self, name: str) -> Dataset:
        """Return all datasets as one; luminosities and generated events add up.

        Args:
            name: What the dataset is called.

        Returns:
            The dataset of all files.

        Raises:
            DatasetError: The datasets differ in kind, tree or cross section, or share a file.

        Example:
            >>> from flavorframe.catalogue import catalog
            >>> eras = {"B": {"type": "data", "files": "b.root", "lumi": 4.8},
            ...         "C": {"type": "data", "files": "c.root", "lumi": 9.6}}
            >>> catalog(eras).combine("2017")
            Dataset '2017': data, 2 files, 14.4 fb⁻¹
        """
        return replace(functools.reduce(operator.add, self.values()), name=name)

    def without(self, duplicates: Duplicates) -> Catalog:
        """Return the datasets without events that are in them twice, or in two of them.

        The first copy of each is kept, in the order of the datasets; see `Dataset.without`.

        Args:
            duplicates: What the sum of some results has of `flavorframe.duplicates`.

        Returns:
            The catalogue of the same datasets.

        Example:
            >>> found = keys.run(catalogue).total.twice  # doctest: +SKIP
            >>> results = analysis.run(catalogue.without(found))  # doctest: +SKIP
        """
        chosen = {name: self[name] for name in self}
        files = [file for dataset in chosen.values() for file in dataset.files]
        replicas = [places for dataset in chosen.values() for places in dataset.replicas]
        copies = {each.file: each for each in copies_in(files, replicas, duplicates)}
        return Catalog(
            {
                name: replace(
                    dataset, left_out=tuple(copies[f] for f in dataset.files if f in copies)
                )
                for name, dataset in chosen.items()
            },
            self.source,
        )

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        lines = [
            f"  {name:{width}}  {', '.join(facts(dataset))}"
            for name, dataset in self.datasets.items()
        ]
        return "\n".join([f"Catalog {self.source!r}:", *lines])

    def _repr_html_(self) -> str:
        rows = [(name, ", ".join(facts(dataset))) for name, dataset in self.datasets.items()]
        return html_table("ff-catalog", self.source, rows)


def _matches(dataset: Dataset, patterns: Iterable[str]) -> bool:
    names = (dataset.name, dataset.era or "")
    return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)
