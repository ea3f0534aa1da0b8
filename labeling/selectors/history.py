"""What became of one cell: its part of each Edit that touched it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.db.models import BooleanField, F, Func, JSONField, Value

from labeling.models import Edit, ModelVersion

Change = Literal["added", "removed", "shape", "label", "class", "checked"]

CHANGES_AT_MOST = 100
# The database takes the cell's part out: a segmentation's patch holds thousands of cells, each with its mask.
_IN_PATCH = "$.*[*] ? (@.id == $cell || @.after.id == $cell)"
_IN_REMOVED = "$.removed[*] ? (@.id == $cell)"


@dataclass(frozen=True, slots=True)
class CellChange:
    """One Edit's effect on one cell; ``edit`` comes without its patch."""

    edit: Edit
    changes: tuple[Change, ...]
    class_id: str | None
    drawn_by: str | None
    """The name of the model that drew the mask that the cell has since; None for a person."""


def cell_history(image_id: UUID, cell_id: UUID) -> list[CellChange]:
    """The latest changes of a cell, the newest first; also of a cell that is gone. Empty for one that never was."""
    found: Any = Edit.objects.filter(image_id=image_id).annotate(
        part=_in_patch("jsonb_path_query_first", _IN_PATCH, cell_id, JSONField()),
        gone=_in_patch("jsonb_path_exists", _IN_REMOVED, cell_id, BooleanField()),
    )
    rows = found.filter(part__isnull=False).select_related("author").defer("patch").order_by("-revision")
    edits = list(rows[:CHANGES_AT_MOST])
    after = [edit.part.get("after", edit.part) for edit in edits]
    names = _version_names({state["model_version"] for state in after})
    return [
        CellChange(
            edit=edit,
            changes=_changes(edit.part, gone=edit.gone),
            class_id=state.get("class_id"),
            drawn_by=names.get(state["model_version"]) if state["source"] == "model" else None,
        )
        for edit, state in zip(edits, after, strict=True)
    ]


def _in_patch(function: str, path: str, cell_id: UUID, output: Any) -> Func:
    variables = Value({"cell": str(cell_id)}, JSONField())
    return Func(F("patch"), Value(path), variables, function=function, output_field=output)


def _changes(part: dict[str, Any], *, gone: bool) -> tuple[Change, ...]:
    if "after" not in part:
        return ("removed",) if gone else ("added",)
    before, after = part["before"], part["after"]
    differs: dict[Change, bool] = {
        "shape": (before["box"], before["rle"]) != (after["box"], after["rle"]),
        "label": before["label"] != after["label"],
        "class": before.get("class_id") != after.get("class_id"),
    }
    changes = tuple(name for name, differs_ in differs.items() if differs_)
    # A score without a new mask changes when a person says that the mask is right.
    return changes or ("checked",)


def _version_names(ids: set[str | None]) -> dict[str | None, str]:
    rows = ModelVersion.objects.filter(pk__in=[one for one in ids if one]).values_list("pk", "name")
    return {str(key): name for key, name in rows}
