"""The local stack: the real template on an emulator, a Zendesk of our own, and the demo. Production imports none of it."""
