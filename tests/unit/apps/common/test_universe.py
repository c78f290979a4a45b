"""universe.csv: what is read of it, and what is refused."""

from datetime import date
from pathlib import Path

import pytest

from apps.common.stage import BadData
from apps.common.universe import current, outside, read_universe
from apps.ingestion.universe import SAMPLE

META = "META,Facebook,Technology,2012-05-18,2022-06-08\nMETA,Meta Platforms,Technology,2022-06-09,\n"


def read(folder: Path, text: str):
    path = folder / "universe.csv"
    path.write_text(text)
    return read_universe(path)


@pytest.mark.parametrize(
    ("day", "names"),
    [
        (date(2012, 5, 17), []),
        (date(2012, 5, 18), ["Facebook"]),
        (date(2022, 6, 8), ["Facebook"]),
        (date(2022, 6, 9), ["Meta Platforms"]),
        (date(2099, 1, 1), ["Meta Platforms"]),
    ],
)
def test_a_line_holds_for_its_days(tmp_path: Path, day: date, names: list[str]) -> None:
    table = read(tmp_path, f"symbol,name,sector,from,to\n{META}")
    assert current(table, day)["name"].to_list() == names
    assert outside(table, day).to_list() == ([] if names else ["META"])


def test_what_people_write(tmp_path: Path) -> None:
    table = read(tmp_path, '\ufeffSymbol, Name ,sector\n xom ,"Exxon, Mobil",\n,,\nKO,Coca-Cola,Food\n')
    rows = current(table, date(2026, 11, 20)).select("line", "symbol", "name", "sector").rows()
    assert rows == [(4, "KO", "Coca-Cola", "Food"), (2, "XOM", "Exxon, Mobil", None)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not readable"),
        ("symbol,name\nKO,Coca-Cola\n", "line 1 has no column sector"),
        ("symbol,name,sector\nKO,,Food\n", "line 2, symbol KO: column name is empty"),
        ("symbol,name,sector\n,Coca-Cola,Food\n", "line 2, symbol (none): column symbol is empty"),
        (
            "symbol,name,sector,from,to\nKO,Coca-Cola,Food,1.1.2020,\n",
            "symbol KO: column from is not",
        ),
        ("symbol,name,sector,from,to\nKO,Coke,Food,2020-01-02,2020-01-01\n", "line 2, symbol KO: column to"),
        (
            f"symbol,name,sector,from,to\n{META}META,M,T,2023-01-01,\n",
            "line 4, symbol META: its dates",
        ),
        ("symbol,name,sector\nKO,Coke,Food\nko,Coke,Food\n", "line 3, symbol KO: its dates overlap"),
        ("symbol,name,sector\nKO,Coke,Food,more\n", "not readable"),
        ("symbol,name,sector,Symbol \nKO,Coke,Food,K\n", "not readable"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadData, match=r"universe\.csv") as error:
        read(tmp_path, text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_the_sample_names_its_stocks() -> None:
    table = current(read_universe(SAMPLE), date(2026, 11, 20))
    assert table.height == 20
    assert table["sector"].null_count() == 0
