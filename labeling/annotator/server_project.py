"""A campaign's project at the server: made, found again after a cut, asked for the next image, trained."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.annotator.client import POLL_S, Client, Json, Refused
from labeling.annotator.ground_truth import Subject
from labeling.annotator.records import Arm, Order, Plan

# What each arm's project shows and holds back. Only the loop needs evidence, so only it has blind images.
SETTINGS: dict[Arm, Json] = {
    Arm.BOXES: {"presegmentation": "never", "blind_held_out": False},
    Arm.PRESEGMENTED: {"presegmentation": "always", "blind_held_out": False},
    Arm.LOOP: {"presegmentation": "auto", "blind_held_out": True, "deep": True},  # all rungs
}
BY_HAND_ONLY = 1_000_000  # corrected cells: no run starts by itself
SETTLED = {"ready", "in_progress", "submitted"}
WAIT_S = 6 * 3600.0  # for uploads and for a training run, on a machine that does other things too
LONGEST_POLL_S = 15.0
TOO_FEW = "{deciding} held-out images were labelled, of the {needed} that the gate needs."
NO_REASON = "in the campaign's own order"


class CampaignError(RuntimeError):
    """The server cannot play this campaign; the message says why."""


@dataclass(frozen=True)
class ServerProject:
    """The plan's project at the server."""

    client: Client
    id: str
    subjects: dict[str, Subject]  # by name, in the order of uploading

    @classmethod
    def resumed(
        cls, client: Client, plan: Plan, mine: Sequence[Subject], played: set[str]
    ) -> ServerProject | None:
        """The project as it was left; None, and no such project any more, if it does not fit the records."""
        ids = [project["id"] for project in client.get("projects") if project["name"] == plan.name]
        if len(ids) == 1:
            images = list(client.images(ids[0]))
            submitted = {image["name"] for image in images if image["status"] == "submitted"}
            if [image["name"] for image in images] == [
                subject.name for subject in mine
            ] and submitted <= played:
                for image in images:
                    _reconcile(client, image, image["name"] in played)
                return cls(client, ids[0], {subject.name: subject for subject in mine})
        for project_id in ids:
            client.delete(f"projects/{project_id}")
        return None

    @classmethod
    def created(cls, client: Client, plan: Plan, mine: Sequence[Subject]) -> ServerProject:
        project_id = str(client.post("projects", {"name": plan.name})["id"])
        client.put(
            f"projects/{project_id}/loop-settings",
            {"correction_threshold": BY_HAND_ONLY} | SETTINGS[plan.arm],
        )
        for channel_map in _channel_maps(mine):
            client.put(f"projects/{project_id}/channel-map", channel_map)
        for subject in mine:
            client.upload(project_id, subject.name, subject.content)
        return cls(client, project_id, {subject.name: subject for subject in mine})

    def version_name(self) -> str:
        return str(self.client.get(f"projects/{self.id}")["active_version"]["name"])

    def wait_settled(self) -> None:
        """Until nothing happens to any image any more. Raises CampaignError if one cannot be labelled."""

        def look() -> bool | None:
            images = list(self.client.images(self.id))
            for image in images:
                if image["status"] in ("failed", "needs_channels"):
                    raise CampaignError(f"{image['name']}: {image['error']}")
            return all(image["status"] in SETTLED and image["job"] is None for image in images) or None

        _wait_for(look, "the images to be ready")

    def waiting(self, order: Order) -> Iterator[tuple[Json, str]]:
        """The images that are left, each asked for when the one before is done, with the reason why it is next."""
        if order is not Order.LEARNED:
            for image in [image for image in self.client.images(self.id) if image["status"] != "submitted"]:
                yield self._opened(image["id"]), NO_REASON
            return
        while (item := self.client.get(f"projects/{self.id}/queue")["next"]) is not None:
            yield self._opened(item["image"]["id"]), item["reason"]["code"]

    def _opened(self, image_id: str) -> Json:
        """The image as a person would find it, who takes minutes for each: it shows the outlines that it is to show."""

        def look() -> Json | None:
            image: Json = self.client.get(f"images/{image_id}")
            if image["status"] != "ready" or image["blind"]:
                return image
            model = self.client.get(f"projects/{self.id}/model")
            return image if _shows_what_it_should(image, model["presegmentation"]) else None

        found: Json = _wait_for(look, "the outlines that are to be shown")
        return found

    def train(self, *, submitted: int) -> Json:
        """The finished run of "Train now" on so many ``submitted`` images, once every waiting one shows what the active
        version finds; what the server says if it refuses. Nobody presses it before there are held-out images enough to
        promote anything, and nobody twice for the same images, though the campaign was cut meanwhile."""
        model = self.client.get(f"projects/{self.id}/model")
        held_out = model["held_out"]
        if held_out["deciding"] < held_out["needed"]:
            return {"decision": "waited", "decision_reason": TOO_FEW.format(**held_out)}
        run_id = next((run["id"] for run in model["runs"] if run["images"] == submitted), None)
        if run_id is None:
            try:
                run_id = self.client.post(f"projects/{self.id}/training-runs")["id"]
            except Refused as refused:
                return {"decision": "refused", "decision_reason": str(refused)}

        def look() -> Json | None:
            runs: Iterable[Json] = self.client.get(f"projects/{self.id}/model")["runs"]
            return next((run for run in runs if run["id"] == run_id and run["decision"]), None)

        run: Json = _wait_for(look, "the training run to end")
        _wait_for(self._activated, "features for the new version")
        self.wait_settled()
        _wait_for(self._decoded, "the waiting images to be decoded again")
        return run

    def _activated(self) -> bool | None:
        return self.client.get(f"projects/{self.id}/model")["pending"] is None or None

    def _decoded(self) -> bool | None:
        """Whether what is shown in each image that nobody has opened is what the active version finds."""
        model = self.client.get(f"projects/{self.id}/model")
        active = model["active"]["id"]
        for image in self.client.images(self.id):
            if image["status"] != "ready" or image["blind"]:
                continue
            if not _shows_what_it_should(image, model["presegmentation"]):
                return None
            if image["cells"]:
                cells = self.client.get(f"images/{image['id']}/cells")["cells"]
                if image["job"] is not None or any(cell["model_version"] != active for cell in cells):
                    return None
        return True


