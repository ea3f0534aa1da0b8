"""The browser that tests and measurements drive: Debian's Chromium, headless."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

FLAGS = (
    "no-sandbox", "disable-dev-shm-usage", "disable-quic", "no-first-run", "disable-background-networking",
    "disable-component-update", "disable-sync", "disable-default-apps",
)  # fmt: skip


class ChromiumMissing(RuntimeError):
    """There is no Chromium on this machine."""


def launch_chromium(playwright: Playwright) -> Browser:
    """A headless Chromium. Raises ChromiumMissing with a sentence that says how to get it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise ChromiumMissing("Chromium is missing. Install it with: apt-get install -y chromium")
    return playwright.chromium.launch(executable_path=found, args=[f"--{flag}" for flag in FLAGS])
