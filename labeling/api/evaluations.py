"""What the gate saw of two versions, as the model page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

FIGURES = (
    "f1", "precision", "recall", "ap50", "miou", "count_error", "found", "touched_found", "touched_cells",
)  # fmt: skip
CHANGES = ("f1", "ap50", "miou", "count_error")


class FiguresOut(serializers.Serializer):
    """One model on the held-out images of a run. Runs of earlier releases lack some figures."""

    f1 = serializers.FloatField()
    precision = serializers.FloatField()
    recall = serializers.FloatField()
    ap50 = serializers.FloatField(allow_null=True, help_text="average precision at a mask IoU of 0.5")
    miou = serializers.FloatField(help_text="mean IoU of the masks that true boxes give")
    count_error = serializers.FloatField(help_text="mean share of cells too many or too few")
    found = serializers.IntegerField(allow_null=True, help_text="cells that the model found")
    touched_found = serializers.IntegerField(
        allow_null=True, help_text="of the touched cells, those that the model finds"
    )
    touched_cells = serializers.IntegerField(allow_null=True, help_text="cells that people added or reshaped")


class ChangeOut(serializers.Serializer):
    """A figure of both models, and the 95% interval of the difference, by a paired bootstrap over clusters."""

    active = serializers.FloatField()
    candidate = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class GateOut(serializers.Serializer):
    outcome = serializers.CharField()
    reason = serializers.CharField()
    images = serializers.IntegerField(
        allow_null=True, help_text="labelled without seeing outlines: these decide"
    )
    clusters = serializers.IntegerField(allow_null=True, help_text="independent ones among them")
    f1 = ChangeOut(allow_null=True)
    ap50 = ChangeOut(allow_null=True)
    miou = ChangeOut(allow_null=True)
    count_error = ChangeOut(allow_null=True)
    groups = serializers.DictField(child=ChangeOut())


class AllHeldOutOut(serializers.Serializer):
    """All held-out images, those among them that people labelled on top of outlines."""

    active = FiguresOut()
    candidate = FiguresOut()
    images = serializers.IntegerField()


class EvaluationOut(serializers.Serializer):
    """``all`` is reported beside and never decides."""

    active = FiguresOut()
    candidate = FiguresOut()
    images = serializers.IntegerField()
    all = AllHeldOutOut(allow_null=True)
    gate = GateOut()


def evaluation_out(stored: Mapping[str, Any]) -> dict[str, Any] | None:
    """The wire form of a stored evaluation; None for none."""
    if not stored:
        return None
    return {
        **_both(stored),
        "all": _both(stored["all"]) if "all" in stored else None,
        "gate": _gate(stored["gate"]),
    }


def _both(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "active": _figures(stored["active"]),
        "candidate": _figures(stored["candidate"]),
        "images": stored["images"],
    }


def _figures(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: stored.get(name) for name in FIGURES}


def _gate(stored: Mapping[str, Any]) -> dict[str, Any]:
    changes = {name: stored.get(name) for name in CHANGES}
    counts = {name: stored.get(name) for name in ("images", "clusters")}
    words = {name: stored[name] for name in ("outcome", "reason", "groups")}
    return words | counts | changes
