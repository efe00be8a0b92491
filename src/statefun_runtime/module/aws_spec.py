"""How a Kinesis ingress or egress reaches AWS: the region and the credentials."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, SecretStr

from statefun_runtime.module.spec import CamelModel, LocalPath, Text


class DefaultRegion(CamelModel):
    """The region that the default provider chain finds."""

    type: Literal["default"] = "default"


class SpecificRegion(CamelModel):
    """A region by its id, such as `eu-central-1`."""

    type: Literal["specific"]
    id: Text


class CustomEndpointRegion(CamelModel):
    """Another server that speaks the protocol of Kinesis, and the region to sign requests for."""

    type: Literal["custom-endpoint"]
    endpoint: Text
    id: Text


class DefaultCredentials(CamelModel):
    """The credentials that the default provider chain finds."""

    type: Literal["default"] = "default"


class BasicCredentials(CamelModel):
    """An access key written into the module file."""

    type: Literal["basic"]
    access_key_id: Text
    secret_access_key: SecretStr


class ProfileCredentials(CamelModel):
    """A profile of an AWS configuration file; without a path, of the file in its usual place."""

    type: Literal["profile"]
    profile_name: Text
    profile_path: LocalPath | None = None


AwsRegion: TypeAlias = Annotated[DefaultRegion | SpecificRegion | CustomEndpointRegion, Field(discriminator="type")]
AwsCredentials: TypeAlias = Annotated[
    DefaultCredentials | BasicCredentials | ProfileCredentials, Field(discriminator="type")
]
