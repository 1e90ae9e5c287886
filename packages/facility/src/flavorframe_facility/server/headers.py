"""Headers of all that the hub and users' servers answer, both of which are Tornado's.

Users' servers load this as an extension, and find the headers in their environment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tornado.httputil import HTTPHeaders
from tornado.web import OutputTransform

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

VARIABLE = "FLAVORFRAME_HEADERS"
"""Environment variable of users' servers with the headers, as JSON."""


def adding(headers: Mapping[str, str]) -> type[OutputTransform]:
    """Return what adds headers to each answer of a Tornado application that does not have them.

    Args:
        headers: The headers.

    """

    class Adding(OutputTransform):
        def transform_first_chunk(
            self, status_code: int, headers_so_far: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            for name, text in headers.items():
                headers_so_far.setdefault(name, text)
            return status_code, headers_so_far, chunk

    return Adding


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    headers = json.loads(os.environ.get(VARIABLE, "{}"))
    server.web_app.transforms.append(adding(headers))
