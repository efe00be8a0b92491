"""What may become of a request to Kinesis, by what to do then."""

from typing import cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)

_NO_SUCH_STREAM = frozenset({"ResourceNotFoundException"})
_FORBIDDEN = frozenset({"AccessDeniedException", "AccessDenied", "KMSAccessDeniedException"})
_WRONG_CREDENTIALS = frozenset(
    {
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "UnrecognizedClientException",
    }
)
_REFUSED = frozenset({"InvalidArgumentException", "RequestEntityTooLargeException", "ValidationException", "413"})
_THROTTLED = frozenset(
    {
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
    }
)
_EXPIRED_ITERATOR = "ExpiredIteratorException"


class KinesisError(Exception):
    """A request had no effect that is known of. By itself: try again later, for it is throttled or nobody answers."""


class UnreachableError(KinesisError):
    """There was no answer."""


class ThrottledError(KinesisError):
    """There was more than the stream, the shard or the account may do just now."""


class AccessError(KinesisError):
    """The region, the credentials or their profile are wrong or missing; nothing works before they are mended."""


class StreamError(KinesisError):
    """The stream does not exist, or the credentials do not allow to use it."""


class RefusedError(KinesisError):
    """The request is invalid and will be refused again."""


class ExpiredIteratorError(KinesisError):
    """A shard iterator was kept for longer than Kinesis knows it."""


def kinesis_error(error: BotoCoreError | ClientError) -> KinesisError:
    """The error as one of those above. What botocore says holds no secret."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError | NoRegionError | ProfileNotFound):
        return AccessError(str(error))
    if isinstance(error, ParamValidationError):
        return RefusedError(str(error))
    if not isinstance(error, ClientError):
        return UnreachableError(str(error))
    response = cast("dict[str, dict[str, str]]", error.response)
    code = response.get("Error", {}).get("Code", "")
    text = f"{code}: {response.get('Error', {}).get('Message', '')}"
    return _class_of(code)(text)


def _class_of(code: str) -> type[KinesisError]:
    if code in _WRONG_CREDENTIALS:
        return AccessError
    if code in _NO_SUCH_STREAM or code in _FORBIDDEN:
        return StreamError
    if code in _REFUSED:
        return RefusedError
    if code in _THROTTLED:
        return ThrottledError
    return ExpiredIteratorError if code == _EXPIRED_ITERATOR else KinesisError


def reason_of(error: KinesisError) -> str:
    """Why another attempt is made, in words."""
    if isinstance(error, UnreachableError):
        return "Kinesis does not answer"
    return "Kinesis throttles" if isinstance(error, ThrottledError) else "Kinesis fails"
