"""Builds what each function needs, one module a function, so that `start` never loads what only `callback` uses."""
