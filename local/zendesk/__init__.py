"""A stand-in for Zendesk: its OAuth pages, its token endpoint and a little of its API, on loopback.

The rule: where Zendesk's behaviour is known, the stand-in behaves so; where it is not, a switch shows either answer.
Everything lives in memory, nothing is ever asked of another host, and the subdomain is the first path segment:
`http://127.0.0.1:PORT/{subdomain}/oauth/tokens`.

Run it with `python -m local.zendesk`, or inside a test with `running_zendesk` (see `server`) or the fixture `zendesk`
(see `pytest_plugin`).
"""
