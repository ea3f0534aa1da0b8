"""The simulated annotator: plays projects through the HTTP API with the truth in hand and counts what a person's work
would cost. `cost_model` holds all prices and rules, `player` what is done on one image, `campaign` a whole project."""

from labeling.annotator.campaign import Campaign
from labeling.annotator.client import Client, Refused
from labeling.annotator.command import add_arguments, play
from labeling.annotator.ground_truth import GroundTruthError, Subject, subjects
from labeling.annotator.records import Arm, Order, Plan
from labeling.annotator.server_project import CampaignError

__all__ = [
    "Arm",
    "Campaign",
    "CampaignError",
    "Client",
    "GroundTruthError",
    "Order",
    "Plan",
    "Refused",
    "Subject",
    "add_arguments",
    "play",
    "subjects",
]
