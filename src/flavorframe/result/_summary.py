"""The summary of a result: one line, and the notes below its cutflow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flavorframe.result.replicas import replicas_notes

if TYPE_CHECKING:
    from flavorframe.result.result import Result


def summary_line(result: Result) -> str:
    """Return events, candidates and luminosity, and whether the result is partial."""
    selected = [
        f"{flow[-1].candidates:,} candidates selected{f' in {region}' if region else ''}"
        for region, flow in result.cutflows.items()
    ]
    text = f"{result.dataset.name}: {result.events:,} events, {', '.join(selected)}"
    if result.luminosity is not None:
        text += f", {result.luminosity:.3g} fb⁻¹"
    if len(result.failures) or result.stopped:
        text += f" — PARTIAL, about {100 * result.fraction:.3g} % of the data"
    if result.stopped:
        text += f" ({result.stopped})"
    if result.unwritten:
        text += f" — PARTIAL, without {', '.join(result.unwritten)}"
    return text


def notes(result: Result) -> Iterator[str]:
    """Yield a note for everything that went wrong, a sentence or a few lines each."""
    if result.failures:
        yield repr(result.failures)
    yield from replicas_notes(result.replicas)
    for name, reason in result.unwritten.items():
        yield f"{name} was not written: {reason}"
    yield from result.warnings
    for name, link in result.links.items():
        if link.unmatched or link.ambiguous:
            yield (
                f"link {name}: of {link.asked:,} candidates {link.unmatched:,} found no element, "
                f"{link.ambiguous:,} more than one"
            )
    if result.events == 0:
        yield "the files hold no events"
        return
    for region, flow in result.cutflows.items():
        empty = next((row.name for row in flow if row.candidates == 0), None)
        if empty is not None:
            yield f"no candidate is left after {empty!r}{f' of {region}' if region else ''}"
