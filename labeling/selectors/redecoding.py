"""Images that nobody has opened and that do not show what the active version finds in them."""

from __future__ import annotations

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When

from labeling.models import Edit, Image, ImageStatus, Job, JobKind, Presence, Project, Proposal, Source
from labeling.models.job import OPEN
from labeling.models.review import ProposalStatus
from labeling.selectors.presegmentation import presegmentation
from labeling.selectors.presence import live


def undecoded_images(project: Project) -> QuerySet[Image]:
    """Ready images without a person's edit, that no tab holds. Blind ones stay bare.

    They lack the active version's cells, or its proposal where the project hides what models find.
    """
    edits = Edit.objects.filter(image=OuterRef("pk"))
    images = (
        project.images.filter(status=ImageStatus.READY, blind=False)
        .exclude(pyramid="")
        .exclude(Exists(edits.filter(source=Source.PERSON)))
        .exclude(Exists(Presence.objects.filter(live(), image=OuterRef("pk"), holds_lease=True)))
        .exclude(Exists(Job.objects.filter(OPEN, kind=JobKind.SEGMENT, image=OuterRef("pk"))))
    )
    if presegmentation(project).shown:
        # An Edit beside a proposal of its job took cells away (services.segmentation).
        version = Case(When(job__proposal__isnull=True, then=F("model_version")))
        shows = edits.filter(source=Source.MODEL).order_by("-revision").values(shows=version)[:1]
        current = Q(shows=project.active_version_id)
        return images.annotate(shows=Subquery(shows)).filter(Q(shows__isnull=True) | ~current)
    kept = Proposal.objects.filter(image=OuterRef("pk"), status=ProposalStatus.OPEN)
    return images.filter(Q(cell_count__gt=0) | ~Exists(kept.filter(model_version=project.active_version_id)))
