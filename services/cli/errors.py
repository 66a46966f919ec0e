"""What the command line says when it cannot do what was asked."""

from __future__ import annotations


class CliError(Exception):
    """One sentence for the person at the keyboard: what is wrong, and what to do about it."""


class NotRunningError(CliError):
    """There is no running Handrail in this home."""


class NotAnsweringError(CliError):
    """A part of the house could not be reached; whether it took what was sent is not known."""
