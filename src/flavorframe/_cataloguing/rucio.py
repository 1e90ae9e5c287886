"""Datasets of Rucio, by its Python client: the places of their files, the nearest first.

The form of the answers: https://rucio.github.io/documentation, ``list_replicas``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from flavorframe._cataloguing import cms
from flavorframe._cataloguing.making import Era
from flavorframe._files.locations import name_key, normalized
from flavorframe.datasets import Places
from flavorframe.errors import DatasetError, FileError, needs

SCHEMES = ("root", "davs", "https", "http")
"""What files are asked for by, of all that Rucio may offer."""
_SHOWN = 3


def of_rucio(did: str, rse: str | None, tree: str | None) -> Era:
    """Return an era of the files of a dataset or container ``SCOPE:NAME``, with their replicas.

    ``rse`` is an expression of Rucio for the storages whose replicas are wanted. Raises
    DatasetError for a dataset without files, and for files without a replica that can be read;
    FileError where Rucio cannot be asked.
    """
    scope, colon, name = did.partition(":")
    if not (colon and scope and name):
        raise DatasetError(f"--rucio {did}: datasets of Rucio are named SCOPE:NAME.")
    files = {each["name"]: _places(each) for each in _replicas(did, scope, name, rse)}
    if not files:
        raise DatasetError(f"--rucio {did}: Rucio knows no file of it.")
    without = [file for file, places in sorted(files.items()) if not places]
    if without:
        more = f" and {len(without) - _SHOWN:,} more" if len(without) > _SHOWN else ""
        where = f" in {rse}" if rse else ""
        raise DatasetError(
            f"--rucio {did}: {len(without):,} of {len(files):,} files have no replica{where} that "
            f"can be read by {', '.join(SCHEMES)}: {', '.join(without[:_SHOWN])}{more}."
        )
    places = tuple(places for _, places in sorted(files.items()))
    return Era(places, tree, is_simulation=cms.is_simulation(name), origin={"rucio": did})


def _replicas(did: str, scope: str, name: str, rse: str | None) -> list[Mapping[str, Any]]:
    try:
        from rucio.client import Client
    except ImportError:
        raise FileError(needs(f"--rucio {did}", "rucio-clients", "rucio")) from None
    try:
        found: Iterable[Mapping[str, Any]] = Client().list_replicas(
            [{"scope": scope, "name": name}],
            schemes=list(SCHEMES),
            rse_expression=rse,
            sort="geoip",
        )
        return list(found)
    except Exception as error:  # the client raises its own, and those of what it is made of
        said = " ".join(str(error).split()) or "no reason given"
        raise FileError(f"--rucio {did}: {said[:500]} ({type(error).__name__})") from error


def _places(replica: Mapping[str, Any]) -> Places:
    """Return where a file is, in Rucio's order, what is on tape last: it takes hours to come."""
    found: Mapping[str, Mapping[str, Any]] = replica.get("pfns") or {}
    order = sorted(
        found, key=lambda url: (found[url].get("type") == "TAPE", found[url].get("priority") or 0)
    )
    places: dict[Hashable, str] = {}
    for place in map(normalized, order):
        places.setdefault(name_key(place), place)
    return tuple(places.values())
