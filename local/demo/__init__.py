"""The demo: installs played through over HTTP against the deployed template, without a person.

A step is a function in a module by topic; `script.py` is the one place that says which there are and in what order.
"""
