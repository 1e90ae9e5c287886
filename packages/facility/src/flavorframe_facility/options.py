"""What users choose when they start a server: the form, and the check of what it sends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import psutil

from flavorframe.errors import FacilityError
from flavorframe_facility.settings import GB, Environment, Settings

if TYPE_CHECKING:
    from jupyterhub.spawner import Spawner

Options = Mapping[str, Any]
Choices = dict[str, dict[str, str]]
"""The text of each choice, by option and value."""


def choices(settings: Settings) -> Choices:
    """Return what can be chosen.

    Args:
        settings: Settings of the facility.

    Returns:
        By name of the option, the text of each choice by its value.

    >>> from flavorframe_facility import settings
    >>> choices(settings.make(folder="/srv/facility", cores=(1, 2)))["cores"]
    {'1': '1 core', '2': '2 cores'}

    """
    return {
        "environment": {known.name: known.title for known in settings.environments},
        "cores": {str(n): "1 core" if n == 1 else f"{n} cores" for n in settings.cores},
        "memory": {str(n): f"{n} GB" for n in settings.memory},
    }


def check(settings: Settings, options: Options) -> dict[str, str]:
    """Return a value of each option: the one that was chosen, or the first of its choices.

    Args:
        settings: Settings of the facility.
        options: Values by name of the option, as a user sent them.

    Raises:
        FacilityError: Something was chosen that is not offered.

    """
    known = choices(settings)
    for name in options:
        if name not in known:
            raise FacilityError(f"a server has no option {_shown(name)}; it has {_listed(known)}.")
    return {name: _choice(settings, name, options.get(name)) for name in known}


def _choice(settings: Settings, name: str, wanted: object) -> str:
    possible = choices(settings)[name]
    if wanted is None:
        return next(iter(possible))
    value = str(wanted) if isinstance(wanted, int) else wanted
    if not isinstance(value, str) or value not in possible:
        raise FacilityError(
            f"{name} {_shown(wanted)} is not offered here: choose {_listed(possible)}."
        )
    if value in too_large(settings).get(name, ()):
        raise FacilityError(f"{possible[value]} are more than this machine has: choose less.")
    return value


def too_large(settings: Settings) -> dict[str, list[str]]:
    """Return the choices, by option, that exceed this machine; the smallest never does."""
    if settings.backend == "kubernetes":
        return {}
    cores, memory = os.cpu_count() or 1, psutil.virtual_memory().total / GB
    return {
        "cores": [str(n) for n in settings.cores if n > max(cores, min(settings.cores))],
        "memory": [str(n) for n in settings.memory if n > max(memory, min(settings.memory))],
    }


def form(settings: Settings) -> str:
    """Return the form that the hub shows before a server starts, as HTML."""
    missing = too_large(settings)
    labels = {"environment": "Software", "cores": "Cores", "memory": "Memory"}
    fields = [
        f'<div class="mb-3"><label for="{name}" class="form-label">{labels[name]}</label>'
        f'<select id="{name}" name="{name}" class="form-select">'
        + "".join(_option(value, text, missing.get(name, ())) for value, text in possible.items())
        + "</select></div>"
        for name, possible in choices(settings).items()
    ]
    return "".join(fields)


def _option(value: str, text: str, missing: Sequence[str]) -> str:
    if value in missing:
        return f'<option value="{escape(value)}" disabled>{escape(text)} (not here)</option>'
    return f'<option value="{escape(value)}">{escape(text)}</option>'


def from_form(settings: Settings) -> Callable[[Mapping[str, Sequence[Any]]], dict[str, str]]:
    """Return the function that reads what the form sends; it answers 400 if that was forged."""

    def read(sent: Mapping[str, Sequence[Any]]) -> dict[str, str]:
        fields = {name: values for name, values in sent.items() if name != "_xsrf"}
        with bad_request():
            for name, values in fields.items():
                if len(values) != 1:
                    raise FacilityError(f"{_shown(name)} was sent {len(values)} times: choose one.")
            return check(settings, {name: values[0] for name, values in fields.items()})

    return read


def apply(settings: Settings) -> Callable[[Spawner, Options], None]:
    """Return the function that sets a spawner's limits and software from the options.

    The options come from the form, or unchecked from a request to the hub's API.
    """

    def set_up(spawner: Spawner, options: Options) -> None:
        with bad_request():
            chosen = check(settings, options)
        spawner.cpu_limit = float(chosen["cores"])
        spawner.mem_limit = int(chosen["memory"]) * GB
        _select(spawner, environment(settings, chosen["environment"]))

    return set_up


def texts(settings: Settings, options: Options) -> list[str]:
    """Return the texts of what was chosen; the value itself if it is no longer offered."""
    known = choices(settings)
    return [known.get(name, {}).get(str(value), str(value)) for name, value in options.items()]


def environment(settings: Settings, name: str) -> Environment:
    """Return the software of that name."""
    return next(known for known in settings.environments if known.name == name)


def _select(spawner: Spawner, chosen: Environment) -> None:
    if chosen.image is not None and spawner.has_trait("image"):
        spawner.image = chosen.image
    if chosen.python is not None and not spawner.has_trait("image"):
        spawner.cmd = [str(chosen.python), "-m", "jupyterhub.singleuser"]


@contextmanager
def bad_request(reason: str = "Not offered here") -> Iterator[None]:
    """Turn a FacilityError into the hub's answer 400, with its text on the page."""
    from tornado.web import HTTPError

    try:
        yield
    except FacilityError as error:
        answer: Any = HTTPError(400, str(error).replace("%", "%%"), reason=reason)
        answer.jupyterhub_message = str(error)
        raise answer from None


def _shown(value: object) -> str:
    """Return what somebody sent, shortened for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
