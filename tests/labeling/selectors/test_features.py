"""Which features stay longest in a cache that is full: those that training reads."""

from labeling.models import Project
from labeling.selectors.features import features_key, submitted_feature_keys
from labeling.services.submissions import image_submit
from tests.factories import World, make_ready_image, make_tuned


def test_those_of_submitted_images_are_kept(world: World, django_assert_num_queries):
    submitted, _ = make_ready_image(world.project), make_ready_image(world.project, seed=1)
    image_submit(image_id=submitted.pk, by=world.bob, revision=1)
    with django_assert_num_queries(1):
        found = submitted_feature_keys()
    assert found == {features_key(image=submitted, version=world.base)}


def test_a_run_reads_what_the_base_sees_though_a_trunk_of_its_own_serves(
    world: World, django_assert_num_queries
):
    image = make_ready_image(world.project)
    image_submit(image_id=image.pk, by=world.bob, revision=1)
    version = make_tuned(world.project, rung=3, trunk_hash="other")
    Project.objects.update(active_version=version)
    with django_assert_num_queries(1):
        found = submitted_feature_keys()
    assert found == {features_key(image=image, version=one) for one in (version, world.base)}
    assert len(found) == 2
