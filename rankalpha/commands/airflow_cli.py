"""Airflow's own command line, with the settings of the stack that is here."""

import os
from collections.abc import Mapping, Sequence
from typing import NoReturn

from rankalpha.commands.environment import embedded_stack, in_checkout
from rankalpha.stack.embedded.layout import ROOT
from rankalpha.stack.launch import launch

WARNINGS = "PYTHONWARNINGS"
NO_GRAPHVIZ = "ignore:Could not import graphviz:UserWarning"  # each of Airflow's commands says so


def airflow(arguments: Sequence[str]) -> NoReturn:
    """Become `airflow <arguments>`, in the checkout if this is one."""
    variables: Mapping[str, str] = os.environ
    if in_checkout():
        os.chdir(ROOT)
        variables = embedded_stack().environment()
    given = variables.get(WARNINGS)
    launch(
        ["airflow", *arguments], {**variables, WARNINGS: f"{given},{NO_GRAPHVIZ}" if given else NO_GRAPHVIZ}
    )
