"""Requests of clients as addresses of a function type of the runtime's own, so that they are as durable as the rest."""
