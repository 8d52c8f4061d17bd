"""The local stack: the real template on an emulator, a stand-in for Zendesk, the demo.

Production imports none of it.
"""
