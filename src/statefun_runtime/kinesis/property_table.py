"""Properties of the Java clients by what becomes of them here.

Names: the setters of `com.amazonaws.ClientConfiguration` (SDK 1.12), which the ingress of Flink Stateful Functions
takes, and of `KinesisProducerConfiguration` (KPL 0.14), which its egress takes; both without `set`.
"""

from collections.abc import Mapping
from types import MappingProxyType

INGRESS: Mapping[str, str] = MappingProxyType(
    {
        "ConnectionTimeout": "connect_timeout",
        "SocketTimeout": "read_timeout",
        "MaxConnections": "max_pool_connections",
        "MaxErrorRetry": "max_attempts",
        "ConnectionMaxIdleMillis": "keepalive_timeout",
        "UserAgentSuffix": "user_agent_extra",
        "UseTcpKeepAlive": "tcp_keepalive",
    }
)
"""What the ingress honours: Java's name -> the setting of `Settings`."""

EGRESS: Mapping[str, str] = MappingProxyType(
    {
        "ConnectTimeout": "connect_timeout",
        "RequestTimeout": "read_timeout",
        "MaxConnections": "max_pool_connections",
        "CollectionMaxCount": "most_records",
        "CollectionMaxSize": "most_bytes",
    }
)
"""What the egress honours."""

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "CloudwatchEndpoint": "no metrics are sent to CloudWatch",
        "DnsResolver": "it names Java code",
        "FailIfThrottled": "throttled records are sent again until they are taken",
        "KinesisEndpoint": "set awsRegion to custom-endpoint",
        "KinesisPort": "set awsRegion to custom-endpoint",
        "LocalAddress": "the operating system chooses it",
        "NonProxyHosts": "set the environment variable NO_PROXY",
        "PreemptiveBasicProxyAuth": "set the environment variable HTTPS_PROXY",
        "ProxyDomain": "NTLM is not supported",
        "ProxyHost": "set the environment variable HTTPS_PROXY",
        "ProxyPassword": "set the environment variable HTTPS_PROXY",
        "ProxyPort": "set the environment variable HTTPS_PROXY",
        "ProxyUserName": "set the environment variable HTTPS_PROXY",
        "ProxyUsername": "set the environment variable HTTPS_PROXY",
        "ProxyWorkstation": "NTLM is not supported",
        "RecordTtl": "no record is given up for its age",
        "Region": "set awsRegion",
        "SecureRandom": "it names Java code",
        "SignerOverride": "requests are signed with version 4",
        "VerifyCertificate": "certificates are always verified",
    }
)
"""What cannot be honoured and must not be passed over, with the reason or what to do instead."""

IGNORED = frozenset(
    {
        "AggregationEnabled",
        "AggregationMaxCount",
        "AggregationMaxSize",
        "CacheResponseMetadata",
        "ClientExecutionTimeout",
        "ConnectionTTL",
        "CredentialsRefreshDelay",
        "DisableHostPrefixInjection",
        "DisableSocketProxy",
        "EnableCoreDumps",
        "Gzip",
        "LogLevel",
        "MaxConsecutiveRetriesBeforeThrottling",
        "MetricsGranularity",
        "MetricsLevel",
        "MetricsNamespace",
        "MetricsUploadDelay",
        "MinConnections",
        "NativeExecutable",
        "Protocol",
        "RateLimit",
        "Reaper",
        "RecordMaxBufferedTime",
        "ResponseMetadataCacheSize",
        "RetryMode",
        "RetryPolicy",
        "TempDirectory",
        "ThreadPoolSize",
        "ThreadingModel",
        "ThrottledRetries",
        "UseExpectContinue",
        "UseGzip",
        "UseReaper",
        "UseThrottleRetries",
        "UserAgent",
        "UserAgentPrefix",
        "UserRecordTimeoutInMillis",
        "ValidateAfterInactivityMillis",
    }
)
"""Tuning that has no counterpart here; left out with a warning."""
