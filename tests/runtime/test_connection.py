"""What an adapter tells of its connection."""

from statefun_runtime.connection import Connection


def test_nothing_is_shown_of_an_adapter_that_tells_nothing() -> None:
    assert Connection().as_json() is None


def test_it_is_connected_from_the_first_success_on() -> None:
    connection = Connection()
    assert connection.state == "connecting"
    assert not connection.works("brokers")
    assert connection.state == "connected"


def test_a_problem_is_new_once_and_keeps_the_moment_when_it_began() -> None:
    connection = Connection()
    assert connection.failed("brokers", "no broker can be reached")
    began = connection.problems["brokers"].since
    assert not connection.failed("brokers", "no broker can be reached", "again")
    assert connection.failed("brokers", "the login is refused", "no such user")
    assert connection.problems == {"brokers": (began, "the login is refused", "no such user")}
    assert connection.state == "trying"
    assert connection.errors == 3


def test_a_vague_reason_does_not_replace_one_that_says_more_but_is_the_last_error() -> None:
    connection = Connection()
    connection.failed("brokers", "the login is refused")
    connection.failed("brokers", "no broker can be reached", is_vague=True)
    assert connection.problems["brokers"].reason == "the login is refused"
    assert connection.last_error == "no broker can be reached"


def test_it_tries_until_the_last_problem_is_over() -> None:
    connection = Connection()
    connection.failed("topic a", "the topic does not exist")
    connection.failed("topic b", "the topic does not exist")
    assert connection.works("topic a")
    assert connection.state == "trying"
    assert connection.works("topic b")
    assert connection.state == "connected"
    assert not connection.works("topic b")


def test_the_status_has_everything() -> None:
    connection = Connection()
    connection.works("brokers")
    connection.failed("topic a", "the topic does not exist")
    connection.lag = {"b/0": 7}
    since = connection.since
    assert connection.as_json() == {
        "state": "trying",
        "since": since,
        "errors": 1,
        "last_error": "the topic does not exist",
        "problems": {
            "topic a": {
                "since": connection.problems["topic a"].since,
                "reason": "the topic does not exist",
                "detail": "",
            }
        },
        "lag": {"b/0": 7},
    }
