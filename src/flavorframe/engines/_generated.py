"""What was generated of the events of a file, as the file itself tells."""

from __future__ import annotations

from flavorframe._data_quality.generated import USUAL, Generated
from flavorframe._rootio.open_files import open_file
from flavorframe.errors import FileError


def generated_in(file: str, tree: str | None, where: str) -> Generated | None:
    """Return the sum of generator weights of a file.

    Args:
        file: The path or URL of the file.
        tree: The name of the tree of events.
        where: The branch or histogram that has it, "usual" for where NanoAOD has it, if it does,
            and empty where nobody asks.

    Raises:
        FileError: The file does not have what the catalogue names.
    """
    if not where:
        return None
    opened = open_file(file, tree)
    if where != "usual":
        weights = opened.total(where)
        if weights is None:
            raise FileError(
                f"{file}: there is neither a branch nor a histogram {where!r}, where 'sumw' of the "
                "catalogue says that sums of weights are."
            )
        return Generated(weights, None, where)
    for weights_in, events_in in USUAL:
        weights, events = opened.total(weights_in), opened.total(events_in)
        if weights is not None:
            return Generated(weights, None if events is None else round(events), weights_in)
    return None
