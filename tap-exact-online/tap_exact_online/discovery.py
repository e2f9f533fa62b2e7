"""What the signed-in user may read: the divisions, the server's clock, and what has been withdrawn.

Streams and their properties are the vendor's published reference (`tap_exact_online.streams`); asking an instance
for them would cost calls of the daily quota and tell nothing more.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import re
from typing import TYPE_CHECKING, Any, Final

from tap_exact_online.errors import ForbiddenError, ServerTroubleError, UserError
from tap_exact_online.paging import rows_in, walk, wall

if TYPE_CHECKING:
    import zoneinfo
    from collections.abc import Mapping, Sequence

    from tap_exact_online.client import Client
    from tap_exact_online.clock import Clock
    from tap_exact_online.errors import RefusedError
    from tap_exact_online.paging import Row
    from tap_exact_online.store import Store

ENDPOINT: Final = "system/Divisions"
ALL_ACTIVE: Final = "all_active"
_ACTIVE: Final = 1
_STAMPS: Final = ("DivisionMoveDate", "DivisionHRLinkUnlinkDate")
_FEW_SECONDS: Final = 120
_LEARNED: Final = "learned"

_LOG: Final = logging.getLogger("tap-exact-online")


@dataclasses.dataclass(frozen=True)
class Division:
    """One company.

    Attributes:
        code: Its number, as in addresses.
        name: What it is called.
        currency: Its default currency.
        stamp: Changes when Exact Online gives all rows of the division new row versions.
    """

    code: int
    name: str
    currency: str | None
    stamp: str


@dataclasses.dataclass(frozen=True)
class Company:
    """What was found out before any stream is read.

    Attributes:
        divisions: Those to read, in the order of the setting.
        rows: All divisions that the user may open, as the API gives them.
        now: What time it is at the server.
    """

    divisions: list[Division]
    rows: list[Row]
    now: dt.datetime


def look_around(
    client: Client, config: Mapping[str, Any], zone: zoneinfo.ZoneInfo, fields: Sequence[str]
) -> Company:
    """Find out who is signed in, what time it is, and which divisions there are.

    Args:
        client: Sends the calls: one that costs nothing, and one per 60 divisions.
        config: Settings of the tap.
        zone: The wall clock that the servers are believed to have.
        fields: Properties of divisions to ask for.

    Raises:
        UserError: A configured division cannot be opened by this user.
        ApiError: The server does not tell.
    """
    found, _ = rows_in(client.me())
    if not found:
        raise ServerTroubleError("current/Me tells nobody is signed in")
    me = found[0]
    now = _now(me, zone) or dt.datetime.fromtimestamp(client.limits.server.now(), dt.UTC)
    _check_zone(me, now, zone)
    wanted = _wanted(config)
    home = next(iter(wanted), None) or int(me["CurrentDivision"])
    needed = ["Code", "Currency", "Description", "Status", *_STAMPS]
    select = ",".join(dict.fromkeys([*needed, *fields]))
    try:
        rows = _divisions(client, home, select)
    except ForbiddenError:
        if home == int(me["CurrentDivision"]):
            raise
        rows = _divisions(client, int(me["CurrentDivision"]), select)
    return Company(_chosen(config, wanted, rows, int(me["CurrentDivision"])), rows, now)


def _divisions(client: Client, division: int, select: str) -> list[Row]:
    """All divisions; which of them is in the address does not matter, as long as the user may open it."""
    return [row for page in walk(client, division, ENDPOINT, {"$select": select}) for row in page]


def _wanted(config: Mapping[str, Any]) -> list[int]:
    codes = [str(code).strip() for code in config.get("divisions") or ()]
    if ALL_ACTIVE in codes:
        return []
    if wrong := [code for code in codes if not code.isdecimal()]:
        raise UserError(f"divisions: {', '.join(wrong)}: give numbers, or {ALL_ACTIVE} alone")
    return list(dict.fromkeys(int(code) for code in codes))


def _chosen(
    config: Mapping[str, Any], wanted: Sequence[int], rows: Sequence[Row], current: int
) -> list[Division]:
    known = {int(row["Code"]): _division(row) for row in rows}
    if ALL_ACTIVE in (config.get("divisions") or ()):
        return [known[int(row["Code"])] for row in rows if row.get("Status") == _ACTIVE]
    if not wanted:
        _LOG.warning(
            "divisions: not set; reading %d, which the user has open now. It changes when somebody opens another "
            "company, so set it",
            current,
        )
        wanted = [current]
    if missing := [code for code in wanted if code not in known]:
        offered = ", ".join(f"{code} ({each.name})" for code, each in known.items()) or "none"
        raise UserError(
            f"divisions: {', '.join(map(str, missing))} cannot be opened by this user, who may open: {offered}"
        )
    for code in wanted:
        status = next(row.get("Status") for row in rows if int(row["Code"]) == code)
        if status not in {_ACTIVE, None}:
            _LOG.warning("Division %d is not active (status %s)", code, status)
    return [known[code] for code in wanted]


def _division(row: Row) -> Division:
    return Division(
        code=int(row["Code"]),
        name=str(row.get("Description") or "").strip(),
        currency=str(row["Currency"]).strip() if row.get("Currency") else None,
        stamp="|".join(str(row.get(name) or "") for name in _STAMPS),
    )


def _now(me: Row, zone: zoneinfo.ZoneInfo) -> dt.datetime | None:
    """The server's time. It comes as wall clock: a bare text, or `/Date(…)/`."""
    value = me.get("ServerTime")
    if not isinstance(value, str):
        return None
    try:
        naive = wall(int(value[6:-2])) if value.startswith("/Date(") else dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    if naive.tzinfo is not None:
        return naive.astimezone(dt.UTC)
    offset = me.get("ServerUtcOffset")
    if offset is None:
        return naive.replace(tzinfo=zone).astimezone(dt.UTC)
    return (naive - dt.timedelta(seconds=int(offset))).replace(tzinfo=dt.UTC)


