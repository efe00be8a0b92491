"""A real Apache Kafka with listeners of every kind."""

from pathlib import Path

from scripts.kafka_broker import ONE_SMALL_NODE, BrokerProcess
from scripts.ports import free_port
from tests.runtime.endpoint.certificates import make_certificate

USER, PASSWORD = "ada", "s3cret;word"
AWKWARD_USER, AWKWARD_PASSWORD = "eve", """it's "a\\b"; c=d"""
"""Known to the mechanism PLAIN only."""
LISTENERS = """\
listeners=PLAIN://127.0.0.1:{plain},CUT://127.0.0.1:{cut},SASL://127.0.0.1:{sasl},SASLTLS://127.0.0.1:{sasl_tls},\
MUTUAL://127.0.0.1:{mutual},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAIN://127.0.0.1:{plain},CUT://127.0.0.1:{proxy},SASL://127.0.0.1:{sasl},\
SASLTLS://localhost:{sasl_tls},MUTUAL://localhost:{mutual}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAIN:PLAINTEXT,CUT:PLAINTEXT,SASL:SASL_PLAINTEXT,\
SASLTLS:SASL_SSL,MUTUAL:SSL
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl.plain.sasl.jaas.config={plain_login}
listener.name.sasltls.plain.sasl.jaas.config={plain_login}
listener.name.sasl.scram-sha-256.sasl.jaas.config={scram_login}
listener.name.sasltls.scram-sha-256.sasl.jaas.config={scram_login}
listener.name.sasl.scram-sha-512.sasl.jaas.config={scram_login}
listener.name.sasltls.scram-sha-512.sasl.jaas.config={scram_login}
ssl.keystore.type=PEM
ssl.keystore.location={identity}
ssl.truststore.type=PEM
ssl.truststore.location={clients}
listener.name.mutual.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""
LOGIN = "org.apache.kafka.common.security"


class Broker(BrokerProcess):
    """A broker on ports of its own."""

    def __init__(self, directory: Path) -> None:
        names = ("controller", "plain", "cut", "proxy", "sasl", "sasl_tls", "mutual")
        self.ports = {name: free_port() for name in names}
        """By listener; `proxy` is what the listener `cut` says of itself: a test may listen there and pass on."""
        own = make_certificate(directory, "kafka", ["localhost", "127.0.0.1"])
        self.authority = own.cert
        """What clients must trust."""
        self.client = make_certificate(directory, "client", ["client"])
        """What the listener `mutual` trusts."""
        identity = directory / "identity.pem"
        identity.write_bytes(own.key.read_bytes() + own.cert.read_bytes())
        properties = (LISTENERS + ONE_SMALL_NODE).format(
            **self.ports,
            plain_login=_plain_login(),
            scram_login=f"{LOGIN}.scram.ScramLoginModule required;",
            identity=identity,
            clients=self.client.cert,
            logs=directory / "logs",
        )
        users = [f"SCRAM-SHA-{bits}=[name={USER},password={PASSWORD}]" for bits in (256, 512)]
        super().__init__(directory, properties, self.ports["plain"], users)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.ports['plain']}"


def _plain_login() -> str:
    users = {USER: PASSWORD, AWKWARD_USER: AWKWARD_PASSWORD}
    options = " ".join(f'user_{name}="{_escaped(password)}"' for name, password in users.items())
    # A backslash is an escape in the line, and another one in the file that holds it.
    return f"{LOGIN}.plain.PlainLoginModule required {options};".replace("\\", "\\\\")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
