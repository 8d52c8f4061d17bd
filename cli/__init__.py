"""The operator's command, `zendesk-oauth`."""
