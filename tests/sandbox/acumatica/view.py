"""One version of the company with what is derived from it: reverse look-ups and balances, computed once."""

from __future__ import annotations

import collections
import functools
from typing import TYPE_CHECKING

from tests.sandbox.acumatica import wire
from tests.sandbox.acumatica.balances import HistoryRow, history_of
from tests.sandbox.company.books import books_of
from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.company.money import ZERO, to_base

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.acumatica.switches import Switches
    from tests.sandbox.company.model import (
        Application,
        Company,
        CustomerPayment,
        Payment,
        Receipt,
        StockLevel,
    )


class View:
    """What the declarations of entities read from besides their own row.

    Attributes:
        company: The records. Whoever reads them holds the lock of the world.
    """

    def __init__(self, company: Company, switches: Switches) -> None:
        self.company = company
        self._switches = switches

    def period(self, code: str) -> str:
        """A fiscal period in the form that this site shows."""
        return wire.period(code, self._switches.period_style)

    @property
    def lines_follow_documents(self) -> bool:
        """Whether lines bear the stamp of their document instead of their own."""
        return self._switches.line_stamps_follow_document

    @functools.cached_property
    def applications(self) -> dict[str, list[tuple[Payment, Application]]]:
        """Bill key to the payments that settle it."""
        found: dict[str, list[tuple[Payment, Application]]] = collections.defaultdict(list)
        for payment in self.company.payments.values():
            for application in payment.applications:
                found[f"{application.type}|{application.reference_nbr}"].append((payment, application))
        return dict(found)

    @functools.cached_property
    def customer_applications(self) -> dict[str, list[tuple[CustomerPayment, Receipt]]]:
        """Invoice number to the customer payments that settle it."""
        found: dict[str, list[tuple[CustomerPayment, Receipt]]] = collections.defaultdict(list)
        for payment in self.company.customer_payments.values():
            for application in payment.applications:
                found[application.invoice_nbr].append((payment, application))
        return dict(found)

    @functools.cached_property
    def stock(self) -> dict[str, list[StockLevel]]:
        """Item to what lies of it in each warehouse."""
        found: dict[str, list[StockLevel]] = collections.defaultdict(list)
        for level in self.company.stock.values():
            found[level.item].append(level)
        return dict(found)

    @functools.cached_property
    def receivable(self) -> dict[str, Decimal]:
        """Customer to what is open of their invoices, in base currency, credit memos negative."""
        return books_of(self.company).open_receivables_by_customer

    @functools.cached_property
    def open_orders(self) -> dict[str, Decimal]:
        """Customer to what open sales orders are still to be invoiced for, in base currency."""
        found: dict[str, Decimal] = {}
        for order in self.company.sales_orders.values():
            if order.status is not DocumentStatus.OPEN:
                continue
            due = sum(
                (line.amount * line.quantity_open / line.quantity for line in order.lines if line.quantity),
                ZERO,
            )
            found[order.customer] = found.get(order.customer, ZERO) + to_base(due, order.rate)
        return found

    @functools.cached_property
    def history(self) -> list[HistoryRow]:
        """The balances of every period with activity, in key order."""
        return history_of(self.company, carried_stamps=self._switches.history_stamps_carried)

    @functools.cached_property
    def history_by_place(self) -> dict[tuple[str, str, str], list[HistoryRow]]:
        """Branch, account and subaccount to their balances in ascending order of the period."""
        found: dict[tuple[str, str, str], list[HistoryRow]] = collections.defaultdict(list)
        for row in self.history:
            found[row.branch.code, row.account.code, row.cost_center.code].append(row)
        return dict(found)
