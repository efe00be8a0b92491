import asyncio
import socket
from pathlib import Path

from statefun.protocol.request_reply_pb2 import ToFunction
from statefun_runtime.endpoint.http import HttpEndpoint
from statefun_runtime.interfaces import Batch, Effects, FailureKind, Reply
from tests.runtime.endpoint.scripted_server import (
    batch,
    call,
    calling,
    failure,
    ok,
    read_request,
    reply_bytes,
    saying,
    serving,
    settings,
    started,
    text_of,
)

TRANSIENT, PERMANENT, UNREACHABLE = FailureKind.TRANSIENT, FailureKind.PERMANENT, FailureKind.UNREACHABLE


async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await read_request(reader)
        writer.write(ok(reply_bytes()))


async def test_a_call_sends_what_flink_sends_and_hands_on_the_effects() -> None:
    requests: list[bytes] = []

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(ok(reply_bytes()))

    async with calling(conversation) as (endpoint, server):
        assert text_of(await call(endpoint)) == b"done"
        head, _, body = requests[0].partition(b"\r\n\r\n")
        assert head.split(b"\r\n") == [
            b"POST /statefun HTTP/1.1",
            b"host: 127.0.0.1:%d" % server.port,
            b"user-agent: statefun",
            b"accept: application/octet-stream",
            b"accept-encoding: gzip,deflate",
            b"content-type: application/octet-stream",
            b"content-length: %d" % len(body),
        ]
        assert ToFunction.FromString(body).invocation.invocations[0].argument.value == b"hello"


async def test_an_empty_complete_body_means_no_effects() -> None:
    for response in (ok(b""), b"HTTP/1.1 204 No Content\r\n\r\n"):
        async with calling(saying(response)) as (endpoint, _):
            effects = await call(endpoint)
            assert isinstance(effects, Effects)
            assert effects.egresses == []


async def test_a_connection_is_used_again() -> None:
    async with calling(answer_all) as (endpoint, server):
        for _ in range(5):
            assert text_of(await call(endpoint)) == b"done"
        assert server.connections == 1


async def test_a_connection_is_not_used_again_when_the_server_says_so() -> None:
    closing = saying(ok(reply_bytes(), b"Connection: close\r\n"))
    async with calling(closing, answer_all) as (endpoint, server):
        assert text_of(await call(endpoint)) == b"done"
        assert text_of(await call(endpoint)) == b"done"
        assert server.connections == 2


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    closed = asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ok(reply_bytes()))
        assert await reader.read() == b""
        closed.set()

    async with calling(conversation, pool_ttl=20) as (endpoint, _):
        await call(endpoint)
        await closed.wait()


async def test_bytes_on_an_idle_connection_do_not_answer_the_next_call() -> None:
    left = asyncio.Event()

    async def chatty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ok(reply_bytes(b"first")))
        await writer.drain()
        await answered.wait()
        writer.write(ok(reply_bytes(b"nobody asked")))
        await reader.read()
        left.set()

    answered = asyncio.Event()
    async with calling(chatty, saying(ok(reply_bytes(b"second")))) as (endpoint, _):
        assert text_of(await call(endpoint)) == b"first"
        answered.set()
        await left.wait()
        assert text_of(await call(endpoint)) == b"second"


async def test_a_reply_with_bytes_after_it_counts_but_its_connection_is_not_used_again() -> None:
    talkative = saying(ok(reply_bytes(b"first")) + ok(reply_bytes(b"nobody asked")))
    async with calling(talkative, saying(ok(reply_bytes(b"second")))) as (endpoint, server):
        assert text_of(await call(endpoint)) == b"first"
        assert text_of(await call(endpoint)) == b"second"
        assert server.connections == 2


async def test_an_idle_connection_that_closes_as_the_request_leaves_is_replaced_once() -> None:
    async def close_on_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ok(reply_bytes(b"first")))
        await read_request(reader)

    async with calling(close_on_second, saying(ok(reply_bytes(b"second")))) as (endpoint, server):
        assert text_of(await call(endpoint)) == b"first"
        assert text_of(await call(endpoint)) == b"second"
        assert server.connections == 2


