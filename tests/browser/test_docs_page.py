"""The documentation page in a browser: it renders, and its operations can be tried as it says."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.acceptance.system import System, data_directory

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 30_000.0

pytestmark = [
    pytest.mark.browser,
    pytest.mark.acceptance,
    pytest.mark.servers,
    pytest.mark.needs("chromium"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]


@pytest.fixture(scope="module")
def demo() -> Iterator[System]:
    """Start the product as `make run` does, with its demo data."""
    with data_directory() as directory:
        started = System(directory)
        started.options = ()
        try:
            started.start()
            yield started
        finally:
            started.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Without its sandbox, which needs rights that containers do not give.
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a page that fails the test for whatever the browser complains about."""
    opened = browser.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    complaints: list[str] = []
    opened.on(
        "console",
        lambda told: (
            complaints.append(f"{told.text} {told.location}") if told.type == "error" else None
        ),
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("requestfailed", lambda request: complaints.append(f"no answer: {request.url}"))
    yield opened
    opened.close()
    assert complaints == []


def only(page: Page, tag: str) -> None:
    """Show the operations of one tag: of all of them, the page makes only those in view."""
    page.locator(".operation-filter-input").fill(tag)


def operation(page: Page, tag: str, name: str) -> Locator:
    """Open an operation by its tag and its operationId; return its part of the page."""
    only(page, tag)
    part = page.locator(f"[id$='-{name}'].opblock")
    part.locator(".opblock-summary-control").click()
    return part


def tried(part: Locator) -> tuple[str, str]:
    """Send the prepared request of an operation; return the status and the body."""
    part.get_by_role("button", name="Execute").click()
    answer = part.locator(".live-responses-table .response").first
    expect(answer).to_be_visible()
    body = answer.locator(".highlight-code code")
    status = answer.locator(".response-col_status").inner_text()
    return status.split()[0], body.inner_text() if body.count() else ""


def test_operations_are_tried_as_the_page_says(demo: System, page: Page) -> None:
    page.goto(f"{demo.running.url}/api/docs")
    expect(page.locator(".info")).to_contain_text("To try it: send POST /api/auth/login")

    status, body = tried(operation(page, "Authentication", "login"))
    assert status == "200", body
    page.get_by_role("button", name="Authorize").first.click()
    page.locator("#auth-bearer-value").fill(json.loads(body)["accessToken"])
    page.locator(".auth-btn-wrapper").first.locator("button.authorize").click()
    page.locator(".auth-btn-wrapper").first.locator("button.btn-done").click()

    status, body = tried(operation(page, "Projects", "listProjects"))
    assert status == "200", body
    assert "ENG" in [project["key"] for project in json.loads(body)["items"]]
    status, body = tried(operation(page, "Webhooks", "createWebhook"))
    assert status == "201", body
    assert json.loads(body)["url"].startswith("https://")


def test_every_operation_is_shown(demo: System, page: Page) -> None:
    described = page.request.get(f"{demo.running.url}/api/openapi.json").json()
    operations = [o for item in described["paths"].values() for o in item.values() if "tags" in o]

    page.goto(f"{demo.running.url}/api/docs")

    for tag, count in Counter(tag for o in operations for tag in o["tags"]).items():
        only(page, tag)
        expect(page.locator(f"[id^='operations-{tag.replace(' ', '_')}-'].opblock")).to_have_count(
            count
        )


def test_the_mailbox_of_a_development_system_is_readable(demo: System, page: Page) -> None:
    answer = page.goto(f"{demo.running.url}/api/dev/mail")

    assert answer is not None
    assert answer.status == 200
    assert re.search(r'"items"', page.locator("body").inner_text())
