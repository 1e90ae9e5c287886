"""What was chosen for the Helm chart, as the pods of hub and gateway get it."""

from __future__ import annotations

import json
import os
from typing import Any, TypedDict

from flavorframe.errors import FacilityError

VARIABLE = "FLAVORFRAME_FACILITY"
"""Environment variable of hub and gateway with the choice, as JSON."""


class Pods(TypedDict):
    """What users' servers and workers get: volumes, their mounts, and environment variables."""

    volumes: list[dict[str, Any]]
    mounts: list[dict[str, Any]]
    environment: dict[str, str]


class Choice(TypedDict):
    """The values of the chart that hub and gateway need."""

    settings: dict[str, Any]
    guaranteed_share_of_cores: float
    clusters_namespace: str
    pods: Pods


def choice() -> Choice:
    """Return what was chosen for the chart.

    Raises:
        FacilityError: This is not a pod of the chart.

    """
    text = os.environ.get(VARIABLE)
    if text is None:
        raise FacilityError(
            f"{VARIABLE} is not set: it comes from the ConfigMap flavorframe-facility of the chart."
        )
    return json.loads(text)  # type: ignore[no-any-return]
