"""The plugin that lets a worker take part in a run, and gives it its tasks.

It travels as text: a worker may have another flavorframe or none, or a Python that does not
understand the bytecode of this one. So nothing but the standard library and Dask is used here.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from distributed import WorkerPlugin

REFUSED = "flavorframe refused"
"""The first of what a refused task gives back; the worker and the reason follow."""
OTHER = "it has "
"""What the reason begins with where a version is not the one wanted."""
TASK = (
    "(lambda worker: worker.plugins[run].do(work, items) if run in worker.plugins "
    f"else ({REFUSED!r}, worker.address, ''))(__import__('distributed').get_worker())"
)
"""A task, for `eval`: the plugin does some work on packed items, if the worker has it by now."""
_UNPACKED = (
    "(exec(text, space := {'__name__': 'flavorframe_admission'}), space['Admission'](*state))[1]"
)


class Admission(WorkerPlugin):  # type: ignore[misc]
    """Admits a worker that has the versions ``wanted``, and brings it the content of the run.

    The ``module`` has functions ``setup(name, worker, content)`` and ``teardown(name, worker)``.
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
        """Take the content where the versions are those wanted; raises RuntimeError otherwise."""
        self.address = worker.address
        self.refusal = self.difference() or self.taken()
        if self.refusal:
            raise RuntimeError(self.refusal)

    def difference(self) -> str:
        """Return which versions are not those wanted; an empty string where all are."""
        here = _environment()
        other = [
            f"{name} {here.get(name, 'is missing')} instead of {version}"
            for name, version in self.wanted.items()
            if here.get(name) != version
        ]
        return f"{OTHER}{', '.join(other)}" if other else ""

    def taken(self) -> str:
        """Take the content; return why it cannot be taken, where it cannot."""
        try:
            import_module(self.module).setup(self.name, self.address, self.content)
        except Exception as error:  # whatever unpacking raises, such as packages that are missing
            return f"{type(error).__name__}: {error}"
        return ""

    def teardown(self, worker: Any) -> None:
        """Release what was taken."""
        if not self.refusal:
            import_module(self.module).teardown(self.name, self.address)

    def do(self, work: str, items: bytes) -> Any:
        """Do the work that is named so on some items, unless the worker was refused."""
        if self.refusal:
            return REFUSED, self.address, self.refusal
        return getattr(import_module(self.module), work)(pickle.loads(items), self.name)


def _environment() -> Mapping[str, str]:
    """Return the versions here, also where flavorframe is an older one."""
    try:
        from flavorframe._run.dask.worker_tasks import ENVIRONMENT
    except Exception:  # whatever an older or broken installation raises
        return _of_older_ones()
    return ENVIRONMENT


def _of_older_ones() -> dict[str, str]:
    import platform

    python = ".".join(platform.python_version_tuple()[:2])
    try:
        import flavorframe

        return {"Python": python, "flavorframe": f"{flavorframe.__version__} (another)"}
    except Exception:
        return {"Python": python}
