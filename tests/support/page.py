"""The operators' page in Airflow's own frame, as a person comes to it."""

from contextlib import contextmanager


@contextmanager
def signed_in(browser, stack, user="rankalpha", password="rankalpha", **options):
    """A page of Airflow's UI for a user."""
    page = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options}).new_page()
    try:
        page.goto(f"{stack.urls['airflow']}/auth/login/")
        page.fill("#username", user)
        page.fill("#password", password)
        page.click("input[type=submit], button[type=submit]")
        page.wait_for_url(f"{stack.urls['airflow']}/", wait_until="commit")
        yield page
    finally:
        page.context.close()


def batches_of(page, market=None):
    """Go to the page, and to a market of several, as a person does; return what is in Airflow's frame."""
    page.get_by_role("link", name="RankAlpha").first.click()
    frame = page.frame_locator("iframe[title=RankAlpha]")
    if market:
        frame.locator("#market").select_option(market)
    frame.locator("#rows tr").first.wait_for()
    return frame


def cell(frame, batch, step):
    """What is shown of a step of a batch."""
    return frame.locator(f'[data-id="{batch}/{step}"]')


def opened(frame, batch, step):
    """The panel of a cell, with its lineage."""
    cell(frame, batch, step).click()
    frame.locator("dialog .tries").first.wait_for()
    return frame.locator("dialog")
