"""Warns as soon as a run will probably take longer than its credentials are valid."""

from __future__ import annotations

import contextlib
import warnings
from datetime import timedelta

from flavorframe._files.remote.times import span
from flavorframe._run.delivery.delivery import Delivery
from flavorframe.errors import CredentialError


class CredentialExpiry:
    """Compares the time that a run will still take with the time left of its credentials."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._has_warned = not delivery.credentials

    def check(self, seconds: float, fraction: float) -> None:
        """Warn once, if the rest takes too long at the rate so far.

        ``fraction`` of the run was done in these ``seconds``.
        """
        if self._has_warned or not fraction:
            return
        needed = timedelta(seconds=seconds * (1 - fraction) / fraction)
        # Credentials that are being renewed, or have expired, are reported where they are used.
        with contextlib.suppress(CredentialError):
            left = self._delivery.current().left
            if left is not None and left < needed:
                self._has_warned = True
                warnings.warn(
                    f"at its rate so far the run takes {span(needed)} more, and the credentials "
                    f"end in {span(left)}: renew them while it goes on.",
                    stacklevel=2,
                )
