"""What does not come from the company's books: the user, the divisions, what is gone, and the sync function."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.company import chart
from tests.sandbox.exact_online import (
    ARCHIVED_DIVISION,
    DIVISIONS,
    FORBIDDEN_DIVISION,
    SECOND_LICENCE_DIVISION,
)
from tests.sandbox.exact_online.clock import ZONE, midnight, wall
from tests.sandbox.exact_online.endpoints import ENDPOINTS
from tests.sandbox.exact_online.errors import bad_request, not_found
from tests.sandbox.exact_online.filters import parse_literal
from tests.sandbox.exact_online.rows.row import Row, guid
from tests.sandbox.exact_online.rows.view import USER_ID, USER_NAME
from tests.sandbox.exact_online.shapes import Kind
from tests.sandbox.exact_online.stamps import gone_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.sandbox.company.world import World
    from tests.sandbox.exact_online.clock import Clock
    from tests.sandbox.exact_online.stamps import Stamps
    from tests.sandbox.exact_online.switches import Switches
    from tests.sandbox.exact_online.tables import Tables

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
_LICENCES = {
    "first": ("5f0d1c7a-2c7e-4a55-8c55-000000000614", "1265594", chart.COMPANY_NAME),
    "second": ("5f0d1c7a-2c7e-4a55-8c55-000000000615", "2204417", "Meridian Holding B.V."),
}
_FOUNDED = midnight(dt.date(2025, 1, 1))


class Division(NamedTuple):
    """One division. `status` is that of `system/Divisions`: 0 inactive, 1 active, 2 archived."""

    code: int
    name: str
    country: str
    licence: str
    status: int = 1
    accessible: bool = True


class System:
    """The endpoints around the books.

    Attributes:
        current_division: What the user opened last; a test may open another one.
    """

    def __init__(
        self, world: World, clock: Clock, stamps: Stamps, tables: Tables, switches: Switches
    ) -> None:
        self.current_division = DIVISIONS["HQ"]
        self._world = world
        self._clock = clock
        self._stamps = stamps
        self._tables = tables
        self._switches = switches

    def divisions(self) -> dict[int, Division]:
        """All divisions that exist, by code."""
        branches = self._world.company.branches
        found = [
            Division(DIVISIONS[code], branches[code].name, branches[code].country, "first")
            for code in DIVISIONS
        ]
        found += [
            Division(ARCHIVED_DIVISION, "Müller & Søn (archief 2019)", "NL", "first", status=2),
            Division(FORBIDDEN_DIVISION, "Holding, board only", "NL", "first", accessible=False),
            Division(SECOND_LICENCE_DIVISION, "Meridian Holding B.V.", "NL", "second"),
        ]
        return {each.code: each for each in found}

    # ------------------------------------------------------------------ rows

    def division_rows(self, path: str, division: int) -> list[Row]:
        """`system/Divisions`, `system/AllDivisions` and `hrm/Divisions`."""
        licence = self.divisions()[division].licence
        shown = [
            each
            for each in self.divisions().values()
            if (path == "system/AllDivisions" and each.licence == licence)
            or (path == "system/Divisions" and each.accessible)
            or (path == "hrm/Divisions" and each.accessible and each.licence == licence)
        ]
        return [self._division_row(each, path) for each in sorted(shown)]

    def _division_row(self, each: Division, path: str) -> Row:
        customer, code, name = _LICENCES[each.licence]
        moved_at = self._stamps.register(each.code).moved_at
        is_main = each.code in {DIVISIONS["HQ"], SECOND_LICENCE_DIVISION}
        values: dict[str, Any] = {
            "Code": each.code,
            "Description": each.name,
            "Country": each.country.ljust(3) if self._switches.padded else each.country,
            "Currency": self._world.company.base_currency,
            "Customer": customer,
            "CustomerCode": code.rjust(18) if self._switches.padded else code,
            "CustomerName": name,
            "Created": _FOUNDED,
            "Modified": _FOUNDED if moved_at is None else wall(moved_at),
            "Creator": USER_ID,
            "CreatorFullName": USER_NAME,
            "StartDate": _FOUNDED,
            "ArchiveDate": _FOUNDED if each.status == 2 else None,
            "BlockingStatus": 0,
            "DivisionMoveDate": None if moved_at is None else wall(moved_at),
            "Current": each.code == self.current_division,
            "IsMainDivision": is_main,
            "Main": is_main,
            "Legislation": each.country.ljust(3) if self._switches.padded else each.country,
            "Hid": each.code % 100_000,
            "HID": each.code % 100_000,
        }
        if path == "hrm/Divisions":
            values["Status"] = 1 if each.status == 2 else 0
            values["CurrencyDescription"] = "US Dollar"
        else:
            values["Status"] = each.status
        return Row(str(each.code), values)

    def deleted_rows(self, division: int) -> list[Row]:
        """`sync/Deleted`: rows that went less than two months ago."""
        self._tables.refresh(division)
        oldest = self._clock.company_now() - dt.timedelta(days=self._switches.deleted_days)
        rows: list[Row] = []
        for gone in self._stamps.register(division).gone:
            if gone.deleted_at < oldest:
                continue
            id_ = gone_id(division, gone)
            values = {
                "ID": id_,
                "Timestamp": gone.timestamp,
                "DeletedBy": USER_ID,
                "DeletedDate": wall(gone.deleted_at),
                "Division": division,
                "EntityKey": gone.key,
                "EntityType": gone.entity_type,
            }
            rows.append(Row(id_, values))
        return rows

    def me_row(self) -> Row:
        """`current/Me`."""
        now = self._clock.company_now()
        offset = now.astimezone(ZONE).utcoffset()
        seconds = 0 if offset is None else int(offset.total_seconds())
        customer, code, name = _LICENCES["first"]
        local = wall(now).replace(microsecond=0)
        values: dict[str, Any] = {
            "UserID": USER_ID,
            "UserName": "sandbox.integration",
            "FullName": USER_NAME,
            "FirstName": "Sandbox",
            "LastName": "Integration",
            "Email": "integration@meridian.example",
            "CurrentDivision": self.current_division,
            "DivisionCustomer": customer,
            "DivisionCustomerCode": code.rjust(18) if self._switches.padded else code,
            "DivisionCustomerName": name,
            "EmployeeID": ZERO_GUID if self._switches.empty_guid else None,
            "AccountingDivision": self.current_division,
            "CustomerCode": code.rjust(18) if self._switches.padded else code,
            "Language": "EN",
            "LanguageCode": "en-GB",
            "Legislation": 128,
            "ServerTime": local.isoformat(),
            "ServerUtcOffset": seconds
            if self._switches.offset_seconds is None
            else self._switches.offset_seconds,
            "IsClientUser": False,
            "IsMyFirmLiteUser": False,
            "IsMyFirmPortalUser": False,
            "IsStarterUser": False,
            "ThumbnailPicture": b"GIF89a",
            "ThumbnailPictureFormat": "gif",
        }
        return Row(USER_ID, values)

    # ------------------------------------------------------------------ function

    def sync_timestamp(self, division: int, options: Mapping[str, str]) -> Row:
        """`SyncTimestamp`: behind which row version everything modified since a moment lies.

        Raises:
            Refusal: 400 without its two parameters, 404 for an endpoint that has no row versions.
        """
        literals = {name: parse_literal(options.get(name, "")) for name in ("modified", "endPoint")}
        modified, name = literals["modified"], literals["endPoint"]
        if modified is None or modified.kind is not Kind.TIME or name is None or name.kind is not Kind.TEXT:
            raise bad_request("The function needs modified=datetime'...' and endPoint='...'.")
        rows = self._rows_of(division, name.value)
        later = [row for row in rows if row.values["Modified"] >= modified.value]
        register = self._stamps.register(division)
        first = min(later, key=lambda row: int(row.values["Timestamp"]), default=None)
        values = {
            "API": name.value,
            "Modified": modified.value if first is None else first.values["Modified"],
            "TimeStampAsBigInt": register.last if first is None else first.values["Timestamp"] - 1,
        }
        return Row(name.value, values)

    def _rows_of(self, division: int, name: str) -> Iterator[Row]:
        for path, endpoint in ENDPOINTS.items():
            if endpoint.is_sync and path.rpartition("/")[2].lower() == name.lower():
                return iter(self._tables.table(division, endpoint.source).rows)
        raise not_found(f"Endpoint '{name}' is not supported")


def webhook_id(*parts: object) -> str:
    """The guid of something on the webhook side."""
    return guid(_LICENCES["first"][0], *parts)
