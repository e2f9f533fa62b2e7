"""Rows of accounts payable. Documents are in their own currency, each with its rate."""

from __future__ import annotations

import collections
import zlib
from typing import TYPE_CHECKING

from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.company.money import ZERO, rate_on
from tests.sandbox.syspro.view import journal_number, month_of, padded, payable_number, year_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from tests.sandbox.company.model import Bill, Vendor
    from tests.sandbox.syspro.schema import Value
    from tests.sandbox.syspro.view import Standing, View

Values = dict[str, "Value"]

_MONTHS = 12
_NOT_PAID, _PART_PAID, _PAID = " ", "1", "9"


def suppliers(view: View) -> Iterator[Values]:
    """`ApSupplier`: balances in the supplier's currency, purchases in the company's."""
    bills: dict[str, list[tuple[Bill, Standing]]] = collections.defaultdict(list)
    for bill, standing in view.bills:
        bills[bill.vendor].append((bill, standing))
    for vendor in view.company.vendors.values():
        yield _supplier(view, vendor, bills[vendor.code])


def _supplier(view: View, vendor: Vendor, bills: list[tuple[Bill, Standing]]) -> Values:
    last_year_end = f"{year_of(view.period) - 1}12"
    dates = [bill.date for bill, _ in bills]
    values: Values = {
        "Supplier": padded(vendor.code),
        "SupplierName": vendor.name,
        "SupShortName": vendor.name,
        "SupplierType": "C",
        "SupplierClass": vendor.vendor_class,
        "Branch": view.branch,
        "Telephone": vendor.phone,
        "Email": vendor.email,
        "UserField1": vendor.custom.text,
        "Currency": vendor.currency,
        "CurrentBalance": sum((each.balance(view.period) for _, each in bills), ZERO),
        "PyrEndBalance": sum((each.balance(last_year_end) for _, each in bills), ZERO),
        "LastPurchDate": max(dates, default=None),
        "FirstPurchDate": min(dates, default=None),
        "TermsCode": vendor.terms,
        "GrnMatchReqd": "N",
        "NumMthsBeforDel": 36,
        "Nationality": vendor.address.country,
        "TaxRegnNum": vendor.tax_id,
        "BankAccount": f"{zlib.crc32(vendor.note_id.encode()):010d}",
        "BankBranch": "BRANCH 01",
        "DateSuppAdded": vendor.created_at.date(),
        "OnHold": "N" if vendor.active else "Y",
        "PayByEft": "Y",
        "PurchOrdAllowed": "Y",
        "ZzGate": vendor.custom.text,
        "ZzRating": vendor.custom.number,
        "ZzReviewDate": vendor.custom.day,
    }
    return values | _purchases(view, bills)


def _purchases(view: View, bills: list[tuple[Bill, Standing]]) -> Values:
    """`PurchValMth1` is the current month, 12 the one eleven months ago."""
    by_period: dict[str, Decimal] = collections.defaultdict(lambda: ZERO)
    for bill, _ in bills:
        if bill.status is not DocumentStatus.VOIDED:
            by_period[bill.period] += bill.base_amount * bill.type.sign
    months = view.company.clock.year * _MONTHS + view.company.clock.month - 1
    found: Values = {}
    for back in range(_MONTHS):
        year, month = divmod(months - back, _MONTHS)
        found[f"PurchValMth{back + 1}"] = by_period[f"{year:04d}{month + 1:02d}"]
    return found


def supplier_addresses(view: View) -> Iterator[Values]:
    """`ApSupplierAddr`."""
    for vendor in view.company.vendors.values():
        address = vendor.address
        yield {
            "Supplier": padded(vendor.code),
            "SupAddr1": address.line1,
            "SupAddr2": address.line2,
            "SupAddr3": address.city,
            "SupAddr4": address.state,
            "SupAddr5": address.country,
            "SupPostalCode": address.postal_code,
            "RemitName": vendor.name,
            "RemitAddr1": address.line1,
            "RemitAddr3": address.city,
            "RemitPostalCode": address.postal_code,
        }


def supplier_custom_forms(view: View) -> Iterator[Values]:
    """`ApSupplier+`: what users filled into the custom form; suppliers without anything have no row."""
    for vendor in view.company.vendors.values():
        custom = vendor.custom
        values: Values = {
            "Diversity": vendor.attributes.get("DIVERSITY"),
            "OldNumber": vendor.attributes.get("OLDNBR"),
            "Remark": custom.text,
            "Rating": custom.number,
            "ReviewDate": custom.day,
            "Preferred": None if custom.flag is None else "Y" if custom.flag else "N",
        }
        if any(value is not None for value in values.values()):
            yield {"Supplier": padded(vendor.code), **values}


