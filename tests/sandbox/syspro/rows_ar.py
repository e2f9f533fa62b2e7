"""Rows of accounts receivable and of the sales registers."""

from __future__ import annotations

import collections
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sandbox.company.model import DocumentStatus, InvoiceType
from tests.sandbox.company.money import ZERO, cents, to_base
from tests.sandbox.syspro.view import gl_code, journal_number, month_of, order_number, padded, year_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.model import Journal, SalesInvoice, SalesInvoiceLine
    from tests.sandbox.syspro.schema import Value
    from tests.sandbox.syspro.view import Standing, View

Values = dict[str, "Value"]

_COST_SHARE = Decimal("0.6")
_AGED = (("ValCurrentInv", 0), ("Val30daysInv", 30), ("Val60daysInv", 60), ("Val90daysInv", 90))
_OLDEST = "Val120daysInv"


def document_type(invoice: SalesInvoice) -> str:
    """`I` invoice, `C` credit note."""
    return "C" if invoice.type is InvoiceType.CREDIT_MEMO else "I"


def customers(view: View) -> Iterator[Values]:
    """`ArCustomer`."""
    by_customer: dict[str, list[SalesInvoice]] = collections.defaultdict(list)
    for invoice, _ in view.invoices:
        by_customer[invoice.customer].append(invoice)
    for customer in view.company.customers.values():
        mine = by_customer[customer.code]
        address = customer.address
        yield {
            "Customer": padded(customer.code),
            "Name": customer.name,
            "ShortName": customer.name,
            "CreditStatus": "0",
            "CreditLimit": int(customer.credit_limit),
            "InvoiceCount": len(mine),
            "CustomerClass": customer.customer_class,
            "Branch": view.branch,
            "TermsCode": customer.terms,
            "BalanceType": "I",
            "TaxStatus": "N",
            "TaxExemptNumber": customer.tax_id,
            "DateLastSale": max((invoice.date for invoice in mine), default=None),
            "Telephone": customer.phone,
            "Currency": customer.currency,
            "UserField1": customer.attributes.get("SEGMENT"),
            "DateCustAdded": customer.created_at.date(),
            "Nationality": address.country,
            "CustomerOnHold": "N" if customer.active else "Y",
            "Email": customer.email,
            "SoldToAddr1": address.line1,
            "SoldToAddr2": address.line2,
            "SoldToAddr3": address.city,
            "SoldToAddr4": address.state,
            "SoldToAddr5": address.country,
            "SoldPostalCode": address.postal_code,
            "ShipToAddr1": address.line1,
            "ShipToAddr3": address.city,
            "ShipPostalCode": address.postal_code,
        }


def customer_custom_forms(view: View) -> Iterator[Values]:
    """`ArCustomer+`; customers without anything have no row."""
    for customer in view.company.customers.values():
        if segment := customer.attributes.get("SEGMENT"):
            yield {"Customer": padded(customer.code), "Segment": segment}


def customer_balances(view: View) -> Iterator[Values]:
    """`ArCustomerBal`: balances in the customer's currency, aged by invoice date."""
    by_customer: dict[str, list[tuple[SalesInvoice, Standing]]] = collections.defaultdict(list)
    for invoice, standing in view.invoices:
        by_customer[invoice.customer].append((invoice, standing))
    today = view.company.clock.date()
    for customer in view.company.customers.values():
        mine = by_customer[customer.code]
        values: Values = {"Customer": padded(customer.code)}
        for number, period in enumerate(view.three_periods, start=1):
            values[f"CurrentBalance{number}"] = sum((each.balance(period) for _, each in mine), ZERO)
        aged: dict[str, Decimal] = collections.defaultdict(lambda: ZERO)
        for invoice, standing in mine:
            days = (today - invoice.date).days
            aged[next((name for name, limit in _AGED if days <= limit), _OLDEST)] += standing.balance(
                view.period
            )
        values |= {name: aged[name] for name in (*(name for name, _ in _AGED), _OLDEST)}
        values["YtdSales"] = sum(
            (
                invoice.base_amount * invoice.type.sign
                for invoice, _ in mine
                if year_of(invoice.period) == year_of(view.period)
                and invoice.status is not DocumentStatus.VOIDED
            ),
            ZERO,
        )
        yield values


def invoices(view: View) -> Iterator[Values]:
    """`ArInvoice`: without a due date, in the document's currency, credit notes negative."""
    for invoice, standing in view.invoices:
        rate, mul_div = view.rate(invoice.currency, invoice.rate)
        now, before, two_before = (standing.balance(period) for period in view.three_periods)
        yield {
            "Customer": padded(invoice.customer),
            "Invoice": invoice.invoice_nbr,
            "DocumentType": document_type(invoice),
            "NextPaymEntry": max((each.entry for each in standing.changes), default=0) + 1,
            "InvoiceDate": invoice.date,
            "SalesOrder": _sales_order(invoice),
            "CustomerPoNumber": invoice.customer_order,
            "Branch": invoice.branch,
            "TermsCode": invoice.terms,
            "InvoiceBal1": now,
            "InvoiceBal2": before,
            "InvoiceBal3": two_before,
            "InvoiceYear": year_of(invoice.period),
            "InvoiceMonth": month_of(invoice.period),
            "YearInvBalZero": year_of(standing.settled_in),
            "MonthInvBalZero": month_of(standing.settled_in),
            "CurrencyValue": standing.original,
            "PostCurrency": invoice.currency,
            "ConvRate": rate,
            "MulDiv": mul_div,
            "AccountCur": invoice.currency,
            "AccConvRate": rate,
            "AccMulDiv": mul_div,
            "TaxPortion": invoice.tax_amount * invoice.type.sign,
            "FixExchangeRate": "N",
            "OrigInvRate": rate,
        }


