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
from statefun_runtime.flink.maven import Cache


def main() -> int:
    cache = Cache(default_cache(), partial(print, flush=True))
    try:
        compiled(LOCAL_SOURCE, cache.jars(LOCAL), cache)
        class_path()
    except (FlinkError, ArchivesError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{LOCAL.name} is in {cache.directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
