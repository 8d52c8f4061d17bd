"""One module a command: what it asks, and how it says what came of it."""
