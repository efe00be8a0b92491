"""Calling functions, in process or over HTTP, and serving them over HTTP."""