def _check_zone(me: Row, now: dt.datetime, zone: zoneinfo.ZoneInfo) -> None:
    """Warn when the server's wall clock is not the one that times are converted with."""
    offset = me.get("ServerUtcOffset")
    ours = now.astimezone(zone).utcoffset() or dt.timedelta()
    if offset is not None and abs(int(offset) - ours.total_seconds()) > _FEW_SECONDS:
        _LOG.warning(
            "server_timezone: the server is %d s ahead of UTC, %s is %d s; times are converted with %s all the same",
            int(offset),
            zone.key,
            int(ours.total_seconds()),
            zone.key,
        )


class Withdrawn:
    """Properties that the vendor has lately refused to give; they are left out for a while.

    Args:
        store: Where they are remembered from run to run.
        clock: The tap's clock.
        minutes: How long they are remembered.
    """

    def __init__(self, store: Store, clock: Clock, minutes: int) -> None:
        self._store = store
        self._clock = clock
        self._seconds = minutes * 60

    def of(self, endpoint: str) -> set[str]:
        """The properties of an endpoint."""
        kept = self._store.read(_LEARNED).get(endpoint) or {}
        age = self._clock.now() - float(kept.get("at", 0))
        return set(kept.get("without", ())) if 0 <= age < self._seconds else set()

    def learn(self, endpoint: str, select: str, error: RefusedError) -> set[str]:
        """Remember the selected properties that a refusal names in quotes, and return them."""
        names = {name.rpartition("/")[2] for name in select.split(",")}
        told = str(error).partition(": 400")[2]
        gone = {name for name in re.findall(r"['\"‘“](\w+)['\"’”]", told) if name in names}  # noqa: RUF001 - the vendor's quotes
        gone -= {"ID", "Timestamp", "Modified"}
        if gone:
            _LOG.warning("%s: the API no longer has %s; left out", endpoint, ", ".join(sorted(gone)))
            entry = {"without": sorted(gone | self.of(endpoint)), "at": self._clock.now()}
            self._store.write(_LEARNED, {**self._store.read(_LEARNED), endpoint: entry})
        return gone
