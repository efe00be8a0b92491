"""Module files: read, checked as a whole, and turned into specs that the runtime is built from."""
