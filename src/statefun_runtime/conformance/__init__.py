"""Tries whether a function server keeps the protocol: random trees of commands, and what they must have done."""
