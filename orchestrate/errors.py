"""What is told to the user in one line."""

from __future__ import annotations


class OrchestrateError(Exception):
    """Something that the user can read and act on."""


class ConfigError(OrchestrateError):
    """A file or a variable that the user is to correct."""
