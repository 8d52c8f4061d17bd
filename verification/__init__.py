"""Tries on a real account what nobody may do there: `make verify-aws STACK=…`.

It is written for whoever has an account; no emulator knows the conditions that it is about.
The rule: it makes throwaway roles and no rows, spends no token, prints no answer, and leaves nothing behind.
"""
