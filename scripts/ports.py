"""Free ports for processes of tests and demos."""

import socket
from random import SystemRandom

_PORTS = range(10_000, 32_000)
"""Below those that operating systems give to connections: one that a killed process has left must not be the port of a
connection when it starts again."""
_random = SystemRandom()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    while True:
        port = _random.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
