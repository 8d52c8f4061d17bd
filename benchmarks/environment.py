"""The environment of a measured process: what the template sets, by events/env.json, and what Lambda itself sets."""

import json
from collections.abc import Mapping

from benchmarks.artefact import ROOT

_LAMBDA: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_SESSION_TOKEN": "not-a-token",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "AWS_LAMBDA_FUNCTION_NAME": "measured",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "TZ": "UTC",
}
_KEY_ARN = "arn:aws:kms:us-east-1:000000000000:alias/zendesk-oauth-local-tokens"
_OWN: Mapping[str, Mapping[str, str]] = {
    "bare": {"INSTALLS_TABLE": "installs"},
    "bare_read": {"CONNECTIONS_TABLE": "connections", "TOKEN_KEY_ARN": _KEY_ARN},
    "worker": {
        "ZENDESK_OAUTH_APPLICATION": "zendesk-oauth",
        "ZENDESK_OAUTH_STAGE": "local",
        "ZENDESK_OAUTH_BASE_URL": "https://{subdomain}.zendesk.com",
        "ZENDESK_OAUTH_CONNECTIONS_TABLE": "connections",
        "ZENDESK_OAUTH_REFRESH_FUNCTION": "zendesk-oauth-local-refresh",
        "ZENDESK_OAUTH_START_URL": "https://connect.example.com/oauth/start",
        "ZENDESK_OAUTH_TOKEN_KEY_ARN": _KEY_ARN,
    },
}
"""What the benchmark's own handlers are given, as `events/env.json` says it of the functions."""


def of_function(function: str) -> dict[str, str]:
    """Return the variables that a function is given on the local stack, whose stage alone speaks HTTP to loopback."""
    if function in _OWN:
        return dict(_OWN[function])
    by_function: dict[str, dict[str, str]] = json.loads(
        (ROOT / "events" / "env.json").read_text(encoding="utf-8")
    )
    return by_function[f"{function.capitalize()}Function"]


def of_process(function: str, endpoint: str) -> dict[str, str]:
    """Return all variables of a measured process; nothing is taken over from the one that measures.

    AWS and Zendesk are the canned endpoint; the log level is the template's default; no bytecode is written, as
    Lambda's folders are read-only; and hashes are not salted, so that instruction counts repeat.
    """
    own = {
        "AWS_ENDPOINT_URL": endpoint,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "ZENDESK_BASE_URL": f"{endpoint}/{{subdomain}}",
    }
    return {**_LAMBDA, **of_function(function), **own}
