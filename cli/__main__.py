"""`python -m cli`, which is `zendesk-oauth`."""

from cli.app import main

main()
