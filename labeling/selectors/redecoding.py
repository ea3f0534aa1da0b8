"""Images that nobody has opened and that do not show what the active version finds in them."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from labeling.models import Edit, Image, ImageStatus, Job, JobKind, Presence, Project, Proposal, Source
from labeling.models.job import OPEN
from labeling.models.review import ProposalStatus
from labeling.selectors.presegmentation import presegmentation
from labeling.selectors.presence import live


def undecoded_images(project: Project) -> QuerySet[Image]:
    """Ready images without a person's edit, that no tab holds. Blind ones stay bare.

    They lack the active version's cells, or its proposal where what models find is hidden.
    """
    edits = Edit.objects.filter(image=OuterRef("pk"))
    images = (
        project.images.filter(status=ImageStatus.READY, blind=False)
        .exclude(pyramid="")
        .exclude(Exists(edits.filter(source=Source.PERSON)))
        .exclude(Exists(Presence.objects.filter(live(), image=OuterRef("pk"), holds_lease=True)))
        .exclude(Exists(Job.objects.filter(OPEN, kind=JobKind.SEGMENT, image=OuterRef("pk"))))
    )
    view = presegmentation(project)
    kept = Proposal.objects.filter(image=OuterRef("pk"), status=ProposalStatus.OPEN)
    hides = Q(cell_count__gt=0) | ~Exists(kept.filter(model_version=project.active_version_id))
    if not view.shown:
        return images.filter(hides)
    last = edits.filter(source=Source.MODEL).order_by("-revision").values("model_version")[:1]
    missing = Q(last__isnull=True) | Q(shown_from__isnull=True)
    other = ~Q(last=project.active_version_id) | ~Q(shown_from=view.shown_from)
    unsure = Q(uncertainty__gt=view.unsure_above) if view.unsure_above is not None else Q(pk__in=())
    return images.annotate(last=Subquery(last)).filter(unsure & hides | ~unsure & (missing | other))
