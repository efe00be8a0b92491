"""The engine: decides what happens to messages, state and effects, and does no I/O.

It takes values and returns values; clocks, stores, endpoints, ingresses and egresses are driven by whoever owns it
(`runtime.py`, the test kit), which hands in time and replies and carries out what the engine returns.
"""
