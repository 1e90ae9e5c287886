"""Certificates as text, for notebooks, and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from flavorframe._expr.texts import shortened
from flavorframe.result._repr_html import gridded
from flavorframe.result._repr_text import Grid, aligned

if TYPE_CHECKING:
    from flavorframe.certificate.certificate import Candidate, Certificate, Difference

IDENTITY = {"run": "run", "luminosity_block": "luminosity block", "event": "event"}


def text(certificate: Certificate) -> str:
    """Return the certificate for a terminal."""
    lines = [headline(certificate), aligned(cuts(certificate))]
    lines += [_output(output) for output in certificate.outputs] if certificate.agrees else []
    lines += [f"not read: {what}" for what in certificate.unread]
    for difference in certificate.differences:
        lines += ["", where(difference), *map("  {}".format, details(difference))]
    return "\n".join(lines)


def html(certificate: Certificate) -> str:
    """Return the certificate as HTML for notebooks and reports."""
    parts = [
        f'<p class="ff ff-certificate"><strong>{escape(headline(certificate))}</strong></p>',
        gridded(cuts(certificate), "ff-certificate"),
    ]
    if certificate.agrees:
        items = "".join(f"<li>{escape(_output(output))}</li>" for output in certificate.outputs)
        parts.append(f"<ul>{items}</ul>" if items else "")
    parts += [f"<p>not read: {escape(what)}</p>" for what in certificate.unread]
    for difference in certificate.differences:
        items = "".join(f"<li>{escape(line)}</li>" for line in details(difference))
        parts.append(f"<h4>{escape(where(difference))}</h4><ul>{items}</ul>")
    return "\n".join(parts)


def page(certificate: Certificate) -> str:
    """Return the certificate as a page of its own."""
    from flavorframe.report.page import environment

    versions = ", ".join(f"{name} {number}" for name, number in certificate.versions.items())
    template = environment().get_template("certificate.html.j2")
    return template.render(certificate=certificate, content=html(certificate), versions=versions)


def headline(certificate: Certificate) -> str:
    """Return the verdict, in a sentence."""
    names = " and ".join(certificate.engines)
    read = (
        f"{certificate.files} file{'s' * (certificate.files != 1)}, {certificate.events:,} events"
    )
    if not certificate.agrees:
        return f"{names} DIFFER on dataset {certificate.dataset} ({read})"
    number = len(certificate.cuts) - 1
    partly = ", of what could be read" if certificate.unread else ""
    return (
        f"{names} agree on dataset {certificate.dataset} ({read}){partly}: at every one of "
        f"{number} steps, events and candidates are equal"
    )


def cuts(certificate: Certificate) -> Grid:
    """Return the counts of each engine at each cut."""
    engines = certificate.engines
    header = ["cut", *(f"{engine}: {what}" for engine in engines for what in ("events", "cand."))]
    rows = []
    for cut in certificate.cuts:
        numbers = [f"{count:,}" for engine in engines for count in cut.counts[engine]]
        rows.append((cut.name, *numbers, "" if cut.agrees else "differ"))
    return Grid((*header, ""), tuple(rows))


def where(difference: Difference) -> str:
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
    return f"{difference.kind} {difference.name!r}{formula}: {event}"


def details(difference: Difference) -> Iterator[str]:
    """Yield what each engine found, and each candidate on which they disagree."""
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


def _output(output: Any) -> str:
    if output.kind == "histogram":
        return f"{output.name}: {output.size} bins are equal, {output.entries:,.6g} entries"
    return f"{output.name}: {output.entries:,.0f} rows of {output.size} columns are equal"
