"""What Kinesis answers says what to do."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoRegionError,
    ParamValidationError,
    ProfileNotFound,
)

from statefun_runtime.kinesis.errors import (
    AccessError,
    ExpiredIteratorError,
    KinesisError,
    RefusedError,
    StreamError,
    ThrottledError,
    UnreachableError,
    kinesis_error,
    reason_of,
)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UnrecognizedClientException", AccessError),
        ("InvalidSignatureException", AccessError),
        ("ResourceNotFoundException", StreamError),
        ("AccessDeniedException", StreamError),
        ("ValidationException", RefusedError),
        ("ExpiredIteratorException", ExpiredIteratorError),
        ("ProvisionedThroughputExceededException", ThrottledError),
        ("LimitExceededException", ThrottledError),
        ("InternalFailure", KinesisError),
        ("never heard of", KinesisError),
    ],
)
def test_an_answer_is_told_by_its_code(code: str, kind: type[KinesisError]) -> None:
    error = kinesis_error(ClientError({"Error": {"Code": code, "Message": "why"}}, "GetRecords"))
    assert type(error) is kind
    assert str(error) == f"{code}: why"


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (NoRegionError(), AccessError),
        (ProfileNotFound(profile="p"), AccessError),
        (ParamValidationError(report="why"), RefusedError),
        (EndpointConnectionError(endpoint_url="http://localhost"), UnreachableError),
    ],
)
def test_what_never_reached_kinesis_is_told_by_its_cause(cause: BotoCoreError, kind: type[KinesisError]) -> None:
    assert type(kinesis_error(cause)) is kind


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UnreachableError(), "Kinesis does not answer"),
        (ThrottledError(), "Kinesis throttles"),
        (KinesisError(), "Kinesis fails"),
    ],
)
def test_what_is_tried_again_is_told_in_words(error: KinesisError, reason: str) -> None:
    assert reason_of(error) == reason
