"""What a failed test shows besides its assertion: the state of the stack that it used."""

from typing import Any

import pytest

from tests.support.stack import Stack


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Any:
    """Add the runs that did not succeed, the log of the task that failed last, and the end of each log."""
    report = yield
    used = getattr(item, "funcargs", {}).values()
    if call.excinfo is not None and not report.skipped:
        for stack in {id(each): each for each in used if isinstance(each, Stack)}.values():
            report.sections.extend(stack.diagnosis())
    return report
