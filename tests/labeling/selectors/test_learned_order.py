"""Which new images come first, and why."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.db import connection

from labeling.models import Image, ImageStatus, Split
from labeling.selectors.learned_order import PATTERN, Share
from labeling.selectors.queue import UPCOMING, queue
from labeling.services.submissions import image_submit
from tests.factories import World, make_ready_image, make_series


def ready(world: World, number: int, **values: Any) -> list[Image]:
    """Images of the training part that the model has looked at: number n has the uncertainty n / 100, unless told."""
    template = make_ready_image(world.project)
    rows = []
    for index in range(number):
        row = Image(**{field.attname: getattr(template, field.attname) for field in Image._meta.fields})
        row.pk, row.name, row.group_key = uuid4(), f"{index}.png", f"group {index}"
        row.split, row.uncertainty, row.draw = Split.TRAIN, index / 100, (index * 7 % 20) / 20
        for name, value in values.items():
            setattr(row, name, value)
        rows.append(row)
    Image.objects.bulk_create(rows)
    template.delete()
    return rows


def hold_out(*names: str, **values: Any) -> None:
    images = Image.objects.filter(name__in=names)
    images.update(**{"split": Split.HELD_OUT, "uncertainty": None, "blind": True} | values)


def offered(world: World) -> list[tuple[str, str]]:
    return [(item.image.name, item.reason.code) for item in queue(world.project.pk, user=world.bob).upcoming]


def of(code: str, found: list[tuple[str, str]]) -> list[str]:
    return [name for name, why in found if why == code]


def open_first(world: World, count: int) -> None:
    for image in Image.objects.filter(project=world.project).order_by("uncertainty")[:count]:
        image_submit(image_id=image.pk, by=world.bob, revision=image.revision)


def test_half_of_them_are_those_that_the_model_is_unsure_about(world: World):
    ready(world, 20)
    found = offered(world)
    assert len(found) == UPCOMING
    assert [why for _, why in found[1:10]] == [share.code for share in PATTERN[1:]]
    assert of("unsure", found)[:2] == ["19.png", "18.png"]
    unsure = [int(name.removesuffix(".png")) for name in of("unsure", found)]
    assert unsure == sorted(unsure, reverse=True)


def test_a_projects_first_image_is_drawn_by_lot_among_those_that_teach(world: World):
    images = ready(world, 20)
    hold_out("0.png")
    first = min((image for image in images if image.name != "0.png"), key=lambda image: image.draw)
    assert offered(world)[0] == (first.name, "lot")
    open_first(world, 1)
    assert offered(world)[0] != (first.name, "lot")


def test_the_shares_of_ten_images_are_five_two_and_three():
    shares = [PATTERN.count(share) for share in (Share.UNSURE, Share.UNLIKE, Share.LOT)]
    assert shares == [5, 2, 3]


def test_each_reason_is_a_sentence_for_people(world: World):
    ready(world, 20)
    said = {item.reason.detail for item in queue(world.project.pk, user=world.bob).upcoming}
    assert said == {
        "The model is unsure here",
        "Unlike the images labelled so far",
        "Chosen at random, to keep the estimate honest",
    }


def test_the_order_stays_until_somebody_labels(world: World):
    ready(world, 20)
    assert offered(world) == offered(world)


def test_the_pattern_goes_on_with_the_images_that_were_opened(world: World):
    ready(world, 20)
    open_first(world, 2)
    assert offered(world)[0][1] == PATTERN[2].code


def test_held_out_images_come_by_lot_alone_and_before_others(world: World):
    ready(world, 20)
    hold_out("19.png", "18.png", "0.png")
    found = offered(world)
    assert set(of("lot", found)[1:4]) == {"19.png", "18.png", "0.png"}
    assert not {"19.png", "18.png", "0.png"} & {*of("unsure", found), *of("unlike", found)}


def test_every_second_image_is_held_out_until_the_gate_has_enough_to_judge_by(world: World):
    ready(world, 20)
    held_out = {f"{index}.png" for index in range(8)}
    hold_out(*held_out)
    names = [name for name, _ in offered(world)]
    assert [name in held_out for name in names[:10]] == [False, True] * 5
    assert not held_out & {names[10]}
    assert [why for _, why in offered(world)][10:] == [share.code for share in PATTERN[:2]]


def test_held_out_images_that_were_labelled_count_and_those_without_cells_do_not(world: World):
    ready(world, 20)
    hold_out(*(f"{index}.png" for index in range(10)))
    for image in Image.objects.filter(name__in=[f"{index}.png" for index in range(5)]):
        image_submit(image_id=image.pk, by=world.bob, revision=image.revision)
        Image.objects.filter(pk=image.pk).update(cell_count=0 if image.name == "4.png" else 3)
    left = {f"{index}.png" for index in range(5, 10)}
    # Five were opened, so the pattern goes on at its sixth place; one more is needed.
    names = [name for name, _ in offered(world)]
    assert [name in left for name in names[:3]] == [True, False, False]


def test_held_out_images_that_show_outlines_are_not_hurried(world: World):
    ready(world, 20)
    hold_out(*(f"{index}.png" for index in range(8)), blind=False)
    assert [why for _, why in offered(world)][1:10] == [share.code for share in PATTERN[1:]]


def test_an_image_of_another_size_is_unlike_the_labelled_ones(world: World):
    ready(world, 20)
    Image.objects.filter(name="7.png").update(width=4096)
    open_first(world, 4)  # the next in the pattern is the diverse one
    assert offered(world)[0] == ("7.png", "unlike")


def test_an_image_of_a_labelled_group_is_like_it(world: World):
    ready(world, 6)
    Image.objects.exclude(name="3.png").update(group_key="one slide")
    Image.objects.filter(name="3.png").update(uncertainty=0.001, draw=0.99)  # no other share takes it
    open_first(world, 1)
    (unlike, *_) = of("unlike", offered(world))
    assert unlike == "3.png"


def test_images_that_no_model_looked_at_come_by_age(world: World):
    ready(world, 3, uncertainty=None)
    assert [why for _, why in offered(world)] == ["oldest"] * 3


def test_all_images_are_offered_in_the_end_and_none_twice(world: World):
    ready(world, 8)
    Image.objects.filter(name="2.png").update(uncertainty=None)
    found = offered(world)
    assert sorted(name for name, _ in found) == [f"{index}.png" for index in range(8)]
    assert found[-1] == ("2.png", "oldest")


def test_frames_of_a_series_stay_in_their_order(world: World):
    series = make_series(world.project, frames=3)
    Image.objects.filter(series=series).update(status=ImageStatus.READY)
    for frame in Image.objects.filter(series=series):
        Image.objects.filter(pk=frame.pk).update(uncertainty=0.5 + frame.frame / 10)
    assert [why for _, why in offered(world)] == ["oldest"] * 3
    assert [item.image.frame for item in queue(world.project.pk, user=world.bob).upcoming] == [0, 1, 2]


def test_the_most_uncertain_are_found_by_an_index(world: World):
    ready(world, 2)
    waiting = Image.objects.filter(
        project=world.project, status=ImageStatus.READY, uncertainty__isnull=False
    ).order_by("-uncertainty", "-id")[:UPCOMING]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    plan = waiting.explain()
    assert "image_queue_unsure" in plan
    assert "Sort" not in plan
