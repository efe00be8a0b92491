"""`statefun send`: one message through the HTTP ingress."""

import http.client
import json
import sys
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import SplitResult, quote, urlsplit

import click

from statefun import StringType
from statefun.primitive_types import PRIMITIVE_TYPES
from statefun.typename import split_typename
from statefun_runtime.cli.address import parse_address
from statefun_runtime.cli.failure import Command, CommandError, ExitCode
from statefun_runtime.module.ingress_spec import PlaygroundIngressSpec

DEFAULT_URL = f"http://127.0.0.1:{PlaygroundIngressSpec().port}"


class Body(NamedTuple):
    """The bytes of a request and what they are."""

    content: bytes
    content_type: str


@click.command(cls=Command)
@click.argument("address", metavar="NAMESPACE/TYPE/ID")
@click.argument("value", metavar="JSON", required=False)
@click.option(
    "--url", envvar="STATEFUN_URL", default=DEFAULT_URL, show_default=True, help="Where the HTTP ingress listens."
)
@click.option("--type", "typename", metavar="NAMESPACE/NAME", help="The typename of the value; without it a string.")
@click.option("--file", "file", metavar="PATH", help="Send the bytes of this file as they are; - is standard input.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the answer.",
)
def send(address: str, value: str | None, url: str, typename: str | None, file: str | None, timeout: float) -> None:
    """Send one message to a function and wait until it is durable.

    The value is JSON. With --type it has that typename: a primitive type of io.statefun.types is encoded as such, any
    other type gets the JSON text as it stands. Without --type the function gets the JSON text as a string.

    \b
    Example:
      statefun send shop/cart/ada '{"item": "socks"}' --type shop/AddToCart
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    typename_of_target, identifier = parse_address(address)
    path = "/" + "/".join(quote(part, safe="") for part in (*typename_of_target.split("/"), identifier))
    body = _body(value, typename, file)
    status, answer = _put(_parse_url(url), path, body, timeout)
    if status >= HTTPStatus.BAD_REQUEST:
        raise CommandError(f"{url} refused the message: {status} {_reason(status)}{_detail(answer)}")
    click.echo(answer.decode(errors="replace").rstrip() or f"{status} {_reason(status)}: the message is durable")


def _body(value: str | None, typename: str | None, file: str | None) -> Body:
    if (value is None) == (file is None):
        raise click.UsageError("give the value either as JSON or with --file")
    if typename is not None:
        _check_typename(typename)
    if file is not None:
        content_type = f"application/vnd.{typename}" if typename else "text/plain; charset=utf-8"
        return Body(_read(file), content_type)
    text = value or ""
    try:
        decoded = json.loads(text)
    except ValueError as error:
        hint = ". A text needs quotes of its own: '\"hello\"'" if "{" not in text else ""
        raise click.BadParameter(f"is not JSON: {error}{hint}", param_hint="JSON") from error
    if typename is None:
        return Body(text.encode(), "application/json")
    return _typed_body(typename, text, decoded)


def _typed_body(typename: str, text: str, decoded: object) -> Body:
    content_type = f"application/vnd.{typename}"
    if typename == StringType.typename:
        if not isinstance(decoded, str):
            raise click.BadParameter(f"a {typename} is a JSON string, this is {text}", param_hint="JSON")
        return Body(StringType.serialize(decoded), content_type)
    if primitive := PRIMITIVE_TYPES.get(typename):
        try:
            return Body(primitive.serialize(decoded), content_type)
        except (TypeError, ValueError) as error:
            raise click.BadParameter(str(error), param_hint="JSON") from error
    return Body(text.encode(), content_type)


def _check_typename(typename: str) -> None:
    try:
        split_typename(typename)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--type") from error


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error


def _parse_url(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError as error:  # a port that is no number
        raise _bad_url(url) from error
    raise _bad_url(url)


def _bad_url(url: str) -> click.BadParameter:
    return click.BadParameter(f"{url!r} is not a URL such as {DEFAULT_URL}", param_hint="--url")


def _put(url: SplitResult, path: str, body: Body, timeout: float) -> tuple[int, bytes]:
    """Send a request; return the status and the body of the answer."""
    connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = connect(url.hostname or "", url.port, timeout=timeout)
    try:
        connection.request("PUT", url.path.rstrip("/") + path, body.content, {"Content-Type": body.content_type})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except TimeoutError as error:
        raise CommandError(
            f"no answer from {url.geturl()} within {timeout:g} s; whether the message was taken is unknown",
            ExitCode.UNREACHABLE,
        ) from error
    except ConnectionRefusedError as error:
        raise CommandError(
            f"nobody listens at {url.geturl()}; start `statefun run`, or say where it listens with --url",
            ExitCode.UNREACHABLE,
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise CommandError(f"{url.geturl()} cannot be reached: {error}", ExitCode.UNREACHABLE) from error
    finally:
        connection.close()


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""


def _detail(answer: bytes) -> str:
    """What an answer says about an error: our ingress writes `{"error": …}`, others whatever they like."""
    text = answer.decode(errors="replace").strip()
    try:
        decoded: object = json.loads(text)
    except ValueError:
        decoded = None
    if isinstance(decoded, dict) and "error" in decoded:
        text = str(cast("dict[str, object]", decoded)["error"])
    return f": {text}" if text else ""
