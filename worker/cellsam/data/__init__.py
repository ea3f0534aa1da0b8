"""Labelled images on disk: the manifest that training and evaluation read, and what writes it."""
