"""The stand-in for Zendesk, for the adapters that speak to it."""

from local.zendesk.pytest_plugin import zendesk, zendesk_server, zendesk_settings

__all__ = ["zendesk", "zendesk_server", "zendesk_settings"]
