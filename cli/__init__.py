"""The operator's command, `zendesk-oauth`: looks at a deployment, and does what only a person should decide.

The rule: no operator holds a token or the client secret. What needs one is asked of the function `refresh`, and nothing
that is secret is ever shown, but for the address of an invitation, which is made to be handed on. An import has the
tokens of its file, which are the operator's own already.
"""
