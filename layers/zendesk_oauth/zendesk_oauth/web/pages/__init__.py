"""The pages for people: no script, nothing from elsewhere, one small stylesheet inline and allowed by its hash.

Templates are files beside these modules, so that they can be read and edited as what they are.
"""
