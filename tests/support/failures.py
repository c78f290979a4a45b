"""What a test that has failed shows besides its assertion: how the stack was that it has used."""

from typing import Any

import pytest

from tests.support.stack import Stack


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Any:
    """Add runs that did not succeed, the log of the task that failed, and the end of each log."""
    report = yield
    used = getattr(item, "funcargs", {}).values()
    if call.excinfo is not None and not report.skipped:
        for stack in {id(one): one for one in used if isinstance(one, Stack)}.values():
            report.sections.extend(stack.diagnosis())
    return report
