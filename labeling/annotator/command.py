"""The simulated annotator's command line: what is played, and the report in the end."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from labeling.annotator.campaign import Campaign
from labeling.annotator.client import Client
from labeling.annotator.curves import GOALS
from labeling.annotator.ground_truth import subjects
from labeling.annotator.records import Arm, Order, Plan
from labeling.annotator.report import report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say which images are labelled how."""
    parser.add_argument("--data", type=Path, required=True, help="folder with a manifest.csv")
    parser.add_argument("--dataset", action="append", default=[], help="of the manifest; all by default")
    parser.add_argument("--split", action="append", default=[], help="of the manifest; all by default")
    parser.add_argument("--modality", default="", help="only modalities whose name contains this")
    parser.add_argument(
        "--crop",
        type=int,
        metavar="PX",
        help="label the middle of each image, at most so many pixels on a side",
    )
    parser.add_argument("--domain", default="A", help="the name in the report; A, B and C have goals")
    parser.add_argument("--arm", action="append", choices=[*Arm], help="all four by default")
    parser.add_argument("--order", action="append", choices=[*Order], help="of the loop; random by default")
    parser.add_argument("--images", type=int, default=30, help="of each campaign")
    parser.add_argument("--round", type=int, default=6, help="images between two training runs")
    parser.add_argument("--seeds", type=int, default=1, help="how many; 1 by default")
    parser.add_argument(
        "--first-seed", type=int, default=0, help="of these, so that several machines can share a measurement"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the results; a cut campaign goes on"
    )


def plans(options: argparse.Namespace) -> Iterator[Plan]:
    """Seed by seed, so that a cut measurement has whole seeds. Only the loop is played in several orders: the other
    arms learn nothing, so that an image costs them the same in any order."""
    orders = [Order(name) for name in options.order or [Order.RANDOM]]
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for arm in map(Arm, options.arm or [*Arm]):
            for order in orders if arm is Arm.LOOP else orders[:1]:
                yield Plan(options.domain, arm, order, seed, options.images, options.round)


def play(options: argparse.Namespace, client: Client, say: Callable[[str], None]) -> str:
    """Play all campaigns that are not complete; the summary as Markdown. Raises as they do, and GroundTruthError."""
    found = subjects(
        options.data,
        datasets=options.dataset,
        modality=options.modality,
        splits=options.split,
        crop_px=options.crop,
    )
    for plan in plans(options):
        say(f"{plan.name}: {min(plan.images, len(found))} images")
        Campaign(plan, found, options.out, client, say).play()
    return report(options.out, goal=options.domain if options.domain in GOALS else None)
