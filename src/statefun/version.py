"""The version of the distribution: of the SDK and of the runtime, which are released together."""

__version__ = "0.1.0"
