"""A worker that does nothing but have a token: what the library adds to a function of its user's own."""

from zendesk_oauth import Connections

connections = Connections.from_environ()


def handler(_event: object, _context: object) -> dict[str, int]:
    """Get the token, and say that it is one."""
    token = connections.token("acme")
    return {"statusCode": 204 if token.value.reveal() else 500}
