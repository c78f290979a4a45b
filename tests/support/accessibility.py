"""What readers of a page stumble over, as axe-core finds it: WCAG 2.2 A and AA, and good practice."""

from typing import Any


def stumbles(page: Any) -> list[str]:
    """Return a line for each finding on a page in a browser: the rule, and the element."""
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(reduced_motion="reduce")  # what fades in is half as dark
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]}" for rule in found for node in rule["nodes"]
    ]
