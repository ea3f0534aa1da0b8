"""Projects and their members."""

import pytest
from django.core.files.storage import default_storage

from labeling.errors import Conflict, Forbidden, Invalid, NotFound
from labeling.models import Cell, Membership, ModelVersion, Project, Role
from labeling.services.projects import (
    member_add,
    member_remove,
    member_set_role,
    project_create,
    project_delete,
    project_update,
)
from labeling.services.submissions import image_submit
from tests.factories import World, make_base, make_ready_image


def test_it_works(world: World):
    newest = make_base(2)
    project = project_create(name="  Tissue ", created_by=world.charlie)
    assert (project.name, project.active_version, project.correction_threshold) == ("Tissue", newest, 200)
    assert Membership.objects.get(project=project).role == Role.OWNER


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_it_rejects_a_name_that_is_none(world: World, name: str):
    with pytest.raises(Invalid):
        project_create(name=name, created_by=world.alice)


@pytest.mark.parametrize("threshold", [0, -1, 10_000_000])
def test_it_rejects_a_threshold_that_makes_no_sense(world: World, threshold: int):
    with pytest.raises(Invalid):
        project_update(project=world.project, correction_threshold=threshold)


def test_deleting_takes_everything_along(world: World, django_capture_on_commit_callbacks):
    image = make_ready_image(world.project)
    image_submit(image_id=image.pk, by=world.bob, revision=1)
    with django_capture_on_commit_callbacks(execute=True):
        project_delete(project=world.project)
    assert not Project.objects.exists()
    assert not Cell.objects.exists()
    assert not default_storage.exists(str(image.file.name))
    assert ModelVersion.objects.filter(pk=world.base.pk).exists()


def test_an_admin_adds_people_up_to_an_admin(world: World):
    member = member_add(project=world.project, username="charlie", role=Role.ADMIN, by_role=Role.ADMIN)
    assert member.user == world.charlie
    with pytest.raises(Forbidden):
        member_set_role(project=world.project, user_id=world.bob.pk, role=Role.OWNER, by_role=Role.ADMIN)


def test_an_admin_cannot_remove_an_owner(world: World):
    with pytest.raises(Forbidden):
        member_remove(project=world.project, user_id=world.alice.pk, by_role=Role.ADMIN)


def test_the_last_owner_stays(world: World):
    with pytest.raises(Conflict, match="owner"):
        member_remove(project=world.project, user_id=world.alice.pk, by_role=Role.OWNER)
    with pytest.raises(Conflict, match="owner"):
        member_set_role(project=world.project, user_id=world.alice.pk, role=Role.VIEWER, by_role=Role.OWNER)


def test_an_owner_may_go_once_there_is_another(world: World):
    member_set_role(project=world.project, user_id=world.bob.pk, role=Role.OWNER, by_role=Role.OWNER)
    member_remove(project=world.project, user_id=world.alice.pk, by_role=Role.OWNER)
    assert world.project.memberships.get(role=Role.OWNER).user == world.bob


def test_nobody_is_in_a_project_twice(world: World):
    with pytest.raises(Conflict, match="already"):
        member_add(project=world.project, username="bob", role=Role.VIEWER, by_role=Role.OWNER)


def test_an_unknown_name_is_told(world: World):
    with pytest.raises(Invalid, match="no user named dora"):
        member_add(project=world.project, username="dora", role=Role.VIEWER, by_role=Role.OWNER)


def test_a_stranger_is_no_member(world: World):
    with pytest.raises(NotFound):
        member_remove(project=world.project, user_id=world.charlie.pk, by_role=Role.OWNER)
