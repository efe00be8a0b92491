import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from scripts.ports import free_port
from statefun import BoolType, IntType, StringType
from statefun_runtime.cli.main import main


@dataclass
class Ingress:
    """Records requests and gives one answer to all of them."""

    url: str = ""
    status: int = 202
    answer: bytes = b""
    requests: list[tuple[str, str, str, bytes]] = field(default_factory=list)


@pytest.fixture
def ingress() -> Iterator[Ingress]:
    recorded = Ingress()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            recorded.requests.append((self.command, self.path, self.headers["Content-Type"], body))
            self.send_response(recorded.status)
            self.send_header("Content-Length", str(len(recorded.answer)))
            self.end_headers()
            self.wfile.write(recorded.answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so  # noqa: A002  (the name of the method it overrides)
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        recorded.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield recorded
        server.shutdown()
        thread.join()


def test_json_without_a_type_is_sent_as_it_stands(cli: CliRunner, ingress: Ingress) -> None:
    result = cli.invoke(main, ["send", "shop/cart/ada", '{"item":  "socks"}', "--url", ingress.url])
    assert result.exit_code == 0, result.output
    assert ingress.requests == [("PUT", "/shop/cart/ada", "application/json", b'{"item":  "socks"}')]
    assert result.output == "202 Accepted: the message is durable\n"


def test_a_type_becomes_the_content_type(cli: CliRunner, ingress: Ingress) -> None:
    result = cli.invoke(main, ["send", "shop/cart/ada", "[1]", "--url", ingress.url, "--type", "shop/Items"])
    assert result.exit_code == 0, result.output
    assert ingress.requests == [("PUT", "/shop/cart/ada", "application/vnd.shop/Items", b"[1]")]


@pytest.mark.parametrize(
    ("typename", "json", "body"),
    [
        ("io.statefun.types/int", "42", IntType.serialize(42)),
        ("io.statefun.types/bool", "true", BoolType.serialize(True)),
        ("io.statefun.types/string", '"h\\u00e9"', StringType.serialize("hé")),
    ],
)
def test_a_value_of_a_primitive_type_is_encoded_as_such(
    cli: CliRunner, ingress: Ingress, typename: str, json: str, body: bytes
) -> None:
    result = cli.invoke(main, ["send", "a/b/c", json, "--url", ingress.url, "--type", typename])
    assert result.exit_code == 0, result.output
    assert ingress.requests == [("PUT", "/a/b/c", f"application/vnd.{typename}", body)]


@pytest.mark.parametrize(
    ("typename", "json"),
    [("io.statefun.types/int", "3000000000"), ("io.statefun.types/int", "true"), ("io.statefun.types/string", "1")],
)
def test_a_value_that_is_not_of_its_primitive_type_is_refused(
    cli: CliRunner, ingress: Ingress, typename: str, json: str
) -> None:
    result = cli.invoke(main, ["send", "a/b/c", json, "--url", ingress.url, "--type", typename])
    assert result.exit_code == 2
    assert ingress.requests == []


def test_every_part_of_an_address_is_percent_encoded(cli: CliRunner, ingress: Ingress) -> None:
    cli.invoke(main, ["send", "shop/cart/a b/c?d", "1", "--url", f"{ingress.url}/prefix/"])
    assert [path for _, path, _, _ in ingress.requests] == ["/prefix/shop/cart/a%20b%2Fc%3Fd"]


def test_the_bytes_of_a_file_are_sent_as_they_are(cli: CliRunner, ingress: Ingress, tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_bytes(b"\x00\xff")
    cli.invoke(main, ["send", "a/b/c", "--file", str(file), "--type", "a/Raw", "--url", ingress.url])
    assert ingress.requests == [("PUT", "/a/b/c", "application/vnd.a/Raw", b"\x00\xff")]


def test_a_dash_sends_standard_input_as_text(cli: CliRunner, ingress: Ingress) -> None:
    cli.invoke(main, ["send", "a/b/c", "--file", "-", "--url", ingress.url], input="grüße")
    assert ingress.requests == [("PUT", "/a/b/c", "text/plain; charset=utf-8", "grüße".encode())]


def test_the_url_may_come_from_the_environment(cli: CliRunner, ingress: Ingress) -> None:
    result = cli.invoke(main, ["send", "a/b/c", "1"], env={"STATEFUN_URL": ingress.url})
    assert result.exit_code == 0, result.output
    assert len(ingress.requests) == 1


def test_an_answer_is_printed(cli: CliRunner, ingress: Ingress) -> None:
    ingress.answer = b'{"total": 3}'
    assert cli.invoke(main, ["send", "a/b/c", "1", "--url", ingress.url]).output == '{"total": 3}\n'


def test_a_refusal_is_told_in_the_ingresss_words(cli: CliRunner, ingress: Ingress) -> None:
    ingress.status, ingress.answer = 400, b'{"error": "the path is wrong"}'
    result = cli.invoke(main, ["send", "a/b/c", "1", "--url", ingress.url])
    assert result.exit_code == 1
    assert "refused the message: 400 Bad Request: the path is wrong" in result.output


def test_a_refusal_by_another_server_is_told_as_it_is(cli: CliRunner, ingress: Ingress) -> None:
    ingress.status, ingress.answer = 502, b"upstream gone"
    assert "502 Bad Gateway: upstream gone" in cli.invoke(main, ["send", "a/b/c", "1", "--url", ingress.url]).output


def test_nobody_there_is_exit_code_4_and_says_what_to_start(cli: CliRunner) -> None:
    result = cli.invoke(main, ["send", "a/b/c", "1", "--url", f"http://127.0.0.1:{free_port()}"])
    assert result.exit_code == 4
    assert "start `statefun run`" in result.output


def test_text_that_is_no_json_is_told_to_need_quotes(cli: CliRunner) -> None:
    result = cli.invoke(main, ["send", "a/b/c", "hello"])
    assert result.exit_code == 2
    assert "A text needs quotes of its own" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["a/b", "1"],
        ["a/b/", "1"],
        ["a/b/c"],
        ["a/b/c", "1", "--file", "-"],
        ["a/b/c", "1", "--url", "127.0.0.1:80"],
        ["a/b/c", "1", "--url", "http://host:port"],
        ["a/b/c", "1", "--type", "noslash"],
        ["a/b/c", "1", "--timeout", "0"],
    ],
)
def test_wrong_usage_is_exit_code_2(cli: CliRunner, arguments: list[str]) -> None:
    assert cli.invoke(main, ["send", *arguments]).exit_code == 2


def test_a_file_that_cannot_be_read_is_told(cli: CliRunner, tmp_path: Path) -> None:
    result = cli.invoke(main, ["send", "a/b/c", "--file", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "none cannot be read: No such file or directory" in result.output
