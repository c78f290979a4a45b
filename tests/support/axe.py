"""What axe, the engine of accessibility checks, finds on a page."""

from axe_playwright_python.sync_playwright import Axe


def findings(page):
    """The rules of axe that a page breaks, each with the elements that break it."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]
