"""Chromium of this machine, without a window: what prints the course, and what its tests look with."""

import shutil

NAMES = ["chromium-headless-shell", "chromium"]  # the first has nothing that draws a window: half the work
WITHOUT = ["gpu", "quic", "background-networking", "component-update", "sync"]


def launch(play):
    """Start it, asking for nothing by itself, with a Playwright that has begun.

    Raises
    ------
    FileNotFoundError
        If the machine has none.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise FileNotFoundError(f"Chromium is missing: install the Debian package {' or '.join(NAMES)}")
    arguments = ["--no-sandbox", "--no-first-run", *(f"--disable-{what}" for what in WITHOUT)]
    return play.chromium.launch(executable_path=found, args=arguments)
