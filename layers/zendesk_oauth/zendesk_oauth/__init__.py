"""OAuth installs into Zendesk accounts: what the Lambda functions know and do.

Importing this package imports nothing else, so that every function pays only for the rooms it uses.
"""
