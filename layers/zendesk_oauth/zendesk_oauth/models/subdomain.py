"""The subdomain of a Zendesk account.

The client secret is posted to the host that is built from it, so an unchecked subdomain would hand
the secret to a stranger (CVE-2021-30492): a `Subdomain` exists only checked.
"""

import re
from typing import NewType

from zendesk_oauth.errors import SubdomainRefusedError

Subdomain = NewType("Subdomain", str)
"""One DNS label in lower case: what stands before `.zendesk.com`."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PASTED = re.compile(r"(?:https?://)?([a-z0-9-]+)\.zendesk\.com(?:[/?#][\x21-\x7e]*)?")
_LONGEST_PASTED = 2048
_PUNYCODE = "xn--"


def parse_subdomain(unverified_text: str) -> Subdomain:
    """Return the subdomain that a person typed or pasted: `acme`, `acme.zendesk.com` or a whole URL of it.

    Spaces and tabs around it are removed.
    Raises SubdomainRefusedError. Zendesk documents no grammar; one DNS label (RFC 1035 section 2.3.1) is safe.
    """
    text = unverified_text.strip(" \t")
    if len(text) > _LONGEST_PASTED or not text.isascii():
        raise SubdomainRefusedError("not ASCII, or too long")
    pasted = _PASTED.fullmatch(text.lower())
    label = pasted[1] if pasted else text.lower()
    if not _LABEL.fullmatch(label) or label.startswith(_PUNYCODE):
        raise SubdomainRefusedError("not one DNS label")
    return Subdomain(label)


def exact_subdomain(unverified_text: str) -> Subdomain:
    """Return the subdomain that is written in its one exact form, as programs write it.

    Raises SubdomainRefusedError. A path that had two spellings could slip past a policy that names one of them.
    """
    subdomain = parse_subdomain(unverified_text)
    if subdomain != unverified_text:
        raise SubdomainRefusedError("not the exact form")
    return subdomain
