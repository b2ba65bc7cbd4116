"""What a site states beside a document: when it came in and through whom, and its resources' numbers.

An export writes it as a processing instruction before the root element: XML's own place for a note from one
program to another. Every other reader passes over it, and the document stays valid against its schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import Connection, select, update

from connectomedb.errors import DocumentError
from connectomedb.schema.documents import UNWRITABLE
from connectomedb.schema.model import Item
from connectomedb.store import tables as t
from connectomedb.store.writer import Imported
from connectomedb.vocabulary.records import Accessibility

DATES = ("insert_date", "last_modified")
COLUMNS = ("insert_date", "insert_user", "last_modified")
_WRITTEN = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?<\?connectomedb\s+(.*?)\s*\?>", re.DOTALL
)
# Numbers are drawn from a counter of 64 bits, which an import must leave room.
_MOST = 2**53
_BATCH = 500


def load(connection: Connection, documents: Mapping[int, Item]) -> dict[int, Imported]:
    """Stored documents, by primary key, with what the site states beside them. Cost: two statements."""
    i = t.item.c
    rows = connection.execute(
        select(i.pk, i.insert_date, i.insert_user, i.last_modified, t.project.c.accessibility)
        .select_from(t.item.outerjoin(t.project, t.project.c.pk == i.pk))
        .where(i.pk.in_(documents))
    ).all()
    numbers: dict[int, dict[str, int]] = {}
    for root, spot, number in _parts(connection, documents):
        if number is not None:
            numbers.setdefault(root, {})[spot] = number
    return {
        row.pk: Imported(
            documents[row.pk],
            row.insert_date,
            row.insert_user,
            row.last_modified,
            row.accessibility or "private",
            numbers.get(row.pk, {}),
        )
        for row in rows
    }


def _parts(connection: Connection, roots: Mapping[int, Item]) -> Iterator[tuple[int, str, int | None]]:
    """Root, place in its document and number of every part, owners before what is in them."""
    i = t.item.c
    query = (
        select(i.pk, i.root_pk, i.owner_pk, i.place, i.number)
        .where(i.root_pk.in_(roots), i.place.is_not(None))
        .order_by(i.owner_pk, i.place, i.entry)
    )
    inside: dict[int, list[Any]] = {}
    for row in connection.execute(query):
        inside.setdefault(row.owner_pk, []).append(row)
    spots = dict.fromkeys(roots, "")
    while spots:
        below: dict[int, str] = {}
        for pk, spot in spots.items():
            n_seen: dict[str, int] = {}
            for row in inside.get(pk, ()):
                n_seen[row.place] = n_seen.get(row.place, 0) + 1
                below[row.pk] = f"{spot}/{row.place}[{n_seen[row.place]}]".lstrip("/")
                yield row.root_pk, below[row.pk], row.number
        spots = below


# In documents


def write_facts(document: bytes, stated: Imported) -> bytes:
    """The document, as `schema.documents` writes it, with what is stated beside it."""
    said: dict[str, Any] = {
        "insert_date": stated.insert_date and stated.insert_date.isoformat(),
        "insert_user": stated.insert_user,
        "last_modified": stated.last_modified and stated.last_modified.isoformat(),
        "accessibility": stated.accessibility if stated.accessibility != "private" else "",
        "numbers": dict(stated.numbers),
    }
    text = json.dumps({name: value for name, value in said.items() if value}, separators=(",", ":"))
    # JSON has a second spelling for any character, so that nothing in it ends the instruction.
    note = b"<?connectomedb " + text.replace(">", "\\u003e").encode() + b"?>\n"
    head, line_end, rest = document.partition(b"?>\n")
    return head + line_end + note + rest


def read_facts(document: bytes, item: Item) -> Imported | None:
    """The item with what its document states beside it; None when that is nothing.

    Raises   DocumentError for a statement that means nothing
    """
    found = _WRITTEN.match(document)
    if found is None:
        return None
    try:
        said = json.loads(found[1])
    except (ValueError, RecursionError) as problem:
        raise DocumentError(f"<?connectomedb ?> holds no JSON ({problem}); leave it out") from problem
    if not isinstance(said, dict):
        raise DocumentError("<?connectomedb ?> holds no object of facts; leave it out")
    facts = {name: value for name, value in said.items() if name != "numbers"}
    return parse_facts(item, facts, said.get("numbers", {}))


def parse_facts(item: Item, said: Mapping[str, Any], numbers: Any = None) -> Imported:
    """The item with facts as texts. Raises DocumentError naming the one that means nothing."""
    accessibility = said.get("accessibility", "private")
    if accessibility not in get_args(Accessibility):
        raise DocumentError(
            f"accessibility is {accessibility!r}: it is none of {', '.join(get_args(Accessibility))}"
        )
    user = said.get("insert_user", "")
    if not isinstance(user, str) or UNWRITABLE.search(user):
        raise DocumentError(f"insert_user is {user!r}: it is no name")
    return Imported(
        item,
        _moment(said, "insert_date"),
        user,
        _moment(said, "last_modified"),
        accessibility,
        _numbers(numbers or {}),
    )


def _moment(said: Mapping[str, Any], name: str) -> datetime | None:
    """A date in UTC, as the database keeps it; None when it is not said."""
    text = said.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except (AttributeError, ValueError, OverflowError) as problem:
        raise DocumentError(f"{name} is {text!r}: it is no date like 2013-03-01T12:00:00") from problem


def _numbers(said: Any) -> dict[str, int]:
    if not isinstance(said, dict):
        raise DocumentError(f"numbers is {said!r}: it names places: {{'resources/resource[1]': 12}}")
    for spot, number in said.items():
        if type(number) is not int or not 0 < number < _MOST:
            raise DocumentError(f"the number of {spot} is {number!r}: none that a resource can have")
    return said


# In the archive


def with_free_numbers(connection: Connection, given: Sequence[Item | Imported]) -> Iterator[Item | Imported]:
    """The documents, without those numbers that other resources of this site have: they get fresh ones."""
    wanted = {number for one in given if isinstance(one, Imported) for number in one.numbers.values()}
    taken = set(_in_use(connection, sorted(wanted)))
    for one in given:
        if isinstance(one, Imported) and taken:
            free = {spot: number for spot, number in one.numbers.items() if number not in taken}
            yield Imported(
                one.item, one.insert_date, one.insert_user, one.last_modified, one.accessibility, free
            )
        else:
            yield one


def keep(connection: Connection, item_id: str, stated: Imported) -> None:
    """A document that is there has the dates, the user and the resource numbers that another site states.

    Who may see a project is decided here, so its accessibility stays as it is.
    """
    i = t.item.c
    root, parts = connection.scalar(select(i.pk).where(i.id == item_id)), i.place.is_not(None)
    dates = {name: getattr(stated, name) for name in COLUMNS if getattr(stated, name)}
    if dates:
        # Its parts have the dates of their document, as they have when it comes in.
        connection.execute(update(t.item).where(i.root_pk == root).values(dates))
    taken = set(_in_use(connection, sorted(stated.numbers.values())))
    wanted = {spot: number for spot, number in stated.numbers.items() if number not in taken}
    if wanted:
        rows = connection.execute(
            select(i.pk, i.id, i.owner_pk, i.place).where(i.root_pk == root, parts)
        ).all()
        there = {(row.owner_pk, row.place, row.id.rpartition("/")[2]): row.pk for row in rows}
        for spot, pk in _found(root, stated.item, there, ""):
            if spot in wanted:
                connection.execute(update(t.item).where(i.pk == pk).values(number=wanted[spot]))
        c = t.counter.c
        highest = max(wanted.values())
        connection.execute(
            update(t.counter).where(c.name == "resource", c.value < highest).values(value=highest)
        )


def _found(
    owner: int | None, item: Item, there: Mapping[tuple[Any, str, str], int], spot: str
) -> Iterator[tuple[str, int]]:
    """Place in the document and primary key of every part of it that is stored, as it is called there."""
    for path, entries in item.children.items():
        for entry, part in enumerate(entries, 1):
            pk = there.get((owner, path, part.text("label") or part.text("ID")))
            if pk is not None:
                here = f"{spot}/{path}[{entry}]".lstrip("/")
                yield here, pk
                yield from _found(pk, part, there, here)


def _in_use(connection: Connection, numbers: Sequence[int]) -> Iterator[int]:
    n = t.item.c.number
    for start in range(0, len(numbers), _BATCH):
        yield from connection.scalars(select(n).where(n.in_(numbers[start : start + _BATCH])))
