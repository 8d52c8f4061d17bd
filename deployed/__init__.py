"""A deployed stack as whoever has AWS credentials meets it: its account, what it says of itself, and its API.

The operator's command and `make verify-aws` both begin here. The rule: nothing here decides what a refusal means.
"""
