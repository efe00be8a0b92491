"""Fetch what the tests of Apache Flink need: its archives and those of Kafka, and compile this package's Java.

Usage: python -m scripts.flink_archives
"""

import sys
from functools import partial

from scripts.kafka_archives import ArchivesError, class_path
from statefun_runtime.cli.flink.cache_options import default_cache
from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.archives import LOCAL
from statefun_runtime.flink.java_classes import LOCAL_SOURCE, compiled
from statefun_runtime.flink.maven import Archives, Cache
from statefun_runtime.flink.state_bridge import STATE_SOURCE

OPERATOR = Archives(
    "the schema of the Flink Kubernetes Operator", ("org.apache.flink:flink-kubernetes-operator-api:1.10.0",)
)
"""The newest there that has Flink 1.16; only the tests want it."""


def main() -> int:
    cache = Cache(default_cache(), partial(print, flush=True))
    try:
        for source in (LOCAL_SOURCE, STATE_SOURCE):
            compiled(source, cache.jars(LOCAL), cache)
        cache.jars(OPERATOR)
        class_path()
    except (FlinkError, ArchivesError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{LOCAL.name} is in {cache.directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
