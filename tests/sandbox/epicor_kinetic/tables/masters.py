"""Vendors, customers, parts, and what hangs on them: shared by both companies, so all keys stand twice."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.sandbox.epicor_kinetic import SITE
from tests.sandbox.epicor_kinetic.schema import made, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.model import Address, Customer
    from tests.sandbox.epicor_kinetic.schema import Made, Row
    from tests.sandbox.epicor_kinetic.view import View

_COUNTRIES = {"DE": ("Germany", 49), "GB": ("United Kingdom", 44), "US": ("USA", 1)}
_SECOND_SHIP_TO = 3  # every third customer has one


def _address(address: Address) -> Row:
    name, country_num = _COUNTRIES.get(address.country, (address.country, 0))
    return {
        "Address1": address.line1,
        "Address2": address.line2 or "",
        "City": address.city,
        "State": address.state or "",
        "Country": name,
        "CountryNum": country_num,
    }


def _vendors(view: View) -> Iterator[Made]:
    for vendor in view.company.vendors.values():
        yield made(
            vendor,
            {
                "VendorNum": vendor.vendor_id,
                "VendorID": vendor.code,
                "Name": vendor.name,
                "LegalName": vendor.name,
                **_address(vendor.address),
                "ZIP": vendor.address.postal_code,
                "TermsCode": vendor.terms,
                "GroupCode": vendor.vendor_class,
                "CurrencyCode": vendor.currency,
                "PhoneNum": vendor.phone or "",
                "EMailAddress": vendor.email or "",
                "TaxPayerID": vendor.tax_id or "",
                "Inactive": not vendor.active,
                "Approved": True,
                "PMUID": 1 + vendor.vendor_id % 3,
                "Remark_c": vendor.custom.text,
                "Rating_c": vendor.custom.number,
                "ReviewedOn_c": vendor.custom.day,
                "Preferred_c": vendor.custom.flag,
                "OldNumber_c": vendor.attributes.get("OLDNBR"),
                "TermsDescription": view.company.terms[vendor.terms].description,
                "VendGrupGroupDesc": f"{vendor.vendor_class.title()} suppliers",
            },
        )


def _contacts(view: View) -> Iterator[Made]:
    """One main contact for every vendor with a mailbox; its purchase point is blank, as for most."""
    for vendor in view.company.vendors.values():
        if vendor.email is not None:
            yield made(
                vendor,
                {
                    "VendorNum": vendor.vendor_id,
                    "PurPoint": "",
                    "ConNum": 1,
                    "Name": f"Accounts of {vendor.name}",
                    "EmailAddress": vendor.email,
                    "PhoneNum": vendor.phone or "",
                },
                "contact",
            )


def _customers(view: View) -> Iterator[Made]:
    for customer in view.company.customers.values():
        yield made(
            customer,
            {
                "CustNum": customer.customer_id,
                "CustID": customer.code,
                "Name": customer.name,
                **_address(customer.address),
                "Zip": customer.address.postal_code,
                "TermsCode": customer.terms,
                "TerritoryID": customer.address.country,
                "GroupCode": customer.customer_class,
                "CreditHold": not customer.active,
                "CreditLimit": customer.credit_limit,
                "CurrencyCode": customer.currency,
                "EstDate": customer.created_at.date(),
                "CustomerType": "CUS",
                "PhoneNum": customer.phone or "",
                "EMailAddress": customer.email or "",
                "ResaleID": customer.tax_id or "",
                "Segment_c": customer.attributes.get("SEGMENT"),
                "TermsDescription": view.company.terms[customer.terms].description,
            },
        )


def _ship_tos(view: View) -> Iterator[Made]:
    """Every customer has one with a blank number, its main address; some have another."""
    for customer in view.company.customers.values():
        yield made(customer, _ship_to(customer, "", customer.name), "main")
        if customer.customer_id % _SECOND_SHIP_TO == 0:
            yield made(customer, _ship_to(customer, "DOCK 2", f"{customer.name}, dock 2"), "dock")


def _ship_to(customer: Customer, ship_to_num: str, name: str) -> Row:
    return {
        "CustNum": customer.customer_id,
        "ShipToNum": ship_to_num,
        "Name": name,
        **_address(customer.address),
        "ZIP": customer.address.postal_code,
    }


def _parts(view: View) -> Iterator[Made]:
    for item in view.company.items.values():
        yield made(
            item,
            {
                "PartNum": item.code,
                "PartDescription": item.description,
                "SearchWord": item.code[:8],
                "TypeCode": "P",
                "ClassID": "STK" if item.is_stock else "NON",
                "IUM": item.unit,
                "PUM": item.unit,
                "SalesUM": item.unit,
                "UnitPrice": item.unit_price,
                "InternalUnitPrice": item.unit_cost,
                "CostMethod": "A" if item.is_stock else "S",
                "InActive": not item.active,
                "NonStock": not item.is_stock,
                "CreatedOn": item.created_at,
                "Color_c": item.attributes.get("COLOR"),
                "OldNumber_c": item.attributes.get("OLDNBR"),
                "PartClassDescription": "Stock" if item.is_stock else "Services and others",
            },
        )


def _part_sites(view: View) -> Iterator[Made]:
    """The company has one site; what lies of a part in its warehouses is added up there."""
    for item in view.company.items.values():
        if not item.is_stock:
            continue
        levels = [level for level in view.company.stock.values() if level.item == item.code]
        yield made(
            item,
            {
                "PartNum": item.code,
                "Plant": SITE,
                "PrimWhse": levels[0].warehouse if levels else "",
                "MinimumQty": item.unit_cost * 0,
                "SourceType": "P",
                "CostMethod": "A",
                "OnHandQty": sum((level.quantity for level in levels), item.unit_cost * 0),
            },
            "site",
        )


def _part_transactions(view: View) -> Iterator[Made]:
    """What receipts brought in: written once, never changed."""
    for receipt in view.own(view.company.purchase_receipts.values()):
        if receipt.status == "hold" or receipt.type == "return":
            continue
        midnight = dt.datetime.combine(receipt.created_at.date(), dt.time(), dt.UTC)
        for line in receipt.lines:
            if line.item is not None:
                yield made(
                    receipt,
                    {
                        "SysDate": receipt.created_at.date(),
                        "SysTime": int((receipt.created_at - midnight).total_seconds()),
                        "TranNum": int(receipt.receipt_nbr.removeprefix("PR")) * 100 + line.line_nbr,
                        "PartNum": line.item,
                        "TranType": "PUR-STK",
                        "TranClass": "R",
                        "TranDate": receipt.date,
                        "TranQty": line.quantity,
                        "UM": line.unit,
                        "Plant": SITE,
                        "WareHouseCode": line.warehouse or "",
                        "PONum": int(line.order_nbr.removeprefix("PO")),
                        "POLine": line.order_line_nbr,
                        "PORelNum": 1,
                        "PackSlip": receipt.receipt_nbr,
                        "PackLine": line.line_nbr,
                        "VendorNum": view.vendor_num(receipt.vendor),
                    },
                    f"move|{line.line_nbr}",
                )


TABLES = (
    table(
        "Vendor",
        "VendorNum",
        _vendors,
        "VendorNum:int VendorID Name Address1 Address2 Address3 City State ZIP Country CountryNum:int TaxPayerID TIN"
        " AccountNum PmtAcctRef PurPoint TermsCode GroupCode CurrencyCode TaxRegionCode PhoneNum FaxNum EMailAddress"
        " Inactive:bool Approved:bool PayHold:bool PMUID:int DefaultFOB ShipViaCode MinOrderValue:dec LegalName"
        " Comment Print1099:bool OneCheck:bool",
        looked_up="TermsDescription VendGrupGroupDesc",
        customs="Remark_c Rating_c:dec ReviewedOn_c:date Preferred_c:bool OldNumber_c",
    ),
    table(
        "VendCnt",
        "VendorNum PurPoint ConNum",
        _contacts,
        "VendorNum:int PurPoint ConNum:int Name FaxNum PhoneNum EmailAddress Func ChangedBy ChangeDate:date",
    ),
    table(
        "Customer",
        "CustNum",
        _customers,
        "CustNum:int CustID Name Address1 Address2 Address3 City State Zip Country CountryNum:int ResaleID TermsCode"
        " TerritoryID SalesRepCode GroupCode CreditHold:bool CreditLimit:dec CurrencyCode EstDate:date CustomerType"
        " ParentCustNum:int PhoneNum FaxNum EMailAddress ChangedBy ChangeDate:date ChangeTime:int",
        looked_up="TermsDescription",
        customs="Segment_c",
    ),
    table(
        "ShipTo",
        "CustNum ShipToNum",
        _ship_tos,
        "CustNum:int ShipToNum Name Address1 Address2 Address3 City State ZIP Country CountryNum:int TerritoryID"
        " ChangedBy ChangeDate:date ChangeTime:int",
    ),
    table(
        "Part",
        "PartNum",
        _parts,
        "PartNum SearchWord PartDescription ClassID TypeCode ProdCode IUM PUM SalesUM UnitPrice:dec"
        " InternalUnitPrice:dec CostMethod InActive:bool NonStock:bool TrackLots:bool TrackSerialNum:bool"
        " NetWeight:dec CreatedBy CreatedOn:stamp ChangedBy ChangedOn:stamp",
        looked_up="PartClassDescription",
        customs="Color_c OldNumber_c",
    ),
    table(
        "PartPlant",
        "PartNum Plant",
        _part_sites,
        "PartNum Plant PrimWhse MinimumQty:dec MaximumQty:dec SafetyQty:dec SourceType CostMethod",
        looked_up="OnHandQty:dec",
    ),
    table(
        "PartTran",
        "SysDate SysTime TranNum",
        _part_transactions,
        "SysDate:date SysTime:int TranNum:int PartNum TranType TranClass TranDate:date TranQty:dec UM Plant"
        " WareHouseCode PONum:int POLine:int PORelNum:int PackSlip PackLine:int VendorNum:int",
    ),
)
