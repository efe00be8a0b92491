from statefun_runtime.egress.topics import Topics


def taken(topics: Topics, topic: str) -> bytes | None:
    message = topics.take(topic)
    if message is None:
        return None
    topics.delivered(message)
    return message.body


def test_messages_of_a_topic_come_in_order_and_once() -> None:
    topics = Topics()
    topics.add(1, [("a", b"1"), ("b", b"2"), ("a", b"3")])
    assert [taken(topics, "a"), taken(topics, "a"), taken(topics, "a")] == [b"1", b"3", None]
    assert [taken(topics, "b"), taken(topics, "b"), taken(topics, "c")] == [b"2", None, None]


def test_an_epoch_is_done_when_its_messages_and_those_of_all_earlier_ones_are_delivered() -> None:
    topics = Topics()
    topics.add(3, [("a", b"1")])
    topics.add(5, [("b", b"2")])
    topics.add(6, [])
    assert topics.done() is None
    taken(topics, "b")
    assert topics.done() is None
    taken(topics, "a")
    assert topics.done() == 6
    assert topics.done() is None


def test_an_epoch_without_messages_is_done_at_once() -> None:
    topics = Topics()
    topics.add(4, [])
    assert topics.done() == 4


def test_a_message_that_was_put_back_is_the_next_one_and_keeps_its_epoch() -> None:
    topics = Topics()
    topics.add(1, [("a", b"1"), ("a", b"2")])
    message = topics.take("a")
    assert message is not None
    assert taken(topics, "a") == b"2"
    topics.put_back(message)
    assert topics.done() is None
    assert taken(topics, "a") == b"1"
    assert topics.done() == 1
