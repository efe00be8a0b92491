"""Addresses as arguments of commands."""

import click

from statefun_runtime.interfaces import Address


def parse_address(text: str) -> Address:
    """The address that `namespace/type/id` names; the id may contain slashes.

    Raises:
        click.BadParameter: The text is no address.
    """
    parts = text.split("/", 2)
    if len(parts) != 3 or not all(parts):
        raise click.BadParameter(f"{text!r} is not an address; write namespace/type/id", param_hint="address")
    return f"{parts[0]}/{parts[1]}", parts[2]
