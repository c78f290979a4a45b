"""What readers of a page stumble over, as axe-core finds it: WCAG 2.2 A and AA, and good practice."""

from typing import Any

# what fades in is half as dark; what goes on for ever, such as the sign of a running stage, is not waited for
STILL = """() => Promise.allSettled(document.getAnimations()
  .filter((each) => each.effect.getComputedTiming().iterations !== Infinity)
  .map((each) => each.finished)).then(() => true)"""


def stumbles(page: Any) -> list[str]:
    """Return a line for each finding on a page in a browser: the rule, and the element."""
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(reduced_motion="reduce")
    page.evaluate(STILL)
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]}" for rule in found for node in rule["nodes"]
    ]
