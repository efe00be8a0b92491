"""The same application on Apache Flink Stateful Functions: its configuration, its archives, its processes."""
