"""What does not fit a type is refused before it runs."""

from datetime import timedelta

from statefun import Context, IntType, Message, StringType, ValueSpec, make_json_type, simple_type


class Profile:
    pass


SEEN = ValueSpec("seen", IntType)
NAME = ValueSpec("name", StringType)
PROFILE_TYPE = make_json_type("example/profile", Profile)

ValueSpec("seen", "io.statefun.types/int")  # refused
ValueSpec("seen", int)  # refused
ValueSpec("seen")  # refused
ValueSpec("seen", IntType, expire_after_call=5)  # refused
ValueSpec("seen", IntType, timedelta(1), timedelta(1), timedelta(1))  # refused
simple_type("example/blob", serialize_fn=3, deserialize_fn=bytes)  # refused
IntType.serialize("three")  # refused
StringType.serialize(3)  # refused


def storage(context: Context) -> None:
    context.storage.set(SEEN, "three")  # refused
    context.storage.set(NAME, 3)  # refused
    context.storage.set(NAME, None)  # refused
    context.storage.set("name", "Ada")  # refused
    context.storage.get("name")  # refused
    context.storage.remove("name")  # refused
    _ = context.storage.get(SEEN) + 1  # refused
    name: int | None = context.storage.get(NAME)  # refused
    print(name)


def messages(message: Message) -> None:
    length: int = message.as_string()  # refused
    profile: Profile = message.as_type(PROFILE_TYPE)  # refused
    print(length, profile)
    message.as_type("example/profile")  # refused
    message.as_type(Profile)  # refused
