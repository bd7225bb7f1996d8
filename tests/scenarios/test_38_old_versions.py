"""38: App update with 300 pending old-version mutations."""

from uuid import UUID

import pytest

from tests.scenarios.handset import statuses


@pytest.fixture
def lifted(services, handset):
    """The server has learnt a second version of `note.add`: what was `body` is `text`."""
    from server.core.wire import Id, Text, WireIn
    from server.sync.registry import Nature
    from server.workorders.mutators import NoteArgs

    class NewNote(WireIn):
        id: Id
        wo: Id
        visit: Id | None = None
        text: Text

    first = services.registry.mutators["note.add", 1]

    async def add(uow, actor, mutation, args):
        old = NoteArgs(id=args.id, wo=args.wo, visit=args.visit, body=args.text)
        return await first.handle(uow, actor, mutation, old)

    services.registry.mutator("note.add", NewNote, add, nature=Nature.EVIDENCE, v=2)
    services.registry.upcaster(
        "note.add", 1, lambda args: {key: it for key, it in args.items() if key != "body"} | {"text": args["body"]}
    )


async def test_38_all_of_them_are_lifted_and_applied_with_the_results_of_the_new_version(handset, lifted):
    old = [handset.note(f"{number:03}") for number in range(300)]
    results = []
    for start in range(0, 300, 100):
        pushed = await handset.push(*old[start : start + 100])
        assert set(statuses(pushed)) == {"applied"}
        results += pushed.json()["results"]
    new = handset.record("note.add", {"id": str(UUID(int=1)), "wo": str(handset.order), "text": "300"}, v=2)
    golden = (await handset.push(new)).json()["results"][0]
    assert all(result.keys() == golden.keys() and result["status"] == golden["status"] for result in results)
    assert await handset.bodies() == [f"{number:03}" for number in range(301)]
    # The log keeps what was said, in the words it was said in.
    assert (await handset.sql("select v, envelope from mutation_log where seq = 1"))[0] == {"v": 1, "envelope": old[0]}
