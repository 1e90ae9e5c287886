"""The plugin that gives work to Dask's workers that have the same versions as this process.

It travels as source text: a worker may have another flavorframe or none, or a Python that cannot
read the bytecode of this one. So it uses the standard library and Dask alone.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from distributed import WorkerPlugin

REFUSED = "flavorframe refused"
"""What a refused task returns first; the worker's address and the reason follow."""
OTHER_VERSION = "it has "
"""The beginning of the reason where a version differs."""
TASK = (
    "(lambda worker: worker.plugins[run].do(work, items) if run in worker.plugins "
    f"else ({REFUSED!r}, worker.address, ''))(__import__('distributed').get_worker())"
)
"""A task as text for `eval`: call the worker's plugin, or return that it has none yet."""
_UNPACKED = (
    "(exec(text, space := {'__name__': 'flavorframe_worker_plugin'}), "
    "space['SameVersionPlugin'](*state))[1]"
)


class SameVersionPlugin(WorkerPlugin):  # type: ignore[misc]
    """Accepts a worker that has the versions ``wanted``, and gives it the ``content``.

    ``text`` is the source of this module. The ``module`` that takes the content has functions
    ``setup(name, worker, content)`` and ``teardown(name, worker)``.
    """

    def __init__(
        self, text: str, name: str, wanted: Mapping[str, str], module: str, content: bytes
    ) -> None:
        self.text = text
        self.name = name
        self.wanted = wanted
        self.module = module
        self.content = content
        self.refusal = ""

    def __reduce__(self) -> tuple[Any, ...]:
        state = (self.text, self.name, self.wanted, self.module, self.content)
        return eval, (_UNPACKED, {"text": self.text, "state": state})

    def setup(self, worker: Any) -> None:
        """Take the content if the versions are those wanted; raises RuntimeError otherwise."""
        self.address = worker.address
        self.refusal = self.difference() or self.take_content()
        if self.refusal:
            raise RuntimeError(self.refusal)

    def difference(self) -> str:
        """Return which versions differ from those wanted; an empty string if none does."""
        here = _environment()
        other = [
            f"{name} {here.get(name, 'is missing')} instead of {version}"
            for name, version in self.wanted.items()
            if here.get(name) != version
        ]
        return f"{OTHER_VERSION}{', '.join(other)}" if other else ""

    def take_content(self) -> str:
        """Take the content; return the reason if that fails, an empty string otherwise."""
        try:
            import_module(self.module).setup(self.name, self.address, self.content)
        except Exception as error:  # whatever unpacking raises, such as packages that are missing
            return f"{type(error).__name__}: {error}"
        return ""

    def teardown(self, worker: Any) -> None:
        """Have the module forget the content."""
        if not self.refusal:
            import_module(self.module).teardown(self.name, self.address)

    def do(self, work: str, items: bytes) -> Any:
        """Call the function ``work`` of the module on some items, unless the worker was refused."""
        if self.refusal:
            return REFUSED, self.address, self.refusal
        return getattr(import_module(self.module), work)(pickle.loads(items), self.name)


def _environment() -> Mapping[str, str]:
    """Return the versions of this worker, also of an older flavorframe."""
    try:
        from flavorframe._run.dask.worker_tasks import ENVIRONMENT
    except Exception:  # whatever an older or broken installation raises
        return _versions_of_older_flavorframe()
    return ENVIRONMENT


def _versions_of_older_flavorframe() -> dict[str, str]:
    import platform

    python = ".".join(platform.python_version_tuple()[:2])
    try:
        import flavorframe

        return {"Python": python, "flavorframe": f"{flavorframe.__version__} (another)"}
    except Exception:
        return {"Python": python}
