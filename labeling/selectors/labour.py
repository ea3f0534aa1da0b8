"""Seconds of work that an image took, from the times of its Edits.

The rule: of each person, the gaps between consecutive Edits of the image, and between the last of them and the
submission, are added up, each counted as PAUSE_S at most: who went for lunch did not work. The time before a person's
first Edit is unknown and counts nothing.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import pairwise

from labeling.models import Edit, Source, Submission

PAUSE_S = 60.0


def seconds_of_work(submission: Submission) -> float:
    """Of all people together, up to the submission."""
    edits = Edit.objects.filter(
        image_id=submission.image_id, revision__lte=submission.revision, source=Source.PERSON
    )
    moments: defaultdict[int | None, list[datetime]] = defaultdict(list)
    for author, at in edits.order_by("revision").values_list("author_id", "created_at"):
        moments[author].append(at)
    if submission.by_id in moments:
        moments[submission.by_id].append(submission.at)
    return sum(_capped(earlier, later) for times in moments.values() for earlier, later in pairwise(times))


def _capped(earlier: datetime, later: datetime) -> float:
    return min(PAUSE_S, max(0.0, (later - earlier).total_seconds()))
