"""S3: the user's keys, as Amazon's own tools find them, and the service that they are for.

Source of the rules: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html.
"""

from __future__ import annotations

import configparser
import functools
import io
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PLACES = "AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or ~/.aws/credentials"
"""Where keys are looked for, for messages."""
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
SETTINGS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
CREDENTIALS_FILE, CONFIG_FILE = "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"
ATTEMPTS = 3
"""How often the service is asked, until it answers."""
AMAZON = "https://s3.amazonaws.com"

_FILES = {CREDENTIALS_FILE: "~/.aws/credentials", CONFIG_FILE: "~/.aws/config"}


def options(patience: float) -> dict[str, Any]:
    """Return what s3fs takes: the keys as they are now, or none for what anybody may read.

    The service may keep silent for ``patience`` seconds in all.
    """
    keys, wait = find_keys(), patience / ATTEMPTS
    retries = {"total_max_attempts": ATTEMPTS}
    config = {"connect_timeout": wait, "read_timeout": wait, "retries": retries}
    shown = (
        {"anon": True} if keys is None else dict(zip(("key", "secret", "token"), keys, strict=True))
    )
    made = {**shown, "endpoint_url": endpoint(), "config_kwargs": config}
    _let_ask_once(made)
    return made


def _let_ask_once(options: dict[str, Any]) -> None:
    """Leave repeating to Amazon's library: s3fs would repeat five times what it repeats five times.

    It keeps what it makes of options, and whoever gives the same is given that.
    """
    from fsspec import filesystem

    filesystem("s3", **options).retries = 1


def is_installed() -> bool:
    """Return whether what reads S3 is there."""
    return find_spec("botocore") is not None


def find_keys() -> tuple[str, str, str | None] | None:
    """Return key, secret and session token; ``None`` where there are none."""
    found = _session(_state()).get_credentials()
    if found is None:
        return None
    frozen = found.get_frozen_credentials()  # those of a role are renewed by themselves
    return frozen.access_key, frozen.secret_key, frozen.token


def endpoint() -> str | None:
    """Return the address of the service; ``None`` for Amazon's."""
    named = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if named:
        return named
    address: str | None = _session(_state()).get_scoped_config().get("endpoint_url")
    return address


def service() -> str:
    """Return the service as messages name it."""
    return f"the S3 service {endpoint() or AMAZON}"


def as_files() -> tuple[bytes, bytes]:
    """Return the keys and the settings as contents of the files of ``~/.aws``, for workers."""
    key, secret, token = find_keys() or ("", "", None)
    keys = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
    region = _session(_state()).get_config_variable("region")
    return _ini(keys), _ini({"region": region, "endpoint_url": endpoint()})


def _ini(values: dict[str, str | None]) -> bytes:
    parser = configparser.RawConfigParser()
    parser["default"] = {name: value for name, value in values.items() if value}
    text = io.StringIO()
    parser.write(text)
    return text.getvalue().encode()


def _state() -> tuple[Any, ...]:
    """Return what the keys depend on, so that new ones are seen."""
    variables = (*KEYS, *SETTINGS, *REGIONS, *_FILES)
    paths = [Path(os.environ.get(name, usual)).expanduser() for name, usual in _FILES.items()]
    changed = [path.stat().st_mtime_ns if path.exists() else None for path in paths]
    return (*(os.environ.get(name) for name in variables), *changed)


@functools.lru_cache(maxsize=1)
def _session(state: tuple[Any, ...]) -> Any:
    from botocore.session import get_session

    return get_session()
