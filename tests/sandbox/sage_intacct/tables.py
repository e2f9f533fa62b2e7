"""Tables: the rows of an object and how a row shows each field. Fields without a column here are empty."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.sandbox.sage_intacct import USER_ID, USER_RECORDNO
from tests.sandbox.sage_intacct.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.company.basics import Record
    from tests.sandbox.sage_intacct.view import Stamps, View

Getter = Callable[[Any], Value]
Columns = dict[str, Getter]


def _shared(_: Any) -> str | None:
    """For rows that every entity sees."""
    return None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """Where an object's rows come from.

    Attributes:
        rows: Makes them, in any order.
        columns: How a row shows its fields, by field.
        entity: Code of the entity that owns a row; None for shared ones.
        natural: Field of the natural key, by which relations find the row.
        codes: Field to its labels and the codes the database has for them; `readByQuery` filters on codes.
        words: Field to its values and what `readByQuery` shows in their place.
        lines: Element and object of the owned lines that `read` nests, and the line's field with the parent's key.
    """

    rows: Callable[[View], Iterable[Any]]
    columns: Callable[[View], Columns]
    entity: Callable[[Any], str | None] = _shared
    natural: str | None = None
    codes: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    words: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    lines: tuple[str, str, str] | None = None


ACTIVE = {"active": "T", "inactive": "F"}


def status(active: bool) -> str:  # noqa: FBT001 - a getter's argument
    """STATUS of a master record."""
    return "active" if active else "inactive"


def flag(value: bool) -> str:  # noqa: FBT001 - a getter's argument
    """A flag in a TEXT field."""
    return "T" if value else "F"


def audit_columns(
    view: View, name: str, stamps: Callable[[Any], Stamps | Record], *, created: str = "WHENCREATED"
) -> Columns:
    """Who made and changed a row, and when; `created` is the field with the time of creation."""
    return {
        "CREATEDBY": lambda _: USER_RECORDNO,
        "MODIFIEDBY": lambda _: USER_RECORDNO,
        "CREATEDBYLOGINID": lambda _: USER_ID,
        "MODIFIEDBYLOGINID": lambda _: USER_ID,
        created: lambda row: stamps(row).created_at,
        "WHENMODIFIED": lambda row: view.modified(name, stamps(row)),
        "RECORD_URL": lambda row: (
            f"https://www.intacct.com/ia/acct/ur.phtml?.r={stamps(row).note_id.replace('-', '')[:24]}"
        ),
    }


def owner_columns(view: View, entity: Callable[[Any], str | None]) -> Columns:
    """The entity that owns a row: empty at the top level."""
    branches = view.company.branches

    def key(row: Any) -> Value:
        code = entity(row)
        return None if code is None else view.location_keys[code]

    def name(row: Any) -> Value:
        code = entity(row)
        return None if code is None else branches[code].name

    return {"MEGAENTITYKEY": key, "MEGAENTITYID": entity, "MEGAENTITYNAME": name}


def itself(row: Any) -> Any:
    """For rows that are records of the company."""
    return row
