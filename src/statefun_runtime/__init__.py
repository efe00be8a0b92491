"""The runtime of Stateful Functions: one process that runs an application from its module files."""
