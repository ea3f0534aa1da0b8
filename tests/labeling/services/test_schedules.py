"""A project's schedule, as beat reads it from the database."""

from datetime import UTC, datetime, timedelta

import pytest
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from backend.celery import app
from labeling.errors import Invalid
from labeling.models import Project
from labeling.services.loop_settings import loop_settings_set
from labeling.services.projects import project_create, project_delete, project_update
from labeling.services.schedules import TASK
from tests.factories import World


def entry(world: World):
    """What beat makes of the project's periodic task; None if there is none."""
    return DatabaseScheduler(app=app, lazy=True).all_as_schedule().get(f"train-project-{world.project.pk}")


def test_beat_finds_the_schedule(world: World):
    hour = datetime.now(UTC).hour  # beat reads from the database only what comes within two hours
    loop_settings_set(project=world.project, train_schedule=f"30 {hour} * * 1")
    found = entry(world)
    assert (found.task, found.kwargs) == (TASK, {"project_id": str(world.project.pk)})
    assert (found.options["queue"], found.options["expires"]) == ("ingest", 3600)
    sunday = datetime(2030, 1, 6, 12, tzinfo=UTC)
    found.last_run_at = sunday
    assert not found.schedule.is_due(sunday).is_due
    assert found.schedule.remaining_estimate(sunday) > timedelta(0)
    assert (found.schedule.hour, found.schedule.minute, found.schedule.day_of_week) == ({hour}, {30}, {1})


def test_a_new_schedule_is_not_due_for_what_the_old_one_did_not_do(world: World):
    loop_settings_set(project=world.project, train_schedule="0 2 1 1 *")
    PeriodicTask.objects.update(last_run_at=datetime(2020, 1, 1, tzinfo=UTC))
    loop_settings_set(project=world.project, train_schedule="0 3 1 1 *")
    assert PeriodicTask.objects.get(name__startswith="train-project").last_run_at.year > 2020


def test_other_settings_leave_the_schedule_alone(world: World):
    loop_settings_set(project=world.project, train_schedule="0 2 1 1 *")
    before = PeriodicTask.objects.get(name__startswith="train-project").date_changed
    project_update(project=world.project, name="Other", correction_threshold=100)
    loop_settings_set(project=world.project, deep=True, train_schedule="0 2 1 1 *")
    assert PeriodicTask.objects.get(name__startswith="train-project").date_changed == before


def test_without_a_schedule_beat_knows_nothing_of_the_project(world: World):
    loop_settings_set(project=world.project, train_schedule="0 2 * * *")
    loop_settings_set(project=world.project, train_schedule="")
    assert entry(world) is None


def test_a_deleted_project_takes_its_schedule_along(world: World):
    other = project_create(name="Other", created_by=world.alice)
    loop_settings_set(project=other, train_schedule="0 2 * * *")
    loop_settings_set(project=world.project, train_schedule="0 2 * * *")
    project_delete(project=world.project)
    assert [task.name for task in PeriodicTask.objects.filter(task=TASK)] == [f"train-project-{other.pk}"]


@pytest.mark.parametrize(
    "values",
    [
        {"train_schedule": "every night"}, {"correction_threshold": 0}, {"held_out_target": -1},
        {"presegmentation": "sometimes"},
    ],
    ids=lambda values: next(iter(values)),
)  # fmt: skip
def test_a_setting_that_cannot_be_changes_nothing(world: World, values: dict[str, object]):
    with pytest.raises(Invalid):
        loop_settings_set(project=world.project, deep=True, **values)
    assert not Project.objects.get(pk=world.project.pk).deep
