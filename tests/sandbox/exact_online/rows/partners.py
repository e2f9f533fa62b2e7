"""Vendors and customers as relations, with their contacts, addresses and bank accounts."""

from __future__ import annotations

import itertools
import zlib
from typing import TYPE_CHECKING, Any

from tests.sandbox.company.model import Vendor
from tests.sandbox.exact_online.clock import wall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.model import Customer
    from tests.sandbox.exact_online.rows.row import Row
    from tests.sandbox.exact_online.rows.view import View

_COUNTRIES = {
    "DE": "Germany",
    "US": "United States",
    "GB": "United Kingdom",
    "FR": "France",
    "NL": "Netherlands",
}
_LANGUAGES = {"DE": "DE", "GB": "EN", "US": "EN", "FR": "FR"}


def _partners(view: View) -> Iterator[Vendor | Customer]:
    return itertools.chain(view.company.vendors.values(), view.company.customers.values())


def accounts(view: View) -> Iterator[Row]:
    """`Accounts`: vendors and customers in one table."""
    for partner in _partners(view):
        is_vendor = isinstance(partner, Vendor)
        values: dict[str, Any] = {
            "ID": view.master_id(partner),
            "Code": view.account_code(partner),
            "Name": partner.name,
            "SearchCode": partner.code,
            "IsSupplier": is_vendor,
            "IsPurchase": is_vendor,
            "IsSales": not is_vendor,
            "Status": "" if is_vendor else "C",
            "StatusSince": wall(partner.created_at),
            "Type": "A",
            "Blocked": not partner.active,
            "Email": partner.email,
            "Phone": partner.phone,
            "VATNumber": partner.tax_id,
            "Language": _language(view, partner),
            "StartDate": wall(partner.created_at).replace(hour=0, minute=0, second=0, microsecond=0),
            "MainContact": view.master_id(partner, "contact") if partner.email else None,
            "SecurityLevel": 10,
            "Source": 1,
            **_address(view, partner),
            **(_buying(view, partner) if is_vendor else _selling(view, partner)),
        }
        yield view.row(partner, values["ID"], values)


def _language(view: View, partner: Vendor | Customer) -> str:
    code = _LANGUAGES.get(partner.address.country, "EN")
    return code.ljust(10) if view.padded else code


def _buying(view: View, partner: Vendor | Customer) -> dict[str, Any]:
    return {
        "PurchaseCurrency": partner.currency,
        "PurchaseCurrencyDescription": view.company.currencies[partner.currency].name,
        "PaymentConditionPurchase": partner.terms,
        "PaymentConditionPurchaseDescription": view.company.terms[partner.terms].description,
    }


def _selling(view: View, partner: Vendor | Customer) -> dict[str, Any]:
    return {
        "SalesCurrency": partner.currency,
        "SalesCurrencyDescription": view.company.currencies[partner.currency].name,
        "PaymentConditionSales": partner.terms,
        "PaymentConditionSalesDescription": view.company.terms[partner.terms].description,
        "CreditLineSales": getattr(partner, "credit_limit", None),
        "CustomerSince": wall(partner.created_at).replace(hour=0, minute=0, second=0, microsecond=0),
    }


def _address(view: View, partner: Vendor | Customer) -> dict[str, Any]:
    address = partner.address
    return {
        "AddressLine1": address.line1,
        "AddressLine2": address.line2,
        "City": address.city,
        "Postcode": address.postal_code,
        "State": address.state,
        "Country": address.country.ljust(3) if view.padded else address.country,
        "CountryName": _COUNTRIES.get(address.country),
    }


def contacts(view: View) -> Iterator[Row]:
    """`Contacts`: whoever reads the mail of a relation."""
    for partner in _partners(view):
        if not partner.email:
            continue
        is_vendor = isinstance(partner, Vendor)
        id_ = view.master_id(partner, "contact")
        values = {
            "ID": id_,
            "Code": view.account_code(partner),
            "Language": _language(view, partner),
            "Account": view.master_id(partner),
            "AccountName": partner.name,
            "AccountIsSupplier": is_vendor,
            "AccountIsCustomer": not is_vendor,
            "AccountMainContact": id_,
            "IsMainContact": True,
            "FirstName": "Billing",
            "LastName": partner.name.split(" ")[0],
            "FullName": f"Billing {partner.name.split(' ')[0]}",
            "BusinessEmail": partner.email,
            "Email": partner.email,
            "BusinessPhone": partner.phone,
            "Phone": partner.phone,
            "JobTitleDescription": "Accounts" if is_vendor else "Purchasing",
        }
        yield view.row(partner, id_, values)


def addresses(view: View) -> Iterator[Row]:
    """`Addresses`: one visiting address for each relation."""
    for partner in _partners(view):
        values = {
            "ID": view.master_id(partner, "address"),
            "Account": view.master_id(partner),
            "AccountName": partner.name,
            "AccountIsSupplier": isinstance(partner, Vendor),
            "Main": True,
            "Type": 1,
            "Source": 1,
            **_address(view, partner),
        }
        yield view.row(partner, values["ID"], values)


def bank_accounts(view: View) -> Iterator[Row]:
    """`BankAccounts`: one for each vendor."""
    for vendor in view.company.vendors.values():
        digits = f"{zlib.crc32(vendor.note_id.encode()):018d}"
        values = {
            "ID": view.master_id(vendor, "bank"),
            "Account": view.master_id(vendor),
            "AccountName": vendor.name,
            "BankAccount": digits,
            "IBAN": f"DE00{digits}",
            "BankAccountHolderName": vendor.name,
            "Main": True,
            "Blocked": False,
        }
        yield view.row(vendor, values["ID"], values)
