"""Talks to a server; knows nothing of how one is built."""
