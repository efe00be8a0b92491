"""The command `statefun`: one file a command or group of commands."""