def invoices(view: View) -> Iterator[Values]:
    """`ApInvoice`."""
    for bill, standing in view.bills:
        yield _invoice(view, bill, standing)


def changed_invoices(view: View) -> Iterator[Values]:
    """The view with `RowVer`, which is filled in from the row version."""
    for values in invoices(view):
        yield {**values, "RowVer": 0}


def _invoice(view: View, bill: Bill, standing: Standing) -> Values:
    journal = view.journal("AP", bill.batch_nbr)
    rate, mul_div = view.rate(bill.currency, bill.rate)
    now, before, two_before = (standing.balance(period) for period in view.three_periods)
    status = _PAID if not now else _NOT_PAID if now == standing.original else _PART_PAID
    payments = [each.payment_nbr for each in standing.changes if each.kind == "P"]
    return {
        "Supplier": padded(bill.vendor),
        "Invoice": payable_number(bill),
        "NextPaymEntry": max((each.entry for each in standing.changes), default=0) + 1,
        "JournalDate": journal.date,
        "Journal": journal_number(journal),
        "Branch": bill.branch,
        "InvoiceDate": bill.date,
        "DiscountDate": bill.date,
        "DueDate": bill.due_date or bill.date,
        "Reference": bill.vendor_ref or bill.description,
        "OrigInvValue": standing.original,
        "MthInvBal1": now,
        "MthInvBal2": before,
        "MthInvBal3": two_before,
        "InvoiceStatus": status,
        "Currency": bill.currency,
        "InvoiceYear": year_of(bill.period),
        "InvoiceMonth": month_of(bill.period),
        "YearInvBalZero": year_of(standing.settled_in),
        "MonthInvBalZero": month_of(standing.settled_in),
        "ExchangeRate": rate,
        "CurrencyValue": standing.original,
        "PostCurrency": bill.currency,
        "ConvRate": rate,
        "MulDiv": mul_div,
        "AccountCur": bill.currency,
        "AccConvRate": rate,
        "AccMulDiv": mul_div,
        "OrigInvRate": rate,
        "PaymentNumber": payments[-1] if payments else "",
        "FixExchangeRate": "N",
        "TotalAdjustments": sum((each.amount for each in standing.changes if each.kind == "A"), ZERO),
    }


def invoice_payments(view: View) -> Iterator[Values]:
    """`ApInvoicePay`: one row per entry on a document, signed as it changed the balance."""
    for bill, standing in view.bills:
        for change in standing.changes:
            rate, mul_div = view.rate(bill.currency, change.rate)
            yield {
                "Supplier": padded(bill.vendor),
                "Invoice": payable_number(bill),
                "EntryNumber": change.entry,
                "TrnType": change.kind,
                "JournalDate": change.journal.date,
                "Journal": journal_number(change.journal),
                "PaymentReference": change.reference,
                "TrnValue": change.amount,
                "TrnYear": year_of(change.journal.period),
                "TrnMonth": month_of(change.journal.period),
                "PostValue": change.amount,
                "PostCurrency": bill.currency,
                "PostConvRate": rate,
                "PostMulDiv": mul_div,
                "AccountCur": bill.currency,
                "AccountConvRate": rate,
                "AccountMulDiv": mul_div,
                "PaymentNumber": change.payment_nbr,
            }


def terms(view: View) -> Iterator[Values]:
    """`TblApTerms` and `TblArTerms`: the code has two characters ("30D" is "30")."""
    for each in view.company.terms.values():
        yield {"TermsCode": each.code, "Description": each.description, "DueDays": each.days}


def currencies(view: View) -> Iterator[Values]:
    """`TblCurrency`: today's rates; those that are set up but not used stand at zero."""
    company = view.company
    used = {vendor.currency for vendor in company.vendors.values()}
    for currency in company.currencies.values():
        rate, mul_div = ZERO, "M"
        if currency.code in used:
            today = rate_on(company.seed, currency.code, company.clock.date())
            rate, mul_div = view.rate(currency.code, today)
        yield {
            "Currency": currency.code,
            "Description": currency.name,
            "BuyExchangeRate": rate,
            "SellExchangeRate": rate,
            "BuyMulDiv": mul_div,
            "SellMulDiv": mul_div,
        }


def branches(view: View) -> Iterator[Values]:
    """`SalBranch`."""
    branch = view.company.branches[view.branch]
    yield {"Branch": branch.code, "Description": branch.name}
