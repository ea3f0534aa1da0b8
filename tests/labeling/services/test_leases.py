"""Two people, one image: who may edit, who takes over, who left."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.errors import Forbidden, Invalid, LeaseLost
from labeling.models import Cell, Image, ImageStatus, Presence
from labeling.selectors.presence import Lease
from labeling.services.edits import EditResult, edit_apply
from labeling.services.leases import lease_beat, lease_leave, presences_sweep
from labeling.services.skips import image_skip
from labeling.services.submissions import image_submit
from tests.factories import World, adding, cell, make_ready_image, square

ALICES, BOBS, VERAS = "tab-of-alice", "tab-of-bob-1", "tab-of-vera"


@pytest.fixture
def image(world: World) -> Image:
    return make_ready_image(world.project)


def beat(image: Image, user: Any, session: str, *, may_edit: bool = True, **wishes: bool) -> Lease:
    image.refresh_from_db()
    return lease_beat(image=image, user=user, session=session, may_edit=may_edit, **wishes)


def draw(image: Image, author: Any, session: str | None, *, edit_id: Any = None, x: int = 40) -> EditResult:
    image.refresh_from_db()
    patch = adding(cell(square(x, 40), label=image.next_label))
    return edit_apply(
        image_id=image.pk, author=author, edit_id=edit_id or uuid4(), base_revision=image.revision, patch=patch,
        session=session,
    )  # fmt: skip


def fall_silent(session: str, *, for_s: int = 1) -> None:
    """The tab has not been heard of since its lease ended."""
    past = timezone.now() - timedelta(seconds=for_s)
    assert Presence.objects.filter(session=session).update(expires_at=past) == 1


def test_it_works(world: World, image: Image):
    first = beat(image, world.bob, BOBS)
    second = beat(image, world.alice, ALICES)
    assert (first.mine, second.mine) == (True, False)
    assert second.holder is not None
    assert second.holder.user == world.bob
    assert [row.session for row in second.people] == [BOBS, ALICES]
    assert beat(image, world.bob, BOBS).mine


def test_only_the_holder_edits(world: World, image: Image):
    beat(image, world.bob, BOBS)
    draw(image, world.bob, BOBS)
    with pytest.raises(LeaseLost, match="bob is editing") as caught:
        draw(image, world.alice, ALICES)
    assert caught.value.extra["holder"]["session"] == BOBS
    assert caught.value.extra["revision"] == 2
    assert Cell.objects.filter(image=image).count() == 4


def test_a_session_is_of_no_use_to_somebody_else(world: World, image: Image):
    """Sessions are told to everybody who watches."""
    beat(image, world.bob, BOBS)
    with pytest.raises(LeaseLost):
        draw(image, world.alice, BOBS)
    with pytest.raises(Invalid, match="somebody else's"):
        beat(image, world.alice, BOBS)
    lease_leave(image=image, user=world.alice, session=BOBS)
    assert beat(image, world.bob, BOBS).mine


def test_another_tab_of_the_same_person_is_another_tab(world: World, image: Image):
    beat(image, world.bob, BOBS)
    assert not beat(image, world.bob, "tab-of-bob-2").mine
    with pytest.raises(LeaseLost, match="in another tab"):
        draw(image, world.bob, "tab-of-bob-2")


def test_a_script_edits_when_nobody_holds_the_image(world: World, image: Image):
    draw(image, world.bob, None)
    beat(image, world.alice, ALICES)
    with pytest.raises(LeaseLost, match="Alice Adams"):
        draw(image, world.bob, None)


def test_a_repetition_is_answered_after_the_lease_is_lost(world: World, image: Image):
    """The first answer may have been lost on the way; the client must learn that its edit is stored."""
    edit_id = uuid4()
    beat(image, world.bob, BOBS)
    first = draw(image, world.bob, BOBS, edit_id=edit_id)
    beat(image, world.alice, ALICES, take_over=True)
    assert draw(image, world.bob, BOBS, edit_id=edit_id) == first


def test_a_take_over_ends_the_other_tab_s_right_at_once(world: World, image: Image):
    beat(image, world.bob, BOBS)
    taken = beat(image, world.alice, ALICES, take_over=True)
    assert taken.mine
    assert not beat(image, world.bob, BOBS).mine
    with pytest.raises(LeaseLost, match="Alice Adams"):
        draw(image, world.bob, BOBS)
    draw(image, world.alice, ALICES)


def test_who_falls_silent_loses_it_to_the_next_who_asks(world: World, image: Image):
    beat(image, world.bob, BOBS)
    beat(image, world.alice, ALICES)
    fall_silent(BOBS)
    assert beat(image, world.alice, ALICES).mine
    back = beat(image, world.bob, BOBS)
    assert not back.mine
    assert back.holder is not None
    assert back.holder.session == ALICES


def test_who_falls_silent_alone_gets_it_back(world: World, image: Image):
    beat(image, world.bob, BOBS)
    fall_silent(BOBS)
    draw(image, world.bob, BOBS)  # an edit that was on its way: nobody else had the image
    assert beat(image, world.bob, BOBS).mine


def test_leaving_frees_it(world: World, image: Image):
    beat(image, world.bob, BOBS)
    beat(image, world.alice, ALICES)
    lease_leave(image=image, user=world.bob, session=BOBS)
    lease_leave(image=image, user=world.bob, session=BOBS)
    lease = beat(image, world.alice, ALICES)
    assert lease.mine
    assert [row.session for row in lease.people] == [ALICES]


def test_a_reader_is_seen_and_never_gets_it(world: World, image: Image):
    lease = beat(image, world.vera, VERAS, may_edit=False)
    assert (lease.mine, lease.holder, len(lease.people)) == (False, None, 1)
    assert not beat(image, world.alice, ALICES, want=False).mine
    with pytest.raises(Forbidden):
        beat(image, world.vera, VERAS, may_edit=False, take_over=True)
    assert beat(image, world.bob, BOBS).mine


@pytest.mark.parametrize("session", ["", "short", "x" * 65, "with space in", "né-à-Paris-8"])
def test_a_session_that_cannot_be_is_refused(world: World, image: Image, session: str):
    with pytest.raises(Invalid, match="8 to 64"):
        beat(image, world.bob, session)


def test_a_beat_that_changes_nothing_locks_no_image(world: World, image: Image):
    beat(image, world.bob, BOBS)
    with CaptureQueriesContext(connection) as queries:
        lease_beat(image=image, user=world.bob, session=BOBS, may_edit=True)
    assert len(queries) == 2
    assert not [query for query in queries if "FOR UPDATE" in query["sql"]]


def test_submitting_and_skipping_ask_for_the_lease_too(world: World, image: Image):
    beat(image, world.bob, BOBS)
    with pytest.raises(LeaseLost):
        image_submit(image_id=image.pk, by=world.alice, revision=1, session=ALICES)
    with pytest.raises(LeaseLost):
        image_skip(image_id=image.pk, by=world.alice, reason="Blurred", session=ALICES)
    image_submit(image_id=image.pk, by=world.bob, revision=1, session=BOBS)
    image.refresh_from_db()
    assert image.status == ImageStatus.SUBMITTED


def test_the_database_itself_refuses_two_leases(world: World, image: Image):
    beat(image, world.bob, BOBS)
    with pytest.raises(IntegrityError, match="lease_once_an_image"), transaction.atomic():
        Presence.objects.create(
            image=image, user=world.alice, session=ALICES, holds_lease=True, expires_at=timezone.now()
        )


def test_tabs_that_are_long_gone_are_forgotten(world: World, image: Image):
    beat(image, world.bob, BOBS)
    beat(image, world.alice, ALICES)
    fall_silent(BOBS, for_s=4000)
    assert presences_sweep() == 1
    assert list(Presence.objects.values_list("session", flat=True)) == [ALICES]
