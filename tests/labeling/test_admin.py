"""Django's admin: every list and every page opens, and what services write is read-only there."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from labeling.models import Image, Job, ModelVersion, Project, TrainingRun
from tests.factories import World, make_user
from tests.labeling.services.test_training import complete, start, submit_two

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def client(world: World) -> Client:
    submit_two(world)
    complete(*start(world))
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_every_list_opens(client: Client, model):
    meta = model._meta
    assert client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")).status_code == 200


@pytest.mark.parametrize(
    "model", [Project, ModelVersion, Job, TrainingRun, Image], ids=lambda model: model.__name__
)
def test_every_page_opens(client: Client, model):
    name = f"admin:labeling_{model._meta.model_name}_change"
    assert client.get(reverse(name, args=[model.objects.first().pk])).status_code == 200


@pytest.mark.parametrize("model", [ModelVersion, Job, TrainingRun, Image], ids=lambda model: model.__name__)
def test_what_services_write_is_read_only(client: Client, model):
    row = model.objects.first()
    assert (
        client.post(reverse(f"admin:labeling_{model._meta.model_name}_change", args=[row.pk]), {}).status_code
        == 403
    )
    assert (
        client.post(reverse(f"admin:labeling_{model._meta.model_name}_delete", args=[row.pk])).status_code
        == 403
    )


def test_users_can_be_added(client: Client):
    assert client.get(reverse("admin:auth_user_add")).status_code == 200


def test_who_is_not_staff_is_sent_to_the_login(world: World):
    client = Client()
    client.force_login(world.alice)
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
