"""Datasets: files that belong together, given by a catalogue, a list of files or a folder.

`Dataset` is in ``_dataset``, `Catalog`, of datasets by name, in ``_catalog``. How the files that a
user names are found (globs, folders, lists, filesets of coffea) is in ``_files``, and `Partition`,
what is read at once, in ``_partitions``. ``_globs`` lists folders here and on servers, and
``_replicas`` is about files that are in several places, ``_left_out`` about events that are not
read. Catalogue files are read by
`flavorframe.catalogue`.
"""

from flavorframe.datasets._catalog import Catalog
from flavorframe.datasets._dataset import Dataset, Kind, dataset
from flavorframe.datasets._files import PathLike, one_file
from flavorframe.datasets._friends import Friend, friend
from flavorframe.datasets._left_out import LeftOut
from flavorframe.datasets._partitions import Partition, fraction_read, split
from flavorframe.datasets._replicas import Copies, Places

__all__ = [
    "Catalog",
    "Copies",
    "Dataset",
    "Friend",
    "Kind",
    "LeftOut",
    "Partition",
    "PathLike",
    "Places",
    "dataset",
    "fraction_read",
    "friend",
    "one_file",
    "split",
]