async def test_a_replaced_connection_that_closes_too_is_a_transient_failure() -> None:
    async def close_on_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ok(reply_bytes()))
        await read_request(reader)

    async with calling(close_on_second, saying(stay=False), answer_all) as (endpoint, server):
        await call(endpoint)
        failure(await call(endpoint), TRANSIENT)
        assert server.connections == 2


async def test_a_reply_that_began_on_an_idle_connection_is_not_asked_for_again_at_once() -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ok(reply_bytes()))
        await read_request(reader)
        writer.write(b"HTTP/1.1 200")

    async with calling(break_off, answer_all) as (endpoint, server):
        await call(endpoint)
        failure(await call(endpoint), TRANSIENT)
        assert server.connections == 1


async def test_calls_beyond_the_limit_wait_in_order() -> None:
    seen: list[bytes] = []
    both, gate = asyncio.Event(), asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = ToFunction.FromString((await read_request(reader)).partition(b"\r\n\r\n")[2])
            seen.append(request.invocation.invocations[0].argument.value)
            if len(seen) == 2:
                both.set()
            await gate.wait()
            writer.write(ok(reply_bytes()))

    async with calling(conversation, conversation, pool_size=2) as (endpoint, server):
        calls = [asyncio.create_task(call(endpoint, batch(b"%d" % n))) for n in range(6)]
        await both.wait()
        assert sorted(seen) == [b"0", b"1"]
        gate.set()
        await asyncio.gather(*calls)
        assert server.connections == 2
        assert sorted(seen[2:4]) == [b"2", b"3"]
        assert sorted(seen[4:]) == [b"4", b"5"]


async def test_a_call_made_from_within_a_reply_may_use_the_same_connection() -> None:
    async with calling(answer_all) as (endpoint, server):
        replies: list[Reply] = []
        done = asyncio.Event()

        def again(sent: Batch, reply: Reply) -> None:
            replies.append(reply)
            if len(replies) < 10:
                endpoint.invoke(sent, again)
            else:
                done.set()

        endpoint.invoke(batch(), again)
        await done.wait()
        assert [text_of(reply) for reply in replies] == [b"done"] * 10
        assert server.connections == 1


async def test_a_call_that_takes_too_long_is_transient_and_closes_its_connection() -> None:
    closed = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        assert await reader.read() == b""
        closed.set()

    async with calling(silent, answer_all, call_timeout=30) as (endpoint, _):
        assert "time limit" in failure(await call(endpoint), TRANSIENT).reason
        await closed.wait()


async def test_a_server_that_falls_silent_is_given_up_after_the_read_timeout() -> None:
    async with calling(saying(b"HTTP/1.1 200 OK\r\n"), read_timeout=30, write_timeout=30) as (endpoint, _):
        failure(await call(endpoint), TRANSIENT)


async def test_a_server_that_does_not_read_is_given_up_after_the_write_timeout() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await given_up.wait()

    given_up = asyncio.Event()
    async with calling(deaf, read_timeout=10_000, write_timeout=50) as (endpoint, _):
        failure(await call(endpoint, batch(b"x" * (16 << 20))), TRANSIENT)
        given_up.set()


async def test_nobody_at_the_port_is_unreachable() -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        async with started(HttpEndpoint(f"http://127.0.0.1:{taken.getsockname()[1]}/", settings())) as endpoint:
            assert "cannot connect to 127.0.0.1" in failure(await call(endpoint), UNREACHABLE).reason


async def test_a_missing_socket_and_a_dead_one_are_unreachable(tmp_path: Path) -> None:
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as unheard:
        unheard.bind(str(dead))
    for file in (tmp_path / "missing.sock", dead):
        async with started(HttpEndpoint(f"http+unix://{file}/", settings())) as endpoint:
            assert str(file) in failure(await call(endpoint), UNREACHABLE).reason


