"""The commands `statefun flink …`: one file a command."""
