"""A built artefact that is not ours: one small handler, which makes the calls that a test tells it to make."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.artefact import Artefact

_HANDLER = """
import os
from http.client import HTTPConnection
from urllib.parse import urlsplit

events = []


def call(target):
    connection = HTTPConnection(urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc, timeout=5)
    connection.request("POST", "/", "{{}}", {{"X-Amz-Target": target}})
    connection.getresponse().read()
    connection.close()


def handler(event, context):
    events.append(event)
    {body}
    return {{"statusCode": 302, "headers": {{"Location": "https://acme.zendesk.com"}}, "body": ""}}
"""


@pytest.fixture
def artefact(tmp_path: Path) -> Callable[[str], Artefact]:
    """Return what lays out an artefact whose `start` does what the given line says."""

    def lay_out(body: str) -> Artefact:
        folder = tmp_path / "StartFunction" / "start"
        folder.mkdir(parents=True)
        (folder / "app.py").write_text(_HANDLER.format(body=body), encoding="utf-8")
        (tmp_path / "opt").mkdir()
        return Artefact(tmp_path, "x86_64")

    return lay_out
