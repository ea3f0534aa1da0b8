"""Plays a project from the first upload to the last image through the HTTP API, as a person would.

A campaign that was cut goes on where it stopped: each image is written down before it is submitted, and the project on
the server says the rest. If the two cannot be brought together, the project is deleted and played anew.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from labeling.annotator import records
from labeling.annotator.client import Client, Json
from labeling.annotator.cost_model import Kind, image_seconds, polygon_seconds
from labeling.annotator.ground_truth import Subject
from labeling.annotator.player import Act, Player, agreement
from labeling.annotator.polygon import polygon_vertices
from labeling.annotator.records import Arm, ImageRecord, Order, Plan, RunRecord
from labeling.annotator.server_project import NO_REASON, CampaignError, ServerProject
from labeling.matching import F1_IOU_THRESHOLD
from labeling.rle import BoxMask


def chosen(plan: Plan, subjects: Sequence[Subject]) -> list[Subject]:
    """The plan's images in the order of uploading: the same for all arms of a seed."""
    drawn = np.random.default_rng(plan.seed).permutation(len(subjects))[: plan.images].tolist()
    return [subjects[index] for index in (sorted(drawn) if plan.order is Order.UPLOAD else drawn)]


@dataclass
class Campaign:
    """One plan, played at a server or, for polygons, at no server. Results go to two files of the folder ``out``."""

    plan: Plan
    subjects: Sequence[Subject]
    out: Path
    client: Client | None = None
    say: Callable[[str], None] = lambda text: None
    played: list[ImageRecord] = field(default_factory=list, init=False)

    @property
    def image_file(self) -> Path:
        return self.out / f"{self.plan.name}.images.csv"

    @property
    def run_file(self) -> Path:
        return self.out / f"{self.plan.name}.runs.csv"

    def play(self) -> list[ImageRecord]:
        """All images of the plan. Raises CampaignError, Refused, OSError if the server cannot be reached."""
        self.out.mkdir(parents=True, exist_ok=True)
        self.played = records.read(ImageRecord, [self.image_file])
        mine = chosen(self.plan, self.subjects)
        if len(self.played) < len(mine):
            if self.plan.arm is Arm.POLYGONS:
                self._play_polygons(mine)
            else:
                self._play_at_server(mine)
        return self.played

    def _play_polygons(self, mine: Sequence[Subject]) -> None:
        for subject in mine[len(self.played) :]:
            vertices = sum(map(polygon_vertices, subject.truth))
            counts = {Kind.VERTEX: vertices}
            seconds = polygon_seconds(vertices, cells=len(subject.truth))
            self._write(subject, counts, seconds, missed=len(subject.truth), accepted=subject.truth)

    # At a server

    def _play_at_server(self, mine: Sequence[Subject]) -> None:
        if self.client is None:
            raise CampaignError(f"{self.plan.arm} needs a server")
        project = ServerProject.resumed(
            self.client, self.plan, mine, {record.image for record in self.played}
        )
        if project is None:
            self.played = []
            for file in (self.image_file, self.run_file):
                file.unlink(missing_ok=True)
            project = ServerProject.created(self.client, self.plan, mine)
        project.wait_settled()
        self._train_if_due(project)
        for image, reason in project.waiting(self.plan.order):
            self._label(project, image, reason)
            self._train_if_due(project)

    def _label(self, project: ServerProject, image: Json, reason: str) -> None:
        subject = project.subjects[image["name"]]
        version = project.version_name()
        found = project.client.get(f"images/{image['id']}/cells")
        player = Player(
            cells={cell["id"]: _mask(cell) for cell in found["cells"]},
            truth=subject.truth,
            size=(image["height"], image["width"]),
            decode=lambda box: project.client.decode(image["id"], box),
            random=np.random.default_rng([self.plan.seed, zlib.crc32(subject.name.encode())]),
        )
        shown = list(player.cells.values())
        revision = _post(project.client, image["id"], found, player.acts())
        record = self._write(
            subject, player.actions, image_seconds(player.actions, shown=len(shown)),
            missed=player.missed, false=player.false, reshaped=player.reshaped, blind=bool(image["blind"]),
            shown=shown, accepted=list(player.cells.values()), version=version, reason=reason,
        )  # fmt: skip
        project.client.post(f"images/{image['id']}/submit", {"revision": revision})
        self.say(f"{self.plan.name} {record.place:3d}: {record.actions} actions for {record.cells} cells")

    def _write(
        self,
        subject: Subject,
        actions: dict[Kind, int],
        seconds: float,
        *,
        missed: int,
        accepted: Sequence[BoxMask],
        false: int = 0,
        reshaped: int = 0,
        blind: bool = False,
        shown: Sequence[BoxMask] = (),
        version: str = "",
        reason: str = NO_REASON,
    ) -> ImageRecord:
        counts, mean_iou = agreement(accepted, subject.truth, threshold=F1_IOU_THRESHOLD)
        before, _ = agreement(shown, subject.truth, threshold=F1_IOU_THRESHOLD)
        record = ImageRecord(
            domain=self.plan.domain, arm=self.plan.arm, order=self.plan.order, seed=self.plan.seed,
            place=len(self.played) + 1, round=len(self.played) // self.plan.every + 1, image=subject.name,
            blind=blind, cells=len(subject.truth), shown=len(shown), missed=missed, false=false, reshaped=reshaped,
            **{kind.value: actions.get(kind, 0) for kind in Kind}, seconds=round(seconds, 2),
            f1_shown=round(before.f1, 4), f1=round(counts.f1, 4), mean_iou=round(mean_iou, 4), version=version,
            reason=reason,
        )  # fmt: skip
        records.append(self.image_file, record)
        self.played.append(record)
        return record

    def _train_if_due(self, project: ServerProject) -> None:
        """After each full round but the last, once: a run that was written down is not started again."""
        rounds, rest = divmod(len(self.played), self.plan.every)
        known = {run.after_round for run in records.read(RunRecord, [self.run_file])}
        over = len(self.played) == len(project.subjects)
        if self.plan.arm is not Arm.LOOP or rest or not rounds or over or rounds in known:
            return
        started = time.monotonic()
        run = project.train(submitted=len(self.played))
        record = _run_record(self.plan, rounds, run, time.monotonic() - started)
        records.append(self.run_file, record)
        self.say(f"{self.plan.name} after round {rounds}: {record.decision}. {record.reason}")


