"""Master records: vendors, customers, items, departments, locations, warehouses, projects, terms."""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sandbox.company import chart
from tests.sandbox.sage_intacct.tables import (
    ACTIVE,
    Columns,
    Table,
    audit_columns,
    itself,
    status,
)
from tests.sandbox.sage_intacct.view import CHANNELS, Stamps

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.company.model import Address, Branch, Customer, Item, Vendor
    from tests.sandbox.sage_intacct.view import View

CLASSES = (("10", "Core business"), ("20", "Services & Repair"), ("020", "Services, historic"))
_MULTI_PICK = "#~#"


def founded(view: View, note_id: str) -> Stamps:
    """The stamps of records that came with the company."""
    made = next(iter(view.company.branches.values())).created_at
    return Stamps(note_id, made, made)


def _contact_columns(group: str) -> Columns:
    """A contact group of a vendor or customer."""

    def address(part: str) -> Callable[[Any], str | None]:
        def get(row: Vendor | Customer) -> str | None:
            of: Address = row.address
            return getattr(of, part)  # type: ignore[no-any-return]

        return get

    return {
        f"{group}.CONTACTNAME": lambda row: f"{row.name}({row.code})",
        f"{group}.COMPANYNAME": lambda row: row.name,
        f"{group}.PRINTAS": lambda row: row.name,
        f"{group}.PHONE1": lambda row: row.phone,
        f"{group}.EMAIL1": lambda row: row.email,
        f"{group}.MAILADDRESS.ADDRESS1": address("line1"),
        f"{group}.MAILADDRESS.ADDRESS2": address("line2"),
        f"{group}.MAILADDRESS.CITY": address("city"),
        f"{group}.MAILADDRESS.STATE": address("state"),
        f"{group}.MAILADDRESS.ZIP": address("postal_code"),
        f"{group}.MAILADDRESS.COUNTRYCODE": address("country"),
    }


def _certificates(row: Vendor) -> str | None:
    return _MULTI_PICK.join(f"{key}:{value}" for key, value in row.attributes.items()) or None


def _vendor_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row.vendor_id,
        "VENDORID": lambda row: row.code,
        "NAME": lambda row: row.name,
        "ENTITY": lambda row: f"V{row.code}",
        "TERMNAME": lambda row: row.terms,
        "VENDTYPE": lambda row: row.vendor_class,
        "TAXID": lambda row: row.tax_id,
        "COMMENTS": lambda row: (
            f"Terms &amp; buyer's notes on {row.name}"
        ),  # encoded twice, as some values are
        "STATUS": lambda row: status(row.active),
        "CURRENCY": lambda row: row.currency,
        "APACCOUNT": lambda _: chart.ACCOUNTS_PAYABLE,
        "ACHENABLED": lambda row: row.vendor_id % 2 == 0,
        "ACHACCOUNTNUMBER": lambda row: f"{row.vendor_id:010d}" if row.vendor_id % 2 == 0 else None,
        "ACHBANKROUTINGNUMBER": lambda row: "011000015" if row.vendor_id % 2 == 0 else None,
        "ONHOLD": lambda _: False,
        "ONETIME": lambda _: False,
        "DONOTCUTCHECK": lambda _: False,
        "DEFAULT_LEAD_TIME": lambda row: row.vendor_id % 30,
        "CREDITLIMIT": lambda row: Decimal(1000 * (row.vendor_id % 7)),
        "TOTALDUE": lambda row: view.open_by_vendor.get(row.code, Decimal(0)),
        "RETAINAGEPERCENTAGE": lambda row: Decimal(row.vendor_id % 4) / 8,
        "AUDIT_NOTE": lambda row: row.custom.text,
        "RATING": lambda row: row.custom.number,
        "AUDITED_ON": lambda row: row.custom.day,
        "IS_PREFERRED": lambda row: row.custom.flag,
        "CERTIFICATES": _certificates,
        **_contact_columns("DISPLAYCONTACT"),
        **audit_columns(view, "VENDOR", itself),
    }


