"""Warnings of the client, as classes, so that they can be turned into errors."""

from __future__ import annotations


class ServerLacks(UserWarning):
    """The server is a plain XNAT and lacks what was asked; the message says what happens instead."""


class SlowPath(UserWarning):
    """It works on this server, but in more requests than it should."""