def _post(client: Client, image_id: str, found: Json, acts: Iterable[Act]) -> int:
    """Save each action as the page does, an edit each. Returns the image's last revision."""
    cells, revision, label = (
        {cell["id"]: cell for cell in found["cells"]},
        int(found["revision"]),
        found["next_label"],
    )
    for act in acts:
        patch: Json = {"added": [], "updated": [], "removed": []}
        if act.mask is None:
            patch["removed"] = [cells.pop(id_) for id_ in act.ids]
        else:
            (id_,) = act.ids
            before = cells.get(id_)
            cells[id_] = after = _drawn(before or _new_cell(id_, label), act.mask)
            if before is None:
                patch["added"], label = [after], label + 1
            else:
                patch["updated"] = [{"before": before, "after": after}]
        revision = client.edit(image_id, revision, patch)
    return revision


def _new_cell(id_: str, label: int) -> Json:
    return {"id": id_, "label": label, "model_version": None, "class_id": None}


def _drawn(cell: Json, mask: BoxMask) -> Json:
    return cell | {"box": list(mask.box), "rle": list(mask.rle), "score": None, "source": "person"}


def _mask(cell: Json) -> BoxMask:
    return BoxMask(tuple(cell["box"]), tuple(cell["rle"]))


def _run_record(plan: Plan, after_round: int, run: Json, seconds: float) -> RunRecord:
    gate = (run.get("evaluation") or {}).get("gate") or {}
    f1 = gate.get("f1") or {}
    name = (run.get("candidate") or {}).get("name", "")
    rungs = {candidate["name"]: candidate["rung"] for candidate in run.get("candidates", [])}
    return RunRecord(
        domain=plan.domain, arm=plan.arm, order=plan.order, seed=plan.seed, after_round=after_round,
        decision=run["decision"], reason=run["decision_reason"], version=name,
        rung=str(rungs.get(name, "")), seconds=round(seconds, 1), f1_before=_number(f1.get("active")),
        f1_after=_number(f1.get("candidate")),
    )  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
