"""What a real Flink reads from module files: the column `Flink 3.3` of docs/reference/compatibility.md."""

import pytest

from tests.flink.module_reader import KINESIS_RECORD, MESSAGES, ReadFile, below, read_by_flink
from tests.runtime.endpoint.certificates import make_certificate

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(300)]

ENDPOINTS = """\
kind: io.statefun.endpoints.v2/http
spec: {functions: shop/*, urlPathTemplate: "http://h:1/{function.name}", maxNumBatchRequests: 7, unheardOf: 1,
       transport: {type: io.statefun.transports.v1/async, call: 3s}}
---
---
kind: io.statefun.endpoints.v1/http
spec: {functions: shop/cart, urlPathTemplate: "http://h:1/${env:NAME}", maxNumBatchRequests: 9,
       timeouts: {call: 90s}}
"""
TRANSPORTS = """\
kind: io.statefun.endpoints.v2/http
spec:
  functions: shop/async
  urlPathTemplate: "http://h:1/"
  transport: {type: io.statefun.transports.v1/async, timeouts: {call: 3s, connect: 1s}, pool_ttl: 8s, pool_size: 17,
              payload_max_bytes: 99, trust_cacerts: a.pem, client_cert: c.pem, client_key: k.pem,
              client_key_password: p.txt}
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: shop/okhttp
  urlPathTemplate: "http://h:1/"
  transport: {type: io.statefun.transports.v1/okhttp, timeouts: {call: 8s, connect: 5s, read: 6s, write: 7s}}
---
kind: io.statefun.endpoints.v1/http
spec: {functions: shop/one, urlPathTemplate: "http://h:1/", timeouts: {call: 9s, connect: 1s, read: 2s, write: 3s}}
"""
KAFKA = """\
kind: io.statefun.kafka.v1/ingress
spec: {id: shop/in, address: "k:1", consumerGroupId: g, autoOffsetResetPosition: earliest, forwardHeaders: true,
       invalidRecordHandling: {type: skip}, properties: [{max.poll.records: "5"}],
       topics: [{topic: t, valueType: shop/T, targets: [shop/cart]}]}
---
kind: io.statefun.kafka.v1/ingress
spec: {id: shop/offsets, address: "k:1", consumerGroupId: g,
       topics: [{topic: t, valueType: shop/T, targets: [shop/cart]}],
       startupPosition: {type: specific-offsets, offsets: [{t/0: 91}]}}
---
kind: io.statefun.kafka.v1/ingress
spec: {id: shop/date, address: "k:1", consumerGroupId: g,
       topics: [{topic: t, valueType: shop/T, targets: [shop/cart]}],
       startupPosition: {type: date, date: "2026-02-01 04:15:00.000 +0000"}}
---
kind: io.statefun.kafka.v1/egress
spec: {id: shop/out, address: "k:1", properties: [{linger.ms: "3"}],
       deliverySemantic: {type: exactly-once, transactionTimeout: 5min}}
"""
KINESIS = """\
kind: io.statefun.kinesis.v1/ingress
spec: {id: shop/in, awsRegion: {type: custom-endpoint, endpoint: "https://e:1", id: us-west-1},
       awsCredentials: {type: basic, accessKeyId: i, secretAccessKey: s},
       startupPosition: {type: date, date: "2026-02-01 04:15:00.000 +0000"},
       streams: [{stream: s, valueType: shop/T, targets: [shop/cart]}], clientConfigProperties: [{SocketTimeout: "9"}]}
---
kind: io.statefun.kinesis.v1/egress
spec: {id: shop/out, awsRegion: {type: specific, id: us-west-1}, maxOutstandingRecords: 9,
       awsCredentials: {type: profile, profileName: p, profilePath: /x},
       clientConfigProperties: [{ThreadingModel: POOLED}]}
"""
LEGACY = """\
version: "3.0"
module:
  meta: {type: remote}
  spec:
    endpoints: [{endpoint: {meta: {kind: http}, spec: {functions: shop/cart, urlPathTemplate: "http://h:1/"}}}]
"""
PART = """\
kind: io.statefun.endpoints.v2/http
spec: {{functions: shop/{name}, urlPathTemplate: "http://h:1/"}}
"""
LIMITS = {
    "connect": "{call: 5s}",
    "read": "{call: 5s, connect: 5s, read: 6s, write: 5s}",
    "write": "{call: 5s, connect: 5s, read: 5s, write: 6s}",
}
"""Time limits by the one that is longer than that of a call."""
OKHTTP = """\
kind: io.statefun.endpoints.v1/http
spec: {{functions: shop/cart, urlPathTemplate: "http://h:1/", timeouts: {timeouts}}}
"""
ON_CLASS_PATH, LISTED = "classpath:part.yaml", "file:/a.yaml,file:/b.yaml"
CERTIFICATES = """\
kind: io.statefun.endpoints.v2/http
spec:
  functions: shop/{name}
  urlPathTemplate: "https://h:1/"
  transport: {{type: io.statefun.transports.v1/async, trust_cacerts: "{place}ca.pem", client_cert: "{place}ca.pem",
              client_key: "{place}ca.key", client_key_password: "{place}password.txt"}}
"""
WRONG = """\
kind: io.statefun.endpoints.v2/http
spec: {functions: shop/cart, urlPathTemplate: "http://h:1/", maxNumBatchRequests: many}
---
kind: io.statefun.endpoints.v2/http
spec: {functions: nonsense, urlPathTemplate: "http://h:1/"}
"""
ANCHOR = "kind: io.statefun.endpoints.v2/http\nspec: {functions: &name shop/cart, urlPathTemplate: *name}\n"
OWN_KINDS = ("io.statefun.file.v1/ingress", "io.statefun.file.v1/egress", "io.statefun.http.v1/egress")
FILES = {
    "endpoints": ENDPOINTS,
    "transports": TRANSPORTS,
    "kafka": KAFKA,
    "kinesis": KINESIS,
    "legacy": LEGACY,
    "version-1": LEGACY.replace("3.0", "1.0"),
    "version-2": LEGACY.replace("3.0", "2.0"),
    **{f"{name}/part": PART.format(name=name) for name in ("one", "other")},
    **{f"longer-{name}": OKHTTP.format(timeouts=timeouts) for name, timeouts in LIMITS.items()},
    "wrong": WRONG,
    "anchor": ANCHOR,
    "playground": "kind: io.statefun.playground.v1/ingress\nspec: {port: 1, forwardHeaders: true}\n",
    **{kind.replace("/", "-"): f"kind: {kind}\nspec: {{id: shop/own}}\n" for kind in OWN_KINDS},
}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReadFile]:
    directory = tmp_path_factory.mktemp("modules")
    make_certificate(directory, "ca", ["h"], password="opens")
    (directory / "password.txt").write_text("opens")
    places = {"file": f"{directory}/", "classpath": "classpath:", "missing": "classpath:missing/"}
    certificates = {
        f"certificates-{name}": CERTIFICATES.format(name=name, place=place) for name, place in places.items()
    }
    return read_by_flink(directory, {**FILES, **certificates}, ON_CLASS_PATH, LISTED)


