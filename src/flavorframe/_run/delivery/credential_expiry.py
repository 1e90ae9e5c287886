"""Warn of a run that will go on for longer than its credentials are valid, as soon as it shows."""

from __future__ import annotations

import contextlib
import warnings
from datetime import timedelta

from flavorframe._files.remote.times import span
from flavorframe._run.delivery.delivery import Delivery
from flavorframe.errors import CredentialError


class Outlasting:
    """Compares the time that a run will still take with what is left of its credentials."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._told = not delivery.credentials

    def look(self, seconds: float, fraction: float) -> None:
        """Warn, once, where at the rate of the fraction done so far the rest takes too long."""
        if self._told or not fraction:
            return
        needed = timedelta(seconds=seconds * (1 - fraction) / fraction)
        # What is being written just now, or has expired, is told of by those who use it.
        with contextlib.suppress(CredentialError):
            left = self._delivery.current().left
            if left is not None and left < needed:
                self._told = True
                warnings.warn(
                    f"at its rate so far the run takes {span(needed)} more, and the credentials "
                    f"end in {span(left)}: renew them while it goes on.",
                    stacklevel=2,
                )
