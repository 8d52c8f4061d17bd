"""A query string, parsed strictly: what has two readings is refused, so that no second parser reads another one.

Query parsers disagree about repeats, bad percent-encoding and broken UTF-8, and API Gateway's own
`queryStringParameters` joins repeats with commas; hence the raw text is read here, and only once.
A link that a person opens also carries what mailers, chats and statistics append: only a reader's own parameters are
parsed, and any other is ignored, however malformed.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from urllib.parse import unquote_plus, unquote_to_bytes

from zendesk_oauth.errors import MalformedRequestError

LONGEST_QUERY = 10_240
"""In characters: API Gateway's own limit for a request line and all headers together."""
LONGEST_VALUE = 4096
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
"""Not the tab, which a person pastes along with a subdomain."""


def parse_query(unverified_query: str, names: AbstractSet[str] | None = None) -> Mapping[str, str]:
    """Return the parameters by name (the form encoding of the URL Standard): those of `names`, or all if it is None.

    Raises MalformedRequestError where a name stands twice or is not `[A-Za-z0-9_.-]{1,64}`, where it or its value is
    not UTF-8 or holds control characters other than tab, and over 10,240 characters in all or 4,096 a value. A name
    that other parsers read as one of `names` is refused too: `code[]`, `code%00x`, `%20code`.
    """
    if len(unverified_query) > LONGEST_QUERY:
        raise MalformedRequestError("query too long")
    parameters: dict[str, str] = {}
    for pair in filter(None, unverified_query.split("&")):
        encoded_name, _, encoded_value = pair.partition("=")
        if names is not None and _as_others_read(encoded_name) not in names:
            continue
        name, value = _decode(encoded_name), _decode(encoded_value)
        if not _NAME.fullmatch(name) or (names is not None and name not in names):
            raise MalformedRequestError("parameter name")
        if name in parameters:
            raise MalformedRequestError("repeated parameter")
        if len(value) > LONGEST_VALUE or _CONTROL.search(value):
            raise MalformedRequestError("parameter value")
        parameters[name] = value
    return parameters


def _as_others_read(encoded_name: str) -> str:
    """Return the name as lenient parsers see it: without white space around it, and up to a bracket or a NUL."""
    name = unquote_plus(encoded_name)
    return name.partition("[")[0].partition("\x00")[0].strip()


def _decode(encoded: str) -> str:
    try:
        data = encoded.encode()
        if _BROKEN_ESCAPE.search(data):
            raise MalformedRequestError("broken percent-encoding")
        return unquote_to_bytes(data.replace(b"+", b" ")).decode()
    except UnicodeError:
        raise MalformedRequestError("not UTF-8") from None
