"""Logging in, in the browser and by token."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from labeling.models import ApiToken
from tests.factories import PASSWORD, World


def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def log_in(client: Client, username: str = "alice", password: str = PASSWORD):
    csrf = client.get("/api/session").json()["csrf"]
    body = {"username": username, "password": password}
    return client.post("/api/session", body, content_type="application/json", headers={"X-CSRFToken": csrf})


def test_it_works(world: World):
    client = browser()
    assert client.get("/api/session").json()["user"] is None
    answer = log_in(client)
    assert answer.status_code == 200
    assert answer.json()["user"] == {
        "id": world.alice.pk, "username": "alice", "name": "Alice Adams", "initials": "AA", "is_staff": False,
    }  # fmt: skip
    assert client.get("/api/session").json()["user"]["username"] == "alice"
    csrf = client.get("/api/session").json()["csrf"]
    assert client.delete("/api/session", headers={"X-CSRFToken": csrf}).status_code == 204
    assert client.get("/api/session").json()["user"] is None


def test_a_name_without_a_full_one_has_initials_too(world: World):
    client = browser()
    assert log_in(client, "bob").json()["user"]["initials"] == "BO"


def test_a_wrong_password_is_refused_without_saying_which(world: World):
    unknown, wrong = log_in(browser(), "nobody"), log_in(browser(), "alice", "wrong")
    assert unknown.status_code == wrong.status_code == 400
    assert unknown.json() == wrong.json() == {
        "code": "wrong_credentials", "detail": "The name or the password is wrong.",
    }  # fmt: skip


def test_a_login_without_the_csrf_token_is_refused(world: World):
    client = browser()
    client.get("/api/session")
    body = {"username": "alice", "password": PASSWORD}
    assert client.post("/api/session", body, content_type="application/json").status_code == 403


def test_a_write_without_the_csrf_token_is_refused(world: World):
    client = browser()
    log_in(client)
    answer = client.post("/api/projects", {"name": "x"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_guessing_passwords_meets_a_wall(world: World):
    client = browser()
    answers = [log_in(client, "alice", f"guess {n}").status_code for n in range(11)]
    assert answers == [400] * 10 + [429]
    assert log_in(client, "alice").status_code == 429  # not even with the right one
    assert log_in(client, "bob").status_code == 200


def test_the_wall_says_when_to_come_back(world: World):
    client = browser()
    for n in range(10):
        log_in(client, "alice", f"guess {n}")
    assert 0 < int(log_in(client)["Retry-After"]) <= 61


def test_the_admin_has_the_same_door(world: World):
    answer = Client().get("/admin/login/")
    assert (answer.status_code, answer["Location"]) == (302, "/login?next=/admin/")


def test_an_inactive_user_cannot_log_in(world: World):
    world.alice.is_active = False
    world.alice.save()
    assert log_in(browser()).status_code == 400


def test_a_token_opens_the_api(world: World, as_alice: APIClient):
    made = as_alice.post("/api/tokens", {"name": "laptop"}, format="json").json()
    script = APIClient(headers={"Authorization": f"Token {made['token']}"})
    assert [project["name"] for project in script.get("/api/projects").json()] == ["Nuclei"]
    assert script.post("/api/projects", {"name": "By script"}, format="json").status_code == 201


def test_a_token_is_shown_once_and_kept_as_a_hash(world: World, as_alice: APIClient):
    made = as_alice.post("/api/tokens", {"name": "laptop"}, format="json").json()
    listed = as_alice.get("/api/tokens").json()
    assert [token["name"] for token in listed] == ["laptop"]
    assert "token" not in listed[0]
    assert made["token"] not in str(ApiToken.objects.values())


def test_a_deleted_token_is_worthless(world: World, as_alice: APIClient):
    made = as_alice.post("/api/tokens", {}, format="json").json()
    script = APIClient(headers={"Authorization": f"Token {made['token']}"})
    assert as_alice.delete(f"/api/tokens/{made['id']}").status_code == 204
    assert script.get("/api/projects").status_code == 401


def test_an_expired_token_is_worthless(world: World, as_alice: APIClient):
    made = as_alice.post("/api/tokens", {}, format="json").json()
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    script = APIClient(headers={"Authorization": f"Token {made['token']}"})
    assert script.get("/api/projects").status_code == 401


def test_nobody_deletes_someone_elses_token(world: World, as_alice: APIClient, as_bob: APIClient):
    made = as_alice.post("/api/tokens", {}, format="json").json()
    assert as_bob.delete(f"/api/tokens/{made['id']}").status_code == 404
    assert as_bob.get("/api/tokens").json() == []


def test_many_names_from_one_address_meet_a_wall_too(world: World):
    client = browser()
    answers = [log_in(client, f"user{n}", "summer2024").status_code for n in range(61)]
    assert answers == [400] * 60 + [429]
