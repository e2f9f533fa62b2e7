"""People and time: employees, time types, timesheets with their entries, and allocations.

The company keeps none of these; they are derived from its calendar, so they grow as its clock moves on.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.company import chart, words
from tests.sandbox.sage_intacct import OPEN_ENTITY, USER_ID, USER_RECORDNO
from tests.sandbox.sage_intacct.tables import ACTIVE, Columns, Table, audit_columns, owner_columns
from tests.sandbox.sage_intacct.tables_masters import founded
from tests.sandbox.sage_intacct.view import Stamps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.sage_intacct.view import View

_EMPLOYEES = 8
_FIRST_WEEK = dt.date(2026, 4, 6)
_MOST_WEEKS = 520
_DAYS = (0, 2, 4)
_TIME_TYPES = ("Regular", "Overtime & travel")
_ALLOCATIONS = (
    ("RENT-SPLIT", "Rent by floor space", (("000100", "40"), ("000200", "35.5"), ("000300", "24.5"))),
    ("0017", "IT by heads", (("000100", "50"), ("000400", "50"))),
)


class Employee(NamedTuple):
    """One of the people; codes have leading zeros."""

    number: int
    code: str
    name: str
    department: str
    location: str
    stamps: Stamps


class Sheet(NamedTuple):
    """What an employee did in a week: entered on Friday, approved on Monday."""

    number: int
    employee: Employee
    begins_on: dt.date
    is_approved: bool
    stamps: Stamps


class Entry(NamedTuple):
    """Hours of a day."""

    sheet: Sheet
    place: int
    day: dt.date


class Share(NamedTuple):
    """A line of an allocation."""

    number: int
    parent: int
    allocation: str
    place: int
    department: str
    percent: Decimal


def employees(view: View) -> list[Employee]:
    """The people of the company."""
    centers = [code for code, _ in chart.COST_CENTERS[1:]]
    branches = [code for code, _, _ in chart.BRANCHES]
    return [
        Employee(
            number,
            f"{number:04d}",
            words.SURNAMES[number],
            centers[number % len(centers)],
            branches[number % len(branches)],
            founded(view, f"employee-{number}"),
        )
        for number in range(1, _EMPLOYEES + 1)
    ]


def _sheets(view: View) -> Iterator[Sheet]:
    now = view.company.clock
    people = employees(view)
    for week in range(_MOST_WEEKS):
        begins_on = _FIRST_WEEK + dt.timedelta(days=7 * week)
        entered = dt.datetime.combine(begins_on + dt.timedelta(days=4), dt.time(17), tzinfo=dt.UTC)
        approved = entered + dt.timedelta(days=2, hours=16)
        if entered > now:
            return
        for person in people:
            changed = approved if approved <= now else entered
            number = week * 100 + person.number
            stamps = Stamps(f"sheet-{number}", entered, changed)
            yield Sheet(number, person, begins_on, approved <= now, stamps)


def _entries(view: View) -> Iterator[Entry]:
    for sheet in _sheets(view):
        for place, day in enumerate(_DAYS, start=1):
            yield Entry(sheet, place, sheet.begins_on + dt.timedelta(days=day))


def _shares(_: View) -> list[Share]:
    return [
        Share(parent * 100 + place, parent, code, place, department, Decimal(percent))
        for parent, (code, _, parts) in enumerate(_ALLOCATIONS, start=1)
        for place, (department, percent) in enumerate(parts, start=1)
    ]


def _employee_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row.number,
        "EMPLOYEEID": lambda row: row.code,
        "TITLE": lambda _: "Clerk",
        "CONTACT_NAME": lambda row: row.name,
        "PERSONALINFO.CONTACTNAME": lambda row: row.name,
        "SSN": lambda row: f"000-00-{row.number:04d}",
        "BIRTHDATE": lambda row: dt.date(1970 + row.number, 1, row.number),
        "STARTDATE": lambda row: row.stamps.created_at.date(),
        "DEPARTMENTID": lambda row: row.department,
        "LOCATIONID": lambda row: row.location,
        "STATUS": lambda _: "active",
        **audit_columns(view, "EMPLOYEE", lambda row: row.stamps),
    }


def _time_type_columns(_: View) -> Columns:
    return {
        "RECORDNO": lambda row: row[0],
        "NAME": lambda row: row[1],
        "ACCOUNTNO": lambda _: "600000",
        "STATUS": lambda _: "active",
    }


def _sheet_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row.number,
        "EMPLOYEEKEY": lambda row: row.employee.number,
        "EMPLOYEEID": lambda row: row.employee.code,
        "EMPLOYEENAME": lambda row: row.employee.name,
        "DESCRIPTION": lambda row: f"Week of {row.begins_on:%m/%d/%Y}",
        "STATE": lambda row: "Approved" if row.is_approved else "Submitted",
        "BEGINDATE": lambda row: row.begins_on,
        "ENDDATE": lambda row: row.begins_on + dt.timedelta(days=6),
        "HOURSINDAY": lambda _: Decimal(8),
        "UOM": lambda _: "Hours",
        **audit_columns(view, "TIMESHEET", lambda row: row.stamps),
        **owner_columns(view, lambda row: row.employee.location),
    }


def _entry_columns(view: View) -> Columns:
    projects = list(view.company.projects.values())
    return {
        "RECORDNO": lambda row: row.sheet.number * 10 + row.place,
        "LINENO": lambda row: row.place,
        "TIMESHEETKEY": lambda row: row.sheet.number,
        "ENTRYDATE": lambda row: row.day,
        "QTY": lambda row: Decimal(row.place) + Decimal("5.25"),
        "DESCRIPTION": lambda row: f"Day {row.place}",
        "STATE": lambda row: "Approved" if row.sheet.is_approved else "Submitted",
        "EMPLOYEEID": lambda row: row.sheet.employee.code,
        "EMPLOYEENAME": lambda row: row.sheet.employee.name,
        "EMPLOYEEDIMKEY": lambda row: row.sheet.employee.number,
        "DEPARTMENTID": lambda row: row.sheet.employee.department,
        "LOCATIONID": lambda row: row.sheet.employee.location,
        "PROJECTID": lambda row: projects[row.sheet.employee.number % 3].code,
        "PROJECTKEY": lambda row: projects[row.sheet.employee.number % 3].project_id,
        "TIMETYPE": lambda _: _TIME_TYPES[0],
        "TIMETYPEKEY": lambda _: 1,
        "BILLABLE": lambda row: row.place == 1,
        "BILLED": lambda _: "F",
        **audit_columns(view, "TIMESHEETENTRY", lambda row: row.sheet.stamps),
    }


def _allocation_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row[0],
        "ALLOCATIONID": lambda row: row[1],
        "DESCRIPTION": lambda row: row[2],
        "TYPE": lambda _: "Percentage",
        "STATUS": lambda _: "active",
        **audit_columns(view, "ALLOCATION", lambda row: founded(view, row[1])),
    }


def _share_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row.number,
        "ALLOCATIONKEY": lambda row: row.parent,
        "ALLOCATIONID": lambda row: row.allocation,
        "LINE_NO": lambda row: row.place,
        "VALUETYPE": lambda _: "Percentage",
        "VALUE": lambda row: row.percent,
        "DEPARTMENTID": lambda row: row.department,
        "LOCATIONID": lambda _: OPEN_ENTITY,
        **audit_columns(view, "ALLOCATIONENTRY", lambda row: founded(view, row.allocation)),
    }


def _run_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda _: 1,
        "ACCTALLOCATIONID": lambda _: "OVERHEAD",
        "DESCRIPTION": lambda _: "Overhead by revenue",
        "METHODOLOGY": lambda _: "Dynamic allocation",
        "STATUS": lambda _: "active",
        "POSTINGJOURNAL": lambda _: "GJ",
        "NOOFPOSTEDBATCH": lambda _: 0,
        **audit_columns(view, "GLACCTALLOCATION", lambda row: row),
    }


def _user_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row[0],
        "LOGINID": lambda row: row[1],
        "DESCRIPTION": lambda row: row[2],
        "ADMIN": lambda _: "Off",
        "USERTYPE": lambda _: "business",
        "STATUS": lambda _: "active",
        "VISIBLE": lambda _: True,
        "PWDNEVEREXPIRES": lambda _: True,
        **audit_columns(view, "USERINFO", lambda row: founded(view, row[1])),
    }


TABLES = {
    "EMPLOYEE": Table(
        rows=employees, columns=_employee_columns, natural="EMPLOYEEID", codes={"STATUS": ACTIVE}
    ),
    "TIMETYPE": Table(
        rows=lambda _: enumerate(_TIME_TYPES, start=1), columns=_time_type_columns, natural="NAME"
    ),
    "TIMESHEET": Table(
        rows=_sheets,
        columns=_sheet_columns,
        entity=lambda row: row.employee.location,
        lines=("TIMESHEETENTRIES", "TIMESHEETENTRY", "TIMESHEETKEY"),
    ),
    "TIMESHEETENTRY": Table(
        rows=_entries, columns=_entry_columns, entity=lambda row: row.sheet.employee.location
    ),
    "ALLOCATION": Table(
        rows=lambda _: [(number, *row) for number, row in enumerate(_ALLOCATIONS, start=1)],
        columns=_allocation_columns,
        natural="ALLOCATIONID",
    ),
    "ALLOCATIONENTRY": Table(rows=_shares, columns=_share_columns),
    "GLACCTALLOCATION": Table(rows=lambda view: [founded(view, "overhead")], columns=_run_columns),
    "USERINFO": Table(
        rows=lambda _: [(1, "admin", "Administrator"), (USER_RECORDNO, USER_ID, "Web Services user")],
        columns=_user_columns,
        natural="LOGINID",
    ),
}