async def test_a_host_name_that_does_not_resolve_is_unreachable() -> None:
    async with started(HttpEndpoint("http://nobody.invalid/", settings())) as endpoint:
        failure(await call(endpoint), UNREACHABLE)


async def test_a_connection_that_is_not_taken_in_time_is_unreachable() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.socket() as first:
            first.connect(full.getsockname())
            url = f"http://127.0.0.1:{full.getsockname()[1]}/"
            async with started(HttpEndpoint(url, settings(connect_timeout=50))) as endpoint:
                assert "time limit" in failure(await call(endpoint), UNREACHABLE).reason


async def test_calls_go_over_a_unix_socket(tmp_path: Path) -> None:
    requests: list[bytes] = []

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(ok(reply_bytes()))

    file = tmp_path / "functions.sock"
    async with (
        serving(conversation, socket=file),
        started(HttpEndpoint(f"http+unix://{file}/functions/{{function.name}}", settings())) as endpoint,
    ):
        assert text_of(await call(endpoint)) == b"done"
    assert requests[0].startswith(b"POST /functions/greeter HTTP/1.1\r\nhost: localhost\r\n")


async def test_a_large_request_and_a_large_reply_go_through() -> None:
    text = bytes(range(256)) * 20_000

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = ToFunction.FromString((await read_request(reader)).partition(b"\r\n\r\n")[2])
        writer.write(ok(reply_bytes(request.invocation.invocations[0].argument.value)))
        await writer.drain()
        await reader.read()

    async with calling(conversation) as (endpoint, _):
        assert text_of(await call(endpoint, batch(text))) == text


async def test_a_connection_whose_server_answered_early_is_not_used_again() -> None:
    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n")
        await answered.wait()

    answered = asyncio.Event()
    async with calling(hasty, answer_all) as (endpoint, server):
        failure(await call(endpoint, batch(b"x" * (16 << 20))), PERMANENT)
        assert text_of(await call(endpoint)) == b"done"
        assert server.connections == 2
        answered.set()


async def test_a_name_that_cannot_be_in_the_url_fails_its_batch_alone() -> None:
    async with started(HttpEndpoint("http://{function.name}.invalid/", settings())) as endpoint:
        reason = failure(await call(endpoint, batch(typename="example/evil.org#")), PERMANENT).reason
        assert "cannot be part of a host name" in reason
        failure(await call(endpoint, batch(typename="example/fine")), UNREACHABLE)


async def test_an_identifier_that_is_not_text_fails_its_batch_alone() -> None:
    async with calling(answer_all) as (endpoint, _):
        failure(await call(endpoint, batch(identifier="\ud800")), PERMANENT)
        assert text_of(await call(endpoint)) == b"done"


async def test_no_reply_comes_after_stop_and_all_connections_are_closed() -> None:
    closed = asyncio.Event()
    arrived = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        arrived.set()
        assert await reader.read() == b""
        closed.set()

    replies: list[Reply] = []
    async with serving(silent) as server:
        endpoint = HttpEndpoint(f"http://127.0.0.1:{server.port}/", settings(pool_size=1))
        await endpoint.start()
        endpoint.invoke(batch(), lambda _, reply: replies.append(reply))
        endpoint.invoke(batch(), lambda _, reply: replies.append(reply))
        await arrived.wait()
        endpoint.invoke(batch(), lambda _, reply: replies.append(reply))
        await endpoint.stop()
        await closed.wait()
    assert replies == []


async def test_stop_while_connecting_gives_no_reply() -> None:
    replies: list[Reply] = []
    async with serving(answer_all) as server:
        endpoint = HttpEndpoint(f"http://127.0.0.1:{server.port}/", settings())
        await endpoint.start()
        endpoint.invoke(batch(), lambda _, reply: replies.append(reply))
        await endpoint.stop()
    assert replies == []
