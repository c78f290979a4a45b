"""Shows the best grades of a batch on the terminal."""

import requests
from rich.console import Console
from rich.table import Table

from rankalpha.no_proxy import direct

TOP = 10


def show_grades(api_url: str, batch: str) -> None:
    """Print the best stocks of a batch; nothing where the API is not the reference one."""
    try:
        url = f"{api_url}/api/v1/grading/grades"
        answer = requests.get(url, params={"batch": batch}, timeout=10, proxies=direct(url)).json()
        table = Table(title=f"Top grades of batch {answer['batch']}, prices as of {answer['as_of']}")
        for column in ("rank", "symbol", "grade", "composite"):
            table.add_column(column, justify="right" if column in ("rank", "composite") else "left")
        for row in answer["grades"][:TOP]:
            table.add_row(str(row["rank"]), row["symbol"], row["grade"], f"{row['composite']:.1f}")
    except (requests.RequestException, KeyError, TypeError, ValueError):
        return
    Console().print(table)
