"""What a reader of each ERP's extracts sums up, and that it is what the company's books say, to the cent."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.end_to_end.tie_exact_online import check_exact_online
from tests.end_to_end.tie_syspro import check_syspro
from tests.sandbox.company.books import Books, books_of
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.sandbox.company.model import Company

    PathOf = Callable[[str], Path]

_ZERO = Decimal(0)


@dataclasses.dataclass(frozen=True)
class Sums:
    """What plain SUMs give, in base currency."""

    debits: Decimal
    credits: Decimal
    period_debits: Decimal
    period_credits: Decimal
    open_payables: Decimal
    by_vendor: dict[str, tuple[Decimal, Decimal]]
    paid_by_vendor: dict[str, Decimal]

    @classmethod
    def of(cls, ledger: list[Any], periods: list[Any], vendors: list[Any], payments: list[Any]) -> Sums:
        """Put sums together; vendors and payments are rows of a vendor and one or two sums."""
        by_vendor: dict[str, tuple[Decimal, Decimal]] = {}
        for vendor, spend, due in vendors:
            before = by_vendor.get(vendor, (_ZERO, _ZERO))
            by_vendor[vendor] = (before[0] + (spend or _ZERO), before[1] + (due or _ZERO))
        return cls(
            debits=ledger[0],
            credits=ledger[1],
            period_debits=periods[0],
            period_credits=periods[1],
            open_payables=sum((due for _, due in by_vendor.values()), _ZERO),
            by_vendor={vendor: pair for vendor, pair in by_vendor.items() if any(pair)},
            paid_by_vendor={vendor: paid for vendor, paid in payments if paid},
        )

    @classmethod
    def of_books(cls, books: Books) -> Sums:
        """The same from the company's own books."""
        spent, due = books.spend_by_vendor, books.open_payables_by_vendor
        vendors = [[vendor, spent.get(vendor, _ZERO), due.get(vendor, _ZERO)] for vendor in {*spent, *due}]
        ledger = [books.debits, books.credits]
        return cls.of(ledger, ledger, vendors, list(books.paid_by_vendor.items()))


def _acumatica(path_of: PathOf) -> Sums:
    (ledger,) = query(
        path_of("journal_lines"), "SELECT SUM(ledger_debit_amount), SUM(ledger_credit_amount) FROM {t}"
    )
    (periods,) = query(path_of("gl_balances"), "SELECT SUM(fin_ptd_debit), SUM(fin_ptd_credit) FROM {t}")
    bills = query(
        path_of("bills"), "SELECT vendor, SUM(ledger_amount), SUM(ledger_balance) FROM {t} GROUP BY 1"
    )
    payments = query(path_of("ap_payments"), "SELECT vendor, SUM(ledger_amount) FROM {t} GROUP BY 1")
    return Sums.of(ledger, periods, bills, payments)


def _epicor_kinetic(path_of: PathOf) -> Sums:
    """Both companies together; vendors are named by number, which both use for the same vendor."""
    (ledger,) = query(
        path_of("gl_journal_lines"), "SELECT SUM(book_debit_amount), SUM(book_credit_amount) FROM {t}"
    )
    (periods,) = query(
        path_of("gl_period_balances"),
        "SELECT SUM(debit_amt), SUM(credit_amt) FROM {t} WHERE balance_type = 'D'",
    )
    names = dict(query(path_of("vendors"), "SELECT DISTINCT vendor_num, vendor_id FROM {t}"))
    invoices = query(
        path_of("ap_invoices"),
        "SELECT vendor_num, SUM(ledger_amount), SUM(ledger_balance) FROM {t} GROUP BY 1",
    )
    payments = query(path_of("ap_payments"), "SELECT vendor_num, SUM(ledger_amount) FROM {t} GROUP BY 1")
    return Sums.of(
        ledger,
        periods,
        [[names[number], spend, due] for number, spend, due in invoices],
        [[names[number], paid] for number, paid in payments],
    )


def _sage_intacct(path_of: PathOf) -> Sums:
    both = "SELECT SUM(ledger_debit_amount), SUM(ledger_credit_amount) FROM {t}"
    (ledger,) = query(path_of("gl_details"), both)
    (lines,) = query(path_of("journal_entry_lines"), both)
    assert lines == ledger
    (periods,) = query(
        path_of("account_balances"),
        "SELECT SUM(totdebit + totadjdebit), SUM(totcredit + totadjcredit) FROM {t}",
    )
    sql = "SELECT vendorid, SUM(ledger_amount), SUM(ledger_due) FROM {t} GROUP BY 1"
    vendors = [row for stream in ("bills", "ap_adjustments") for row in query(path_of(stream), sql)]
    payments = query(path_of("payments"), "SELECT vendorid, SUM(ledger_amount) FROM {t} GROUP BY 1")
    return Sums.of(ledger, periods, vendors, payments)


def _by_books(sums: Callable[[PathOf], Sums]) -> Callable[[PathOf, Company], None]:
    def check(path_of: PathOf, company: Company) -> None:
        assert sums(path_of) == Sums.of_books(books_of(company))

    return check


TIES: dict[str, Callable[[PathOf, Company], None]] = {
    "tap-acumatica": _by_books(_acumatica),
    "tap-epicor-kinetic": _by_books(_epicor_kinetic),
    "tap-exact-online": check_exact_online,
    "tap-sage-intacct": _by_books(_sage_intacct),
    "tap-syspro": check_syspro,
}
"""Source -> asserts that its extracts, which `path_of(stream)` names, tie to the company's books."""


def lines_of_extracts(path_of: PathOf) -> dict[str, dict[str, int]]:
    """How many lines each document of Acumatica has; documents are named by their own number."""
    documents = {
        "bill_lines": ("reference_nbr", "type"),
        "journal_lines": ("batch_nbr", "module"),
        "purchase_order_lines": ("order_nbr", "type"),
    }
    sql = "SELECT {number}, COUNT(*) FROM {{t}} GROUP BY {number}, {kind} ORDER BY 1, 2"
    return {
        stream: dict(query(path_of(stream), sql.format(number=number, kind=kind)))
        for stream, (number, kind) in documents.items()
    }


def lines_of_company(company: Company) -> dict[str, dict[str, int]]:
    """The same from the company's own records."""
    bills = sorted((bill.reference_nbr, len(bill.lines)) for bill in company.bills.values())
    journals = sorted((journal.batch_nbr, len(journal.lines)) for journal in company.journals.values())
    orders = sorted((order.order_nbr, len(order.lines)) for order in company.purchase_orders.values())
    return {
        "bill_lines": {number: count for number, count in bills if count},
        "journal_lines": {number: count for number, count in journals if count},
        "purchase_order_lines": {number: count for number, count in orders if count},
    }