def _shows_what_it_should(image: Json, presegmentation: Json) -> bool:
    """Of a ready image. While little is known of a model, images that it is unsure of show none."""
    unsure = presegmentation["unsure_above"] is not None and image["shown_from"] is None
    return unsure or bool(image["shown_from"] == presegmentation["shown_from"])


def _reconcile(client: Client, image: Json, played: bool) -> None:
    """What was written down is submitted, as it would have been. What was cut in its middle is begun again: the
    person's edits are taken back, the last one first."""
    if image["status"] == "submitted":
        return
    if played:
        client.post(f"images/{image['id']}/submit", {"revision": image["revision"]})
    elif image["status"] == "in_progress":
        revision = image["revision"]
        for edit in reversed(list(client.edits(image["id"]))):
            if edit["source"] == "person":
                revision = client.edit(image["id"], revision, _inverse(edit["patch"]))


def _inverse(patch: Json) -> Json:
    updated = [{"before": update["after"], "after": update["before"]} for update in patch["updated"]]
    return {"added": patch["removed"], "updated": updated, "removed": patch["added"]}


def _channel_maps(mine: Sequence[Subject]) -> list[Json]:
    """The one map that the images need, if they need one. Raises CampaignError if they need several."""
    maps = {json.dumps(subject.channel_map): subject.channel_map for subject in mine}
    needed = [channel_map for channel_map in maps.values() if channel_map is not None]
    if len(needed) > 1:
        raise CampaignError(
            f"these images do not fit in one project, which maps channels once: {', '.join(maps)}"
        )
    return needed


def _wait_for(look: Callable[[], Any], what: str) -> Any:
    """Looks less often the longer it waits, and comes a tenth of the wait too late at most: a look costs the server
    time that the run waited for may need."""
    started = time.monotonic()
    while (found := look()) is None:
        waited = time.monotonic() - started
        if waited > WAIT_S:
            raise CampaignError(f"waited {WAIT_S / 3600:.0f} hours for {what}")
        time.sleep(min(LONGEST_POLL_S, max(POLL_S, waited / 10)))
    return found