def test_flink_reads_endpoints_passes_over_null_documents_and_unknown_properties(read: dict[str, ReadFile]) -> None:
    one, all_others = (
        below(read["endpoints"], f"{path}.endpointSpec") for path in ("functions.shop/cart", "namespaces.shop")
    )
    assert (all_others["targetFunctions"], all_others["maxNumBatchRequests"]) == ("NamespaceTarget", "7")
    assert one["maxNumBatchRequests"] == "9"
    assert all_others["urlPathTemplate.template"] == "http://h:1/{function.name}"
    assert (one["transportClientFactoryType.name"], all_others["transportClientFactoryType.name"]) == (
        "okhttp",
        "async",
    )
    assert '"timeouts":{"call":"90s"}' in one["transportClientProps"]
    assert '"call":"3s"' in all_others["transportClientProps"]
    assert "unheardOf" not in str(read["endpoints"])


def test_flink_reads_the_properties_of_its_transports(read: dict[str, ReadFile]) -> None:
    transports = {
        name: below(read["transports"], f"functions.shop/{name}.endpointSpec.transport")
        for name in ("async", "okhttp", "one")
    }
    assert transports["async"] == {
        "callTimeout": "PT3S",
        "connectTimeout": "PT1S",
        "pooledConnectionTTL": "PT8S",
        "connectionPoolMaxSize": "17",
        "maxRequestOrResponseSizeInBytes": "99",
        "trustedCaCerts": "a.pem",
        "clientCerts": "c.pem",
        "clientKey": "k.pem",
        "clientKeyPassword": "p.txt",
    }
    for name, (call, connect, reading, writing) in {"okhttp": (8, 5, 6, 7), "one": (9, 1, 2, 3)}.items():
        assert below(transports[name], "timeouts") == {
            "callTimeout": f"PT{call}S",
            "connectTimeout": f"PT{connect}S",
            "readTimeout": f"PT{reading}S",
            "writeTimeout": f"PT{writing}S",
        }


@pytest.mark.parametrize("limit", LIMITS)
def test_flinks_okhttp_transport_takes_no_limit_that_is_longer_than_that_of_a_call(
    read: dict[str, ReadFile], limit: str
) -> None:
    assert f"{limit.title()} timeout cannot be larger than request timeout." in read[f"longer-{limit}"]["error"]


@pytest.mark.parametrize("place", ["file", "classpath", "missing"])
def test_flink_reads_certificates_from_files_and_from_its_class_path(read: dict[str, ReadFile], place: str) -> None:
    context = read[f"certificates-{place}"][f"functions.shop/{place}.endpointSpec.ssl"]
    assert ("SslClientContext" in context) == (place != "missing"), context


