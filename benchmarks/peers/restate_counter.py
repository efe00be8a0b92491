"""The measured object of Restate; it runs in an environment of its own."""

import restate  # type: ignore[import-not-found]

counter = restate.VirtualObject("counter")


@counter.handler("add")  # type: ignore[untyped-decorator]
async def add(context: restate.ObjectContext, text: str) -> str:
    """Count, and reply with the text and the count."""
    count = (await context.get("count", type_hint=int) or 0) + 1
    context.set("count", count)
    return f"{text} {count}"


app = restate.app(services=[counter])
