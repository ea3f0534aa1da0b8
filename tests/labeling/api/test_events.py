"""The stream of live events: the state on connect, then what happens."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.test import AsyncClient

from labeling.api import events
from labeling.live import redis_client
from labeling.models import JobKind, Membership
from labeling.services.classes import class_create
from labeling.services.edits import edit_apply
from labeling.services.jobs import job_renew
from labeling.services.leases import lease_beat, lease_leave
from labeling.services.notes import note_create
from tests.factories import World, adding, cell, claim_of, make_image, make_ready_image, make_world, square

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


async def connect(user: Any, world: World):
    client = AsyncClient()
    await sync_to_async(client.force_login)(user)
    return await client.get(
        f"/api/projects/{world.project.pk}/events", headers={"Accept": "text/event-stream"}
    )


async def read(stream: Any, *, pings: bool = False) -> tuple[str, Any]:
    """The next event's name and data; a ping is ("", None)."""
    while True:
        text = (await asyncio.wait_for(anext(stream), timeout=10)).decode()
        if text.startswith(":"):
            if pings:
                return "", None
            continue
        name, data = text.strip().split("\n", 1)
        return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_it_works(world: World):
    image = make_ready_image(world.project)
    waiting = make_image(world.project, seed=1)

    @async_to_sync
    async def watch() -> list[tuple[str, Any]]:
        answer = await connect(world.vera, world)
        assert answer["Content-Type"].startswith("text/event-stream")
        assert answer["X-Accel-Buffering"] == "no"
        stream = aiter(answer.streaming_content)
        seen = [await read(stream)]
        drawn = adding(cell(square(30, 30), label=4))
        await sync_to_async(edit_apply)(
            image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=1, patch=drawn
        )
        seen += [await read(stream), await read(stream)]
        claim = await sync_to_async(claim_of)(waiting, JobKind.INGEST)
        seen += [await read(stream), await read(stream)]
        await sync_to_async(job_renew)(claim=claim, progress=0.4, message="reading")
        seen += [await read(stream), await read(stream)]
        await stream.aclose()
        return seen

    state, edited, edit, claimed, ingesting, renewed, progress = watch()
    assert state[0] == "state"
    assert (state[1]["counts"]["total"], state[1]["cells"]) == (2, 3)
    assert [job["kind"] for job in state[1]["jobs"]] == ["ingest"]
    assert edited == ("image", edited[1])
    assert edited[1]["id"] == str(image.pk)
    assert (edited[1]["status"], edited[1]["revision"], edited[1]["cells"]) == ("in_progress", 2, 4)
    assert edited[1]["outlines_url"].endswith("?rev=2")
    assert (edit[0], edit[1]["image"], edit[1]["revision"]) == ("edit", str(image.pk), 2)
    assert (edit[1]["author"]["name"], edit[1]["session"], edit[1]["source"]) == ("bob", None, "person")
    assert (claimed[0], claimed[1]["status"]) == ("job", "running")
    assert (ingesting[0], ingesting[1]["status"]) == ("image", "ingesting")
    assert (renewed[1]["progress"], renewed[1]["message"]) == (0.4, "reading")
    assert (progress[1]["id"], progress[1]["progress"]) == (str(waiting.pk), 0.4)


def test_it_tells_of_leases_notes_classes_and_proposals(world: World):
    image = make_ready_image(world.project)

    def beat(user: Any, session: str, **wishes: bool) -> None:
        lease_beat(image=image, user=user, session=session, may_edit=True, **wishes)

    @async_to_sync
    async def watch() -> list[tuple[str, Any]]:
        stream = aiter((await connect(world.vera, world)).streaming_content)
        await read(stream)
        seen = []
        await sync_to_async(beat)(world.bob, "tab-of-bob")
        seen.append(await read(stream))
        await sync_to_async(beat)(world.bob, "tab-of-bob")  # nothing new: nothing is sent
        await sync_to_async(beat)(world.alice, "tab-of-alice", take_over=True)
        seen.append(await read(stream))
        await sync_to_async(lease_leave)(image=image, user=world.alice, session="tab-of-alice")
        seen.append(await read(stream))
        await sync_to_async(note_create)(image=image, author=world.bob, text="Blurred")
        seen.append(await read(stream))
        await sync_to_async(class_create)(project=world.project, name="Dead", colour="#000000")
        seen.append(await read(stream))
        await stream.aclose()
        return seen

    came, taken, left, note, classes = watch()
    assert (came[0], came[1]["image"], came[1]["holder"]["name"]) == ("lease", str(image.pk), "bob")
    assert came[1]["taken_from"] is None
    assert (taken[1]["holder"]["session"], taken[1]["taken_from"]) == ("tab-of-alice", "tab-of-bob")
    assert [tab["session"] for tab in taken[1]["people"]] == ["tab-of-bob", "tab-of-alice"]
    assert (left[1]["holder"], len(left[1]["people"])) == (None, 1)
    assert (note[0], note[1]["image"], note[1]["open"]) == ("note", str(image.pk), 1)
    assert classes == ("classes", {})


def test_the_stream_holds_no_database_connection(world: World):
    @async_to_sync
    async def watch() -> bool:
        answer = await connect(world.vera, world)
        stream = aiter(answer.streaming_content)
        await read(stream)
        is_closed = await sync_to_async(lambda: connection.connection is None)()
        await stream.aclose()
        return is_closed

    assert watch()


def test_it_pings_so_that_proxies_keep_it_open(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(events, "PING_EVERY_S", 0.05)

    @async_to_sync
    async def watch() -> tuple[str, Any]:
        stream = aiter((await connect(world.vera, world)).streaming_content)
        await read(stream)
        ping = await read(stream, pings=True)
        await stream.aclose()
        return ping

    assert watch() == ("", None)


def test_someone_who_was_taken_out_sees_no_more(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(events, "PING_EVERY_S", 0.05)
    monkeypatch.setattr(events, "CHECK_ACCESS_EVERY_S", 0.0)

    @async_to_sync
    async def watch() -> bool:
        stream = aiter((await connect(world.vera, world)).streaming_content)
        await read(stream)
        await Membership.objects.filter(user=world.vera).adelete()
        async for _ in stream:
            pass
        return True

    assert watch()


def test_leaving_ends_the_subscription(world: World):
    @async_to_sync
    async def watch() -> tuple[Any, Any]:
        stream = aiter((await connect(world.vera, world)).streaming_content)
        await read(stream)
        during = redis_client().pubsub_channels()
        waiting = asyncio.create_task(read(stream))
        await asyncio.sleep(0.1)
        waiting.cancel()  # what Django's handler does when the client is gone
        for _ in range(50):  # the server notices a closed connection a moment later
            if not redis_client().pubsub_channels():
                break
            await asyncio.sleep(0.05)
        return during, redis_client().pubsub_channels()

    during, after = watch()
    assert (len(during), after) == (1, [])


def test_a_stranger_gets_no_stream(world: World):
    answer = async_to_sync(connect)(world.charlie, world)
    assert (answer.status_code, answer.streaming, answer.json()["code"]) == (404, False, "not_found")


def test_nobody_gets_no_stream(world: World):
    answer = async_to_sync(AsyncClient().get)(f"/api/projects/{world.project.pk}/events")
    assert answer.status_code == 401
