import pytest
from confluent_kafka import KafkaError

from statefun_runtime.connection import Connection
from statefun_runtime.kafka.errors import ALL_BROKERS_DOWN, AUTHENTICATION, TRANSPORT, UNKNOWN_TOPIC
from statefun_runtime.kafka.reasons import BROKERS, plain, tell


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (ALL_BROKERS_DOWN, "no broker can be reached"),
        (AUTHENTICATION, "the login is refused"),
        (UNKNOWN_TOPIC, "the topic does not exist"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "this user may not use the topic"),
    ],
)
def test_a_reason_has_plain_words_and_those_of_the_client(code: int, words: str) -> None:
    connection = Connection()
    assert tell(connection, BROKERS, KafkaError(code, "said so"))
    assert connection.problems[BROKERS][1:] == (words, "said so")
    assert plain(KafkaError(code, "said so")) == connection.last_error == f"{words} (said so)"


def test_an_error_without_plain_words_keeps_those_of_the_client() -> None:
    assert plain(KafkaError(KafkaError.NOT_CONTROLLER, "said so")) == "said so"


def test_that_nobody_answers_does_not_replace_a_refused_login() -> None:
    connection = Connection()
    tell(connection, BROKERS, KafkaError(AUTHENTICATION))
    assert not tell(connection, BROKERS, KafkaError(TRANSPORT))
    assert connection.problems[BROKERS].reason == "the login is refused"


def test_another_reason_is_news_and_another_wording_is_not() -> None:
    connection = Connection()
    tell(connection, BROKERS, KafkaError(TRANSPORT, "after 1 ms"))
    assert not tell(connection, BROKERS, KafkaError(TRANSPORT, "after 2 ms"))
    assert tell(connection, BROKERS, KafkaError(AUTHENTICATION))
