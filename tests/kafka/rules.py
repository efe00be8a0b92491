"""Changes what a broker allows, as its operator would."""

from typing import cast

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

SECONDS = 30.0
WRITE, READ, DESCRIBE = AclOperation.WRITE, AclOperation.READ, AclOperation.DESCRIBE
TOPIC, TRANSACTIONAL_ID = ResourceType.TOPIC, ResourceType.TRANSACTIONAL_ID


def set_config(address: str, topic: str, name: str, value: str) -> None:
    """Change a setting of a topic."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = _admin(address)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(SECONDS)


def deny(address: str, name: str, operation: AclOperation, kind: ResourceType = TOPIC) -> None:
    """Let nobody do something to a topic, or to something of another kind."""
    _rule(address, name, operation, kind, AclPermissionType.DENY)


def allow(address: str, name: str, operation: AclOperation, kind: ResourceType = TOPIC) -> None:
    """Let everybody do something to it; other operations are allowed no more unless they are named too."""
    _rule(address, name, operation, kind, AclPermissionType.ALLOW)


def forget_rules(address: str, name: str, kind: ResourceType = TOPIC) -> None:
    """Let everybody do everything to it again."""
    # The binding's types leave out that a filter may leave open whose and from where.
    every = AclBindingFilter(
        kind, name, ResourcePatternType.LITERAL, cast("str", None), cast("str", None),
        AclOperation.ANY, AclPermissionType.ANY,
    )  # fmt: skip
    admin = _admin(address)
    for future in admin.delete_acls([every]).values():
        future.result(SECONDS)


def _rule(address: str, name: str, operation: AclOperation, kind: ResourceType, permission: AclPermissionType) -> None:
    whose = (kind, name, ResourcePatternType.LITERAL, "User:*", "*")
    admin = _admin(address)
    for future in admin.create_acls([AclBinding(*whose, operation, permission)]).values():
        future.result(SECONDS)


def _admin(address: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": address, "log_level": 0})