def _customer_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row.customer_id,
        "CUSTOMERID": lambda row: row.code,
        "NAME": lambda row: row.name,
        "ENTITY": lambda row: f"C{row.code}",
        "TERMNAME": lambda row: row.terms,
        "CUSTTYPE": lambda row: row.customer_class,
        "TAXID": lambda row: row.tax_id,
        "STATUS": lambda row: status(row.active),
        "CURRENCY": lambda row: row.currency,
        "CREDITLIMIT": lambda row: row.credit_limit,
        "TOTALDUE": lambda row: view.open_by_customer.get(row.code, Decimal(0)),
        "ONHOLD": lambda _: False,
        **_contact_columns("DISPLAYCONTACT"),
        **audit_columns(view, "CUSTOMER", itself),
    }


def _on_hand(view: View, row: Item) -> Decimal | None:
    if not row.is_stock:
        return None
    return sum((each.quantity for each in view.company.stock.values() if each.item == row.code), Decimal(0))


def _item_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row.item_id,
        "ITEMID": lambda row: row.code,
        "NAME": lambda row: row.description,
        "STATUS": lambda row: status(row.active),
        "ITEMTYPE": lambda row: "Inventory" if row.is_stock else "Non-Inventory",
        "BASEUOM": lambda row: row.unit,
        "STANDARD_COST": lambda row: row.unit_cost,
        "BASEPRICE": lambda row: row.unit_price,
        "IONHAND": lambda row: _on_hand(view, row),
        "COLOR": lambda row: row.attributes.get("COLOR"),
        "TAXABLE": lambda _: "T",
        **audit_columns(view, "ITEM", itself),
    }


def _department_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row.cost_center_id,
        "DEPARTMENTID": lambda row: row.code,
        "TITLE": lambda row: row.name,
        "STATUS": lambda row: status(row.active),
        **audit_columns(view, "DEPARTMENT", itself),
    }


def _location_columns(name: str) -> Callable[[View], Columns]:
    def columns(view: View) -> Columns:
        def private(row: Branch) -> bool:
            return row.code in view.switches.private_entities

        return {
            "RECORDNO": lambda row: row.branch_id,
            "LOCATIONID": lambda row: row.code,
            "NAME": lambda row: row.name,
            "STATUS": lambda _: "active",
            "CURRENCY": lambda _: view.company.base_currency,
            "FIRSTMONTH": lambda _: "1",
            "WEEKSTART": lambda _: "1",
            "ENTITY": lambda row: row.code,
            "ENTITYNAME": lambda row: row.name,
            "LOCATIONTYPE": lambda _: "Entity",
            "ADDRESSCOUNTRYDEFAULT": lambda row: row.country,
            "OPCOUNTRY": lambda row: row.country,
            "ISROOT": lambda _: "T",
            "HAS_IE_RELATION": private,
            **audit_columns(view, name, itself),
        }

    return columns


def _warehouse_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row.warehouse_id,
        "WAREHOUSEID": lambda row: row.code,
        "LOCATIONID": lambda row: row.code,
        "NAME": lambda row: row.name,
        "STATUS": lambda _: "active",
        "USEDINGL": lambda _: True,
        **audit_columns(view, "WAREHOUSE", itself),
    }


def _project_columns(view: View) -> Columns:
    customers = view.company.customers
    return {
        "RECORDNO": lambda row: row.project_id,
        "PROJECTID": lambda row: row.code,
        "NAME": lambda row: row.name,
        "PROJECTCATEGORY": lambda row: "Contract" if row.customer else "Internal Billable",
        "STATUS": lambda row: status(row.active),
        "CUSTOMERID": lambda row: row.customer,
        "CUSTOMERNAME": lambda row: customers[row.customer].name if row.customer else None,
        "CUSTOMERKEY": lambda row: customers[row.customer].customer_id if row.customer else None,
        "CURRENCY": lambda _: view.company.base_currency,
        "BEGINDATE": lambda row: row.created_at.date(),
        **audit_columns(view, "PROJECT", itself),
    }