def test_flink_reads_one_module_file_or_all_of_one_name_on_its_class_path(read: dict[str, ReadFile]) -> None:
    template = "endpointSpec.urlPathTemplate.template"
    found = {name: read[ON_CLASS_PATH].get(f"functions.shop/{name}.{template}") for name in ("one", "other")}
    assert found == dict.fromkeys(found, "http://h:1/")
    assert "FileNotFoundException" in read[LISTED]["error"]


def test_flink_takes_all_parts_of_a_record_of_kinesis(read: dict[str, ReadFile]) -> None:
    assert read[KINESIS_RECORD] == {
        "partition_key": "key",
        "value_bytes": "value",
        "stream": "stream",
        "explicit_hash_key": "7",
    }


def test_flinks_messages_have_no_headers(read: dict[str, ReadFile]) -> None:
    assert read[MESSAGES] == {"TypedValue": "typename has_value value", "KafkaProducerRecord": "key value_bytes topic"}


def test_flink_takes_placeholders_as_they_stand_and_does_not_resolve_aliases(read: dict[str, ReadFile]) -> None:
    template = "functions.shop/cart.endpointSpec.urlPathTemplate.template"
    assert read["endpoints"][template] == "http://h:1/${env:NAME}"
    assert read["anchor"][template] == "name"


def test_flink_reads_the_legacy_format_from_3_0_on(read: dict[str, ReadFile]) -> None:
    assert read["legacy"]["functions.shop/cart.endpointSpec.urlPathTemplate.template"] == "http://h:1/"
    for version in ("1", "2"):
        assert "Only format versions higher than or equal to 3.0" in read[f"version-{version}"]["error"]


def test_flink_tells_the_first_wrong_value_alone(read: dict[str, ReadFile]) -> None:
    assert 'from String "many"' in read["wrong"]["error"]
    assert "nonsense" not in read["wrong"]["error"]


@pytest.mark.parametrize("kind", OWN_KINDS)
def test_flink_refuses_a_kind_that_no_extension_brings(read: dict[str, ReadFile], kind: str) -> None:
    namespace, _, name = kind.partition("/")
    assert (
        f"An extension with type TypeName({namespace}, {name}) does not exist" in read[f"{namespace}-{name}"]["error"]
    )


def test_flink_reads_a_kafka_ingress_and_passes_over_what_is_this_runtimes_own(read: dict[str, ReadFile]) -> None:
    assert "error" not in read["kafka"], read["kafka"]
    ingress = below(read["kafka"], "ingress.shop/in")
    assert below(ingress, "properties") == {
        "max.poll.records": "5",
        "group.id": "g",
        "bootstrap.servers": "k:1",
        "auto.offset.reset": "earliest",
    }
    assert ingress["startupPosition"] == "LatestPosition"
    assert ingress["topics.0"] == "t"
    assert not {"forwardHeaders", "invalidRecordHandling"} & {part for path in ingress for part in path.split(".")}
    offsets, date = (below(read["kafka"], f"ingress.shop/{name}") for name in ("offsets", "date"))
    assert (offsets["startupPosition"], date["startupPosition"]) == ("SpecificOffsetsPosition", "DatePosition")
    assert date["startupPosition.date"] == "2026-02-01T04:15Z"
    assert "91" in below(offsets, "startupPosition").values()


def test_flink_reads_a_kafka_egress(read: dict[str, ReadFile]) -> None:
    egress = below(read["kafka"], "egress.shop/out")
    assert (egress["semantic"], egress["semantic.transactionTimeout"]) == ("ExactlyOnce", "PT5M")
    assert (egress["kafkaAddress"], egress["properties.linger.ms"]) == ("k:1", "3")


def test_flink_reads_a_kinesis_ingress(read: dict[str, ReadFile]) -> None:
    ingress = below(read["kinesis"], "ingress.shop/in")
    region, credentials = below(ingress, "awsRegion.value"), below(ingress, "awsCredentials.value")
    assert region == {"serviceEndpoint": "https://e:1", "regionId": "us-west-1"}
    assert credentials == {"accessKeyId": "i", "secretAccessKey": "s"}
    assert ingress["startupPosition.date"] == "2026-02-01T04:15Z"
    assert (ingress["streams.0"], ingress["properties.SocketTimeout"]) == ("s", "9")
    assert ingress["deserializer.routingConfigs.s.typeUrl_"] == "shop/T"


def test_flink_reads_a_kinesis_egress(read: dict[str, ReadFile]) -> None:
    egress = below(read["kinesis"], "egress.shop/out")
    assert below(egress, "awsRegion") == {"regionId": "us-west-1"}
    assert below(egress, "awsCredentials") == {"profileName": "p", "profilePath": "/x"}
    assert egress["maxOutstandingRecords"] == "9"
    assert egress["clientConfigurationProperties.ThreadingModel"] == "POOLED"


def test_the_playgrounds_ingress_of_a_local_flink_passes_over_headers(read: dict[str, ReadFile]) -> None:
    assert "error" not in read["playground"]
    assert "forwardHeaders" not in str(read["playground"])
