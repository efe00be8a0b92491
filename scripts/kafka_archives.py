"""Kafka's archives, fetched once from Maven Central into the user's cache.

`python -m scripts.kafka_archives` fetches them before anything needs them.
"""

import os
import sys
from functools import partial
from pathlib import Path

from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.maven import Archives, Cache

VERSION = "4.1.2"
KAFKA = Archives(
    f"Apache Kafka {VERSION}",
    (
        f"org.apache.kafka:kafka_2.13:{VERSION}",
        # The clients are named too, or the logger brings another version of them.
        f"org.apache.kafka:kafka-clients:{VERSION}",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3",
    ),
)


class ArchivesError(Exception):
    """Kafka's archives cannot be had; the text says why and what to do."""


def class_path() -> str:
    """Java's class path of Kafka, whose archives are fetched unless the cache has them. Raises ArchivesError."""
    try:
        return os.pathsep.join(map(str, _cache().jars(KAFKA)))
    except FlinkError as error:
        raise ArchivesError(str(error)) from error


def _cache() -> Cache:
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Cache(caches / "statefun-tests" / "kafka", partial(print, flush=True))


def main() -> int:
    try:
        class_path()
    except ArchivesError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{KAFKA.name} is in {_cache().directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
