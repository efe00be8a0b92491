"""Errors of the runtime, by who must act on them. Every message says what is wrong, where, and what to do."""


class StatefunRuntimeError(Exception):
    """Root of the runtime's errors."""


class ModuleError(StatefunRuntimeError):
    """The application's module file or functions are wrong: its author acts."""


class ConfigError(StatefunRuntimeError):
    """A setting of the runtime is wrong: whoever starts the runtime acts."""


class StoreError(StatefunRuntimeError):
    """The data directory cannot be used: whoever operates the machine acts."""


class StoreLockedError(StoreError):
    """Another process owns the data directory."""


class DiskError(StoreError):
    """The disk does not take or give data: it is full, read-only or broken. Mended, it takes the next start."""


class DamagedError(StoreError):
    """What is stored is not what was written. Starting again does not help."""


class FormatError(StoreError):
    """A stored record has a format this version does not read."""


class IngressError(StatefunRuntimeError):
    """An ingress cannot go on: its source is gone or is not the one it was."""


class EgressError(StatefunRuntimeError):
    """An egress cannot go on: its sink is gone or is not the one it was."""


class FlinkError(StatefunRuntimeError):
    """Apache Flink cannot be had, does not start or does not do what it was asked."""
