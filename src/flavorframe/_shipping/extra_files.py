"""Files that came along with a run: where they are on this machine."""

from __future__ import annotations

from collections.abc import Mapping

from flavorframe.errors import RunError, did_you_mean

_by_name: dict[str, str] = {}
_by_digest: dict[str, str] = {}


def delivered(name: str) -> str:
    """Return the path, on this machine, of a file that ``run(files=[...])`` brought here.

    ``name`` is the file's name without its folder. For functions of an analysis, which may be
    called on a worker far away, where the file is not where it was. Raises RunError outside a run,
    and for a name that was not given.

    >>> from pathlib import Path
    >>> import flavorframe as ff
    >>> @ff.function
    ... def calibrated(mass):
    ...     return mass * float(Path(ff.delivered("scale.txt")).read_text())
    """
    if name not in _by_name:
        raise RunError(
            f"no file {name!r} came with the run.{did_you_mean(name, _by_name)} Give its path: "
            f"analysis.run(data, files=['.../{name}'])."
        )
    return _by_name[name]


def by_digest(digest: str) -> str | None:
    """Return the path of the file with this SHA-256, where one was delivered."""
    return _by_digest.get(digest)


def known() -> tuple[dict[str, str], dict[str, str]]:
    """Return the paths of files by name and by digest, for another process of this machine."""
    return dict(_by_name), dict(_by_digest)


def replace_all(names: Mapping[str, str], digests: Mapping[str, str]) -> None:
    """Know these files, as another process does, and no others."""
    _by_name.clear()
    _by_digest.clear()
    register(names, digests)


def register(names: Mapping[str, str], digests: Mapping[str, str]) -> None:
    """Note where files are."""
    _by_name.update(names)
    _by_digest.update(digests)


def forget(names: Mapping[str, str], digests: Mapping[str, str]) -> None:
    """Forget files, unless others have taken their place."""
    for known, gone in ((_by_name, names), (_by_digest, digests)):
        for key, path in gone.items():
            if known.get(key) == path:
                del known[key]
