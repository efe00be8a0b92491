"""Durable tables: the formats of keys and rows, RocksDB, and memory for tests."""
