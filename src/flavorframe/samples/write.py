"""Write whole samples: a folder of files, their catalogue, and the truth about them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from flavorframe.errors import SampleError
from flavorframe.samples.collisions import DATA_MIXTURE, SIGNAL
from flavorframe.samples.eras import EVENTS_PER_FB, era_named
from flavorframe.samples.files import (
    TREES,
    Compression,
    Format,
    Layout,
    check_decay_fits,
    check_options,
    write_file,
    written,
)
from flavorframe.samples.generate import MAX_FILES, check_decay, check_kind, chunks
from flavorframe.samples.record import LABELS, TRUTH, Array, Decay, Events, Kind

#: What the files of a decay are called.
_TITLES: dict[Decay, str] = {"dsphipi": "PhiPi", "tau3mu": "Tau3Mu"}


def write(
    folder: str | PathLike[str],
    *,
    eras: Iterable[str] = ("2017B",),
    fraction: float = 0.05,
    layout: Layout = "nano",
    format: Format = "ttree",
    files_per_era: int = 2,
    compression: Compression = "zstd",
    seed: int = 2017,
    kind: Kind = "data",
    decay: Decay = "dsphipi",
) -> Path:
    """Write samples of eras into a folder, and return their catalogue, ``catalog.json``.

    ``truth.json`` beside it tells for each era how many collisions of each process were generated,
    and how many candidates of each origin were reconstructed.

    Args:
        folder: Where to write; it is made if need be.
        eras: Eras of data taking, of ``ERAS``.
        fraction: The size with respect to the published data (1.44 million events in 2017B); the
            luminosities [fb⁻¹] of the catalogue are scaled by it.
        layout: How branches are laid out: "nano", "bph", "lhcb" or "belle2".
        format: "ttree" or "rntuple".
        files_per_era: How many files an era has.
        compression: "zstd", "zlib" or "lz4".
        seed: Seed of the random numbers.
        kind: "data", or "simulation", which has as many events as data of that luminosity have
            Ds → φπ.
        decay: "dsphipi" (Ds → φπ), or "tau3mu" (τ → 3μ), which comes in layouts "nano" and "bph".

    Raises:
        SampleError: For an unknown era, kind, decay or size, and where `write_file` raises it.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     catalogue = write(folder, fraction=1e-4)
        ...     sorted(path.name for path in catalogue.parent.iterdir())
        ['SkimPhiPi_Run2017B', 'catalog.json', 'truth.json']
    """
    names = (eras,) if isinstance(eras, str) else tuple(eras)
    sizes = {name: _sizes(name, fraction, files_per_era, kind) for name in names}
    check_options(layout, format, compression)
    check_decay(decay)
    check_decay_fits(layout, decay)
    save = partial(write_file, layout=layout, format=format, compression=compression)
    catalogue, truth = {}, {}
    for name in names:
        entry, tally = _entry(name, fraction, files_per_era, kind, decay), _Tally(decay)
        for number, file in enumerate(entry["files"].split()):
            pieces = chunks(
                sizes[name][number], era=name, seed=seed, kind=kind, file=number, decay=decay
            )
            save(Path(folder, entry["rootpath"], file), events=tally.count(pieces))
        catalogue[name] = entry | {"treename": TREES[layout]}
        truth[name] = vars(tally)
    _write_json(Path(folder, "truth.json"), truth)
    return _write_json(Path(folder, "catalog.json"), catalogue)


class _Tally:
    """What was generated and reconstructed, counted as events pass on their way to a file."""

    def __init__(self, decay: Decay) -> None:
        self.events = self.events_with_candidates = 0
        self.generated = {TRUTH[label]: 0 for label in LABELS[decay]}
        self.candidates = dict(self.generated)

    def count(self, pieces: Iterable[Events]) -> Iterator[Events]:
        for events in pieces:
            self.events += len(events)
            self.events_with_candidates += int((events.triplet.counts > 0).sum())
            _add(self.generated, events.process)
            _add(self.candidates, events.triplet.fields["truth"])
            yield events


def _add(counts: dict[str, int], labels: Array) -> None:
    for label, name in TRUTH.items():
        if name in counts:
            counts[name] += int((labels == label).sum())


def _sizes(name: str, fraction: float, files: int, kind: Kind) -> list[int]:
    if not 0 < fraction < float("inf"):
        raise SampleError(f"fraction={fraction} must be a positive number")
    if not 1 <= files <= MAX_FILES:
        raise SampleError(f"files_per_era={files} must be from 1 to {MAX_FILES}")
    check_kind(kind)
    share = 1.0 if kind == "data" else DATA_MIXTURE["dsphipi"][SIGNAL["dsphipi"]]
    events = round(fraction * era_named(name).lumi * EVENTS_PER_FB * share)
    return [events * (n + 1) // files - events * n // files for n in range(files)]


def _entry(name: str, fraction: float, files: int, kind: Kind, decay: Decay) -> dict[str, Any]:
    title = _TITLES[decay]
    return {
        "type": kind,
        "skim": decay,
        "rootpath": f"Skim{title}_{'Run' if kind == 'data' else 'Simulation'}{name}/",
        "files": " ".join(f"Tree_{title}_{number}.root" for number in range(1, files + 1)),
        "era": name,
        "lumi": round(fraction * era_named(name).lumi, 9),
    }


def _write_json(path: Path, content: dict[str, Any]) -> Path:
    text = json.dumps(content, indent=2)
    return written(path, lambda part: part.write_text(text + "\n", encoding="utf-8"))