def _task_rows(view: View) -> list[tuple[int, str, Any]]:
    """Two tasks a project."""
    return [
        (project.project_id * 10 + place, name, project)
        for project in view.company.projects.values()
        for place, name in enumerate(("Planning", "Execution"), start=1)
    ]


def _task_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row[0],
        "TASKID": lambda row: f"{row[0]:05d}",
        "NAME": lambda row: row[1],
        "PROJECTID": lambda row: row[2].code,
        "PROJECTNAME": lambda row: row[2].name,
        "PROJECTKEY": lambda row: row[2].project_id,
        "TASKSTATUS": lambda _: "In Progress",
        "BILLABLE": lambda row: row[2].customer is not None,
        **audit_columns(view, "TASK", lambda row: row[2]),
    }


def _class_rows(view: View) -> list[tuple[int, str, str, Stamps]]:
    return [
        (number, code, name, founded(view, f"class-{code}"))
        for number, (code, name) in enumerate(CLASSES, start=1)
    ]


def _class_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row[0],
        "CLASSID": lambda row: row[1],
        "NAME": lambda row: row[2],
        "STATUS": lambda _: "active",
        **audit_columns(view, "CLASS", lambda row: row[3]),
    }


def _term_columns(name: str) -> Callable[[View], Columns]:
    def columns(view: View) -> Columns:
        places = {code: place for place, code in enumerate(view.company.terms, start=1)}
        return {
            "RECORDNO": lambda row: places[row.code],
            "NAME": lambda row: row.code,
            "DESCRIPTION": lambda row: row.description,
            "STATUS": lambda _: "active",
            "DUEDATE": lambda row: row.days,
            "DUEFROM": lambda _: "from invoice/bill date",
            **audit_columns(view, name, itself),
        }

    return columns


def _channel_rows(view: View) -> list[tuple[int, str, Stamps]]:
    return [
        (number, name, founded(view, f"channel-{number}")) for number, name in enumerate(CHANNELS, start=1)
    ]


def _channel_columns(_: View) -> Columns:
    """A custom object: other names for the usual fields, and no RECORDNO."""
    return {
        "id": lambda row: row[0],
        "name": lambda row: row[1],
        "status": lambda row: "active" if zlib.crc32(row[1].encode()) % 5 else "inactive",
        "createdBy": lambda _: "xml_gateway",
        "updatedBy": lambda _: "xml_gateway",
        "createdAt": lambda row: row[2].created_at,
        "updatedAt": lambda row: row[2].modified_at,
    }


def _master(table: str, columns: Callable[[View], Columns], natural: str) -> Table:
    return Table(
        rows=lambda view: getattr(view.company, table).values(),
        columns=columns,
        natural=natural,
        codes={"STATUS": ACTIVE},
    )


TABLES = {
    "VENDOR": _master("vendors", _vendor_columns, "VENDORID"),
    "CUSTOMER": _master("customers", _customer_columns, "CUSTOMERID"),
    "ITEM": _master("items", _item_columns, "ITEMID"),
    "DEPARTMENT": _master("cost_centers", _department_columns, "DEPARTMENTID"),
    "LOCATION": _master("branches", _location_columns("LOCATION"), "LOCATIONID"),
    "LOCATIONENTITY": _master("branches", _location_columns("LOCATIONENTITY"), "LOCATIONID"),
    "WAREHOUSE": _master("warehouses", _warehouse_columns, "WAREHOUSEID"),
    "PROJECT": _master("projects", _project_columns, "PROJECTID"),
    "TASK": Table(rows=_task_rows, columns=_task_columns, natural="TASKID"),
    "CLASS": Table(rows=_class_rows, columns=_class_columns, natural="CLASSID", codes={"STATUS": ACTIVE}),
    "APTERM": _master("terms", _term_columns("APTERM"), "NAME"),
    "ARTERM": _master("terms", _term_columns("ARTERM"), "NAME"),
    "channel": Table(rows=_channel_rows, columns=_channel_columns, natural="id"),
}
