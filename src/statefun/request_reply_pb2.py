"""The generated protocol under the module name of the first Python SDK; the code is in `statefun.protocol`."""

from statefun.protocol.request_reply_pb2 import DESCRIPTOR, Address, FromFunction, ToFunction, TypedValue

__all__ = ["DESCRIPTOR", "Address", "FromFunction", "ToFunction", "TypedValue"]
