"""Generated events that are kept: thousands are made for each sample, however small it is."""

import functools
import importlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

CHUNKS = 16
"""How many chunks are kept, each of some 8 MB."""


def keep_chunks(monkeypatch):
    """Have the last chunks of the generator kept while the patches are in force."""
    module = generator()
    monkeypatch.setattr(module, "_chunk", kept(module._chunk))


def make_chunks_anew(monkeypatch):
    """Have none kept, for tests of the generator itself."""
    module = generator()
    monkeypatch.setattr(module, "_chunk", module._chunk.__wrapped__)


def generator():
    """Return the module, whose name in its package is that of a function."""
    return importlib.import_module("flavorframe.samples.generate")


def kept(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that makes a chunk, made once for each seed of its random numbers."""
    made: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    @functools.wraps(make)
    def chunk(rng, *arguments, **named):
        key = tuple(rng.bit_generator.seed_seq.entropy)
        if key not in made:
            made[key] = make(rng, *arguments, **named)
            close(made[key])
        made.move_to_end(key)
        while len(made) > CHUNKS:
            made.popitem(last=False)
        return made[key]

    return chunk


def close(events):
    """Let nobody write into arrays that others will get as well."""
    columns = [*events.scalars.values(), *events.hlt.values(), *events.l1.values(), events.process]
    for collection in events.collections.values():
        columns += [collection.counts, *collection.fields.values()]
    for values in columns:
        values.flags.writeable = False
