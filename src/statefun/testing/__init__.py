"""Tests functions in plain pytest, without a server: one call, or a whole application in virtual time."""

from statefun.testing.application import Application
from statefun.testing.call import DelayedMessage, Outcome, call

__all__ = ["Application", "DelayedMessage", "Outcome", "call"]
