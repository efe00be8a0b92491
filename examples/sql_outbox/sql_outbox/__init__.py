"""Adapters for tables of SQLite: an ingress that reads one from a position, an egress that writes one exactly once."""
