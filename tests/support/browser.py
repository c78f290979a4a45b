"""A real Chromium."""

import contextlib

from tests.support.needs import needs

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def chromium():
    """Run the machine's Chromium; a playwright `Browser`."""
    from playwright.sync_api import sync_playwright

    path = needs("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=QUIET)
        try:
            yield browser
        finally:
            browser.close()
