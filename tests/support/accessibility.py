"""What readers of a page stumble over, as axe-core finds it: WCAG 2.2 A and AA, and good practice."""

from typing import Any

# what goes on for ever, such as the sign of a running stage, is not waited for
STILL = """document.getAnimations().every((each) =>
  each.playState !== "running" || each.effect.getComputedTiming().iterations === Infinity)"""


def stumbles(page: Any) -> list[str]:
    """Return a line for each finding on a page in a browser: the rule, and the element."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_function(STILL)
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]}" for rule in found for node in rule["nodes"]
    ]
