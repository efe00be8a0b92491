"""Changes what a broker allows, as its operator would."""

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

SECONDS = 30.0
WRITE, READ = AclOperation.WRITE, AclOperation.READ


def set_config(address: str, topic: str, name: str, value: str) -> None:
    """Change a setting of a topic."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(SECONDS)


def deny(address: str, topic: str, operation: AclOperation) -> None:
    """Let nobody do something to a topic."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    whose = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:*", "*")
    for future in admin.create_acls([AclBinding(*whose, operation, AclPermissionType.DENY)]).values():
        future.result(SECONDS)
