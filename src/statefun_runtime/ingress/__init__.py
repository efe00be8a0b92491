"""Sources of messages. Each adapter is found by the kind that a module file names."""
