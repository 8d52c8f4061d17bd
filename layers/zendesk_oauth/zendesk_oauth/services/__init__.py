"""One use case a module, its callable the same name. Services know ports and models, and no SDK."""
