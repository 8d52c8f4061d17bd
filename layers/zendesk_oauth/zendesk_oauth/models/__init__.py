"""Frozen values: what the words of the project mean, free of any SDK."""
