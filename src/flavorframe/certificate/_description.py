"""The lines and tables of a certificate, for text and HTML alike: add a line here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flavorframe._display import Block, Grid, Items, Paragraph, Section
from flavorframe._display.numbers import plural
from flavorframe._expr.texts import shortened

if TYPE_CHECKING:
    from flavorframe.certificate.certificate import Candidate, Certificate, Compared, Difference

IDENTITY = {"run": "run", "luminosity_block": "luminosity block", "event": "event"}
"""The numbers that identify an event, and their common names."""

CSS_CLASS = "ff-certificate"


def description(certificate: Certificate) -> Iterator[Block]:
    """Yield the verdict, the counts at each cut, and the differences."""
    yield Paragraph(_headline(certificate), CSS_CLASS, tag="strong")
    yield _cuts(certificate)
    if certificate.agrees and certificate.outputs:
        yield Items(tuple(map(_output, certificate.outputs)))
    for what in certificate.unread:
        yield Paragraph(f"not read: {what}")
    for difference in certificate.differences:
        yield Section(_where(difference), tuple(_details(difference)))


def _headline(certificate: Certificate) -> str:
    """Return the verdict, in a sentence."""
    names = " and ".join(certificate.engines)
    files = f"{certificate.files} {plural(certificate.files, 'file')}"
    read = f"{files}, {certificate.events:,} events"
    if not certificate.agrees:
        return f"{names} DIFFER on dataset {certificate.dataset} ({read})"
    number = sum(cut.name != "all" for cut in certificate.cuts)
    partly = ", of what could be read" if certificate.unread else ""
    return (
        f"{names} agree on dataset {certificate.dataset} ({read}){partly}: at every one of "
        f"{number} steps, events and candidates are equal"
    )


def _cuts(certificate: Certificate) -> Grid:
    """Return the counts of each engine at each cut."""
    engines, regional = certificate.engines, any(cut.region for cut in certificate.cuts)
    header = [*(["region"] if regional else []), "cut"]
    header += [f"{engine}: {what}" for engine in engines for what in ("events", "cand.")]
    rows = []
    for cut in certificate.cuts:
        names = (cut.region, cut.name) if regional else (cut.name,)
        numbers = [f"{count:,}" for engine in engines for count in cut.counts[engine][:2]]
        rows.append((*names, *numbers, "" if cut.agrees else "differ"))
    return Grid((*header, ""), tuple(rows), labels=1 + regional, css_class=CSS_CLASS)


def _where(difference: Difference) -> str:
    """Return where a difference is: the cut or output, the event, the file."""
    start, stop = difference.events
    entries = f"entry {start}" if stop == start + 1 else f"entries {start} to {stop}"
    place = ", ".join(f"{IDENTITY[name]} {x}" for name, x in difference.identity.items())
    event = (
        f"{place} ({entries} of {difference.file})" if place else f"{entries} of {difference.file}"
    )
    if difference.kind == "failure":
        return f"{difference.file} cannot be read by all"
    formula = f" ({shortened(difference.formula)})" if difference.formula else ""
    in_cut = difference.region and difference.kind == "cut"  # others have it in their names
    region = f" of region {difference.region}" if in_cut else ""
    return f"{difference.kind} {difference.name!r}{region}{formula}: {event}"


def _details(difference: Difference) -> Iterator[str]:
    """Yield the value of each engine, and each candidate on which they disagree."""
    for engine, found in difference.found.items():
        yield f"{engine}: {found}"
    engines = list(difference.found)
    for candidate in difference.candidates:
        yield _candidate(candidate, engines)


def _candidate(candidate: Candidate, engines: list[str]) -> str:
    name = "the event" if candidate.index is None else f"candidate {candidate.index}"
    verdict = ", ".join(
        f"{'kept' if kept else 'not kept'} by {engine}"
        for engine, kept in zip(engines, candidate.kept, strict=True)
    )
    values = ", ".join(f"{name} = {_values(both)}" for name, both in candidate.values.items())
    return f"{name}: {verdict}; {values}" if values else f"{name}: {verdict}"


def _values(both: tuple[Any, ...]) -> str:
    first, *others = (repr(value) for value in both)
    return first if all(other == first for other in others) else " | ".join([first, *others])


def _output(output: Compared) -> str:
    if output.kind == "histogram":
        return f"{output.name}: {output.size} bins are equal, {output.entries:,.6g} entries"
    return f"{output.name}: {output.entries:,.0f} rows of {output.size} columns are equal"
