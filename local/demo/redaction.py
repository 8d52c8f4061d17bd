"""What the demo prints of addresses and texts: everything but the secrets.

The rule: a query parameter shows its value only where its name is known to be harmless, and whatever still looks like a
secret is covered wherever it stands.
"""

import re
from urllib.parse import parse_qsl, urlsplit

COVER = "•••"
_HARMLESS = frozenset(
    {
        *("subdomain", "grant", "return_to", "result", "install", "error", "error_description"),
        *("response_type", "client_id", "redirect_uri", "scope", "code_challenge_method"),
    }
)
_ONE_USE_SECRET = re.compile(r"\b([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
_LONG = re.compile(r"[A-Za-z0-9_+/=-]{40,}")


def shown_text(text: str) -> str:
    """Return the text with `id.secret` cut down to its id, and every run that is long enough for a secret covered."""
    return _LONG.sub(COVER, _ONE_USE_SECRET.sub(rf"\1.{COVER}", text))


def shown_cookie(header: str) -> str:
    """Return a Set-Cookie header with its value covered."""
    name, _, rest = header.partition("=")
    _, separator, attributes = rest.partition(";")
    return f"{name}={COVER}{separator}{attributes}"


def shown_url(url: str) -> str:
    """Return the address for people: decoded, with room to break lines, and its query covered unless harmless."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = " &".join(f"{name}={value if name in _HARMLESS else COVER}" for name, value in pairs)
    return shown_text(f"{origin}{parts.path}{' ?' if query else ''}{query}")