def invoice_payments(view: View) -> Iterator[Values]:
    """`ArInvoicePay`: one row per entry on a document, signed as it changed the balance."""
    for invoice, standing in view.invoices:
        for change in standing.changes:
            rate, mul_div = view.rate(invoice.currency, change.rate)
            yield {
                "Customer": padded(invoice.customer),
                "Invoice": invoice.invoice_nbr,
                "DocumentType": document_type(invoice),
                "EntryNumber": change.entry,
                "TrnType": change.kind,
                "JournalDate": change.journal.date,
                "Journal": journal_number(change.journal),
                "Reference": change.reference,
                "TrnValue": change.amount,
                "TrnYear": year_of(change.journal.period),
                "TrnMonth": month_of(change.journal.period),
                "SalesOrder": _sales_order(invoice),
                "PostValue": change.amount,
                "PostCurrency": invoice.currency,
                "PostConvRate": rate,
                "PostMulDiv": mul_div,
                "AccountCur": invoice.currency,
                "AccountConvRate": rate,
                "AccountMulDiv": mul_div,
                "Branch": invoice.branch,
                "PaymentNumber": change.payment_nbr,
            }


def _sales_order(invoice: SalesInvoice) -> str:
    return next((order_number(line.order_nbr) for line in invoice.lines if line.order_nbr), "")


# ------------------------------------------------------------------ registers


def _registered(view: View) -> Iterator[tuple[SalesInvoice, Journal, int]]:
    """Every booking of a sales document with its sign: a void is a second one, the other way round."""
    for invoice, _ in view.invoices:
        journals = [(invoice.batch_nbr, 1), (invoice.voiding_batch_nbr, -1)]
        for batch, direction in journals:
            if batch is not None:
                journal = view.journal("AR", batch)
                if not view.is_purged(journal.date):
                    yield invoice, journal, invoice.type.sign * direction


def sales_summaries(view: View) -> Iterator[Values]:
    """`ArTrnSummary`: local values, foreign ones beside them."""
    for invoice, journal, sign in _registered(view):
        rate, mul_div = view.rate(invoice.currency, invoice.rate)
        merchandise = sum((line.base_amount for line in invoice.lines), ZERO)
        yield {
            **_register(journal, invoice),
            "CustomerPoNumber": invoice.customer_order,
            "MerchandiseValue": merchandise * sign,
            "TaxValue": invoice.base_tax_amount * sign,
            "ForeignMerchVal": (invoice.amount - invoice.tax_amount) * sign,
            "ForeignTaxVal": invoice.tax_amount * sign,
            "ExchangeRate": rate,
            "MulDiv": mul_div,
            "Currency": invoice.currency,
            "MerchandiseCost": sum((_cost(line) for line in invoice.lines), ZERO) * sign,
            "TermsCode": invoice.terms,
            "InvoiceCount": 1,
        }


def sales_details(view: View) -> Iterator[Values]:
    """`ArTrnDetail`: the tax of a document stands on its first line."""
    for invoice, journal, sign in _registered(view):
        rate, mul_div = view.rate(invoice.currency, invoice.rate)
        for place, line in enumerate(invoice.lines):
            ordered = view.sales_lines.get((line.order_nbr or "", line.order_line_nbr or 0))
            yield {
                **_register(journal, invoice),
                "DetailLine": line.line_nbr,
                "StockCode": line.item,
                "Warehouse": ordered.warehouse if ordered else "",
                "ProductClass": line.account[:4],
                "QtyInvoiced": line.quantity * sign,
                "NetSalesValue": line.base_amount * sign,
                "TaxValue": ZERO if place else invoice.base_tax_amount * sign,
                "CostValue": _cost(line) * sign,
                "DiscValue": to_base(line.discount_amount, invoice.rate) * sign,
                "LineType": "1",
                "GlYear": year_of(journal.period),
                "GlPeriod": month_of(journal.period),
                "PostValue": line.amount * sign,
                "PostCurrency": invoice.currency,
                "PostConvRate": rate,
                "PostMulDiv": mul_div,
                "SalesOrderLine": line.order_line_nbr or 0,
                "TransactionGlCode": gl_code(line.account, line.cost_center),
                "GlIntUpdated": "Y",
                "GlIntYear": year_of(journal.period),
                "GlIntPeriod": month_of(journal.period),
                "GlJournal": journal_number(journal),
            }


def _register(journal: Journal, invoice: SalesInvoice) -> Values:
    return {
        "TrnYear": year_of(journal.period),
        "TrnMonth": month_of(journal.period),
        "Register": journal_number(journal),
        "Invoice": invoice.invoice_nbr,
        "SummaryLine": 1,
        "InvoiceDate": journal.date,
        "Branch": invoice.branch,
        "Customer": padded(invoice.customer),
        "DocumentType": document_type(invoice),
        "SalesOrder": _sales_order(invoice),
    }


def _cost(line: SalesInvoiceLine) -> Decimal:
    return cents(line.base_amount * _COST_SHARE)
