"""A query string, parsed strictly: what has two readings is refused, so that no second parser reads another one.

Query parsers disagree about repeats, bad percent-encoding and broken UTF-8, and API Gateway's own
`queryStringParameters` joins repeats with commas; hence the raw text is read here, and only once.
"""

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from zendesk_oauth.errors import MalformedRequestError

LONGEST_QUERY = 8192
LONGEST_VALUE = 4096
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def parse_query(unverified_query: str) -> Mapping[str, str]:
    """Return the parameters by name (the form encoding of the URL Standard).

    Raises MalformedRequestError where a name stands twice or is not `[A-Za-z0-9_.-]{1,64}`, where anything is not
    UTF-8 or holds control characters, and over 8192 characters in all or 4096 a value.
    """
    if len(unverified_query) > LONGEST_QUERY:
        raise MalformedRequestError("query too long")
    parameters: dict[str, str] = {}
    for pair in filter(None, unverified_query.split("&")):
        encoded_name, _, encoded_value = pair.partition("=")
        name, value = _decode(encoded_name), _decode(encoded_value)
        if not _NAME.fullmatch(name):
            raise MalformedRequestError("parameter name")
        if name in parameters:
            raise MalformedRequestError("repeated parameter")
        if len(value) > LONGEST_VALUE or _CONTROL.search(value):
            raise MalformedRequestError("parameter value")
        parameters[name] = value
    return parameters


def _decode(encoded: str) -> str:
    try:
        data = encoded.encode()
        if _BROKEN_ESCAPE.search(data):
            raise MalformedRequestError("broken percent-encoding")
        return unquote_to_bytes(data.replace(b"+", b" ")).decode()
    except UnicodeError:
        raise MalformedRequestError("not UTF-8") from None
