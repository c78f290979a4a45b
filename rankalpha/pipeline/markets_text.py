"""Changes one market in the text of the file of the markets, whose comments and layout stay.

The text is taken apart at the lines that begin a table. Within one, tomlkit changes a key that is there; a
new key gets a line below the last one, and a new table is put at the end.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomlkit

from rankalpha.pipeline.promotion import WAY

Place = tuple[str, ...]  # the keys that lead to a table


@dataclass
class Block:
    """The lines of one table: its header, and what follows up to the next one."""

    place: Place
    lines: list[str]

    @property
    def end(self) -> int:
        """How many lines come before the comments at its end, which may be the next table's."""
        used = [number for number, line in enumerate(self.lines, 1) if line.partition("#")[0].strip()]
        return used[-1] if used else 0


def changed_text(text: str, market: str, table: Mapping[str, Any]) -> str:
    """Return the text of a file in which a market has another way, other variants and more promotions."""
    before = tomllib.loads(text)[market]
    blocks = list(_blocks(text))
    for key in WAY:
        if before.get(key) != table.get(key):
            _put(blocks, market, key, table.get(key))
    old, new = before.get("variants", {}), table.get("variants", {})
    for variant in old.keys() - new.keys():
        _remove(blocks, (market, "variants", *([variant] if new else [])))
    made = []
    if new.keys() > old.keys() and _holds(blocks, market, "variants"):
        _put(blocks, market, "variants", new)
    else:
        made = [_table(f"[{market}.variants.{name}]", new[name]) for name in new.keys() - old.keys()]
    records = table["promotions"][len(before.get("promotions", ())) :]
    made += [_table(f"[[{market}.promotions]]", record) for record in records]
    kept = "".join(line for block in blocks for line in block.lines).rstrip("\n")
    return "\n\n".join([kept, *made]) + "\n"


def _blocks(text: str) -> Iterator[Block]:
    block = Block((), [])
    for line in text.splitlines(keepends=True):
        if place := _place(line):
            yield block
            block = Block(place, [])
        block.lines.append(line)
    yield block


def _place(line: str) -> Place:
    """Return the keys of a table's header; none for any other line."""
    if not line.lstrip().startswith("["):
        return ()
    try:
        found: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    place = []
    while isinstance(found, dict) and found:
        ((key, found),) = found.items()
        place.append(key)
    return (*place, "") if isinstance(found, list) else tuple(place)  # an array's tables are not changed


def _put(blocks: list[Block], market: str, key: str, value: Any) -> None:
    """Give a market's table a key, where it is or below the last one; without a value, take the key away."""
    block = _own(blocks, market)
    if value is not None and _holds(blocks, market, key):
        document: Any = tomlkit.parse("".join(block.lines))
        document[market][key] = _inline(value)
        block.lines = tomlkit.dumps(document).splitlines(keepends=True)
        return
    _remove(blocks, (market, key))
    if value is not None:
        end = block.end
        if not block.lines[end - 1].endswith("\n"):
            block.lines[end - 1] += "\n"
        block.lines.insert(end, f"{key} = {_inline(value).as_string()}\n")


def _own(blocks: list[Block], market: str) -> Block:
    """Return the block of a market's own keys, which is made when there are only tables below it."""
    places = [block.place for block in blocks]
    if (market,) not in places:
        first = [place[:1] for place in places].index((market,))
        blocks.insert(first, Block((market,), [f"[{market}]\n", "\n"]))
        return blocks[first]
    return blocks[places.index((market,))]


def _holds(blocks: list[Block], market: str, key: str) -> bool:
    """Return whether a key stands among a market's own, and not in a table with a header."""
    return key in tomllib.loads("".join(_own(blocks, market).lines))[market]


def _remove(blocks: list[Block], place: Place) -> None:
    """Take a table or a key away, with the tables below it; the comments after a table stay."""
    for block in blocks:
        if block.place[: len(place)] == place:
            block.lines = block.lines[block.end :]
        elif block.place and place[: len(block.place)] == block.place:
            document = tomlkit.parse("".join(block.lines))
            if _delete(document, place):
                block.lines = tomlkit.dumps(document).splitlines(keepends=True)


def _delete(table: Any, place: Sequence[str]) -> bool:
    """Delete what is at a place; return whether it was there."""
    key, *below = place
    if key not in table:
        return False
    if below:
        return _delete(table[key], below)
    del table[key]
    return True


def _inline(value: Any) -> Any:
    """Return a value for the right-hand side of a line."""
    if not isinstance(value, Mapping):
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    for key, item in value.items():
        table.append(key, _inline(item))
    return table


def _table(header: str, values: Mapping[str, Any]) -> str:
    """Return a table with a line for each key."""
    lines = (tomlkit.inline_table().append(key, _inline(value)) for key, value in values.items())
    return "\n".join([header, *(line.as_string()[1:-1] for line in lines)])
