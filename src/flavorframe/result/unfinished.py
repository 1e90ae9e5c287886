"""What `resume` needs to go on with a result that was saved unfinished."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from flavorframe.errors import RunError


@dataclass(frozen=True)
class Unfinished:
    """What is needed to go on with a result that was loaded: a file's content, not unpacked.

    Attributes:
        path: The file.
        content: Its content.
        sha256: The SHA-256 that it should have; empty where none was saved.
        refused: Why it must not be unpacked; empty where it may be.
    """

    path: Path
    content: bytes = field(repr=False)
    sha256: str = ""
    refused: str = ""

    def checked(self) -> bytes:
        """Return the content; raises RunError where it is refused, or not this result's."""
        if self.refused:
            raise RunError(self.refused)
        if self.sha256 and sha256(self.content).hexdigest() != self.sha256:
            raise RunError(
                f"{self.path} does not hold an unfinished run of this result: it was removed, "
                "changed, or is of another run. Run the analysis anew."
            )
        return self.content
