"""The commands in a group, as click finds them."""

import click


def commands_of(group: click.Group) -> dict[str, click.Command]:
    """By name; those of a group that imports late are imported."""
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}
