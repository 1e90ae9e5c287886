"""Headers by which browsers treat all that a facility answers more strictly.

Sources: RFC 6797 (HSTS), https://www.rfc-editor.org/rfc/rfc6797; the Fetch and HTML standards,
https://fetch.spec.whatwg.org/#x-content-type-options-header and
https://html.spec.whatwg.org/#cross-origin-opener-policies; and Referrer Policy,
https://www.w3.org/TR/referrer-policy/.
"""

from __future__ import annotations

from flavorframe_facility.settings import Settings

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}
TLS_ALONE = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
"""For a year, browsers use nothing but TLS for the name of the facility and all names below it."""


def of(settings: Settings) -> dict[str, str]:
    """Return the headers of a facility.

    >>> from flavorframe_facility.settings import make
    >>> sorted(of(make(folder="/srv/facility")))
    ['Cross-Origin-Opener-Policy', 'Referrer-Policy', 'X-Content-Type-Options']
    """
    # Not for localhost, a name that each machine has for programs of all kinds.
    known = settings.domain is not None and not settings.domain.endswith("localhost")
    return {**ALWAYS, **(TLS_ALONE if known and settings.url.startswith("https:") else {})}
