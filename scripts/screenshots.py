"""Take the documentation's pictures of the running stack, with the Chromium that is installed here."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from rankalpha.airflow_api import AirflowApi
from rankalpha.settings import AdminSettings, StackSettings
from rankalpha.stack.embedded.layout import ROOT, Layout

IMAGES = ROOT / "docs" / "images"
WIDE = {"width": 1440, "height": 860}
OPERATORS = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 800}
ROWS = ("#rows .move", "#rows svg path.line", "#batch option", "#tabs:not([hidden])")  # in any order
RANKING = {  # places of the ranking page: the rest of the address, what to wait for, and the size
    "ranking": ("", ROWS, WIDE),
    "ranking-panel": ("#XOM", (*ROWS, "#panel .history"), WIDE),
    "ranking-record": ("?view=record", ("#record svg",), WIDE),
    "ranking-phone": ("", ROWS, PHONE),
}
BROWSERS = ("chromium", "chromium-headless-shell", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]


def log_in(browser: Browser, airflow: str) -> Page:
    """Return a page that is signed in to Airflow's UI."""
    admin = AdminSettings.load()
    page = browser.new_page(viewport=WIDE, device_scale_factor=1.5)  # type: ignore[arg-type]
    page.goto(f"{airflow}/auth/login/")
    page.fill("#username", admin.user)
    page.fill("#password", admin.password.get_secret_value())
    page.click("input[type=submit], button[type=submit]")
    page.wait_for_url(f"{airflow}/")
    return page


def asset_id(airflow: str, name: str) -> int:
    """Return Airflow's id of a dataset."""
    admin = AdminSettings.load()
    api = AirflowApi(airflow, admin.user, admin.password.get_secret_value())
    found = api.get("assets", name_pattern=name)["assets"]  # also those of markets and variants
    (asset,) = [asset for asset in found if asset["name"] == name]
    return int(asset["id"])


def take(page: Page, url: str, name: str, wait_for: str) -> None:
    """Open `url`, wait until the text `wait_for` is shown, and save the picture."""
    page.goto(url)
    page.get_by_text(wait_for).first.wait_for()
    page.wait_for_function("!document.querySelector('[data-testid=skeleton], .chakra-skeleton')")
    page.wait_for_timeout(2500)  # graphs are laid out after their text is there
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png")


def take_ranking(browser: Browser, ranking: str) -> None:
    """Save the ranking page: the table, a symbol's panel, the record, and a phone."""
    for name, (place, wait_for, size) in RANKING.items():
        page = browser.new_page(viewport=size, device_scale_factor=1.5)  # type: ignore[arg-type]
        page.goto(f"{ranking.rstrip('/')}/{place}")
        for part in wait_for:
            page.locator(part).first.wait_for(state="attached")
        page.wait_for_timeout(500)
        page.screenshot(path=IMAGES / f"{name}.png")
        print(f"docs/images/{name}.png")
        page.close()


def take_operators(page: Page, airflow: str) -> None:
    """Save the operators' page in Airflow's frame: light, and dark with the newest scoring opened."""
    page.set_viewport_size(OPERATORS)  # type: ignore[arg-type]
    for name, theme in (("operators", "light"), ("operators-dark", "dark")):
        page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
        page.goto(f"{airflow}/plugin/rankalpha")
        frame = page.frame_locator("iframe")
        frame.locator("#rows tr").first.wait_for()
        if theme == "dark":
            frame.locator('#rows [data-label="scoring"]').first.click()
            frame.locator("dialog .tries").first.wait_for()
        page.wait_for_timeout(1500)  # Airflow's own icons and fonts
        page.screenshot(path=IMAGES / f"{name}.png")
        print(f"docs/images/{name}.png")


def main() -> int:
    """Take all pictures."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not chromium:
        print("error: no Chromium here; install Debian's package chromium", file=sys.stderr)
        return 1
    urls = Layout(StackSettings.load()).urls
    airflow, ranking = urls["RANKALPHA_AIRFLOW_URL"], urls["RANKALPHA_FRONTEND_URL"]
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=Path(chromium), args=QUIET)
        page = log_in(browser, airflow)
        take(page, f"{airflow}/assets/{asset_id(airflow, 'scores')}", "datasets", "rankalpha_grading")
        take(page, f"{airflow}/dags/rankalpha_grading", "grading", "notify_frontend")
        take_ranking(browser, ranking)
        take_operators(page, airflow)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
