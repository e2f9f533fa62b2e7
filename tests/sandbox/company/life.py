"""The company lives on: what happens to it between two runs of a tap, or between two pages of one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.sandbox.company.events import event
from tests.sandbox.company.life_payables import PayablesLife
from tests.sandbox.company.life_records import MastersLife, OrdersLife
from tests.sandbox.company.life_sales import LedgerLife, SalesLife
from tests.sandbox.company.life_trade import CustomsLife, ReceiptsLife, SalesOrdersLife
from tests.sandbox.company.registry import NothingToDoError

if TYPE_CHECKING:
    from collections.abc import Callable

_MILLISECONDS = (0, 0, 37, 120, 500)  # between two random events; some share a stamp


class Life(
    PayablesLife,
    SalesLife,
    LedgerLife,
    OrdersLife,
    MastersLife,
    SalesOrdersLife,
    ReceiptsLife,
    CustomsLife,
):
    """Every event that can happen to the company, one method each, and random ones.

    After every event the books balance, the control accounts agree with the documents, and everything that
    changed bears the company's clock as its modification stamp. The clock is moved by `advance` alone, and
    by some milliseconds by every `step`. Methods hold the lock meanwhile.
    """

    @event
    def step(self) -> str:
        """Let one random thing happen.

        Returns:
            Its name.
        """
        self._company.clock += dt.timedelta(milliseconds=self._rng.choice(_MILLISECONDS))
        names = list(_EVENTS)
        weights = [weight for weight, _ in _EVENTS.values()]
        while True:
            (name,) = self._rng.choices(names, weights)
            try:
                _EVENTS[name][1](self)
            except NothingToDoError:
                continue  # something can always be posted
            return name

    def live(self, events: int) -> list[str]:
        """Let so many random things happen, then a quarter of an hour pass.

        Returns:
            Their names, in order.
        """
        with self.lock:
            names = [self.step() for _ in range(events)]
            self.advance(15)
        return names


_EVENTS: dict[str, tuple[int, Callable[[Life], object]]] = {
    # name: how often it happens among all, and what
    "post_bill": (14, Life.post_bill),
    "hold_bill": (6, lambda life: life.post_bill(hold=True)),
    "post_bill_for_order": (6, Life.post_bill_for_order),
    "post_debit_adjustment": (3, Life.post_debit_adjustment),
    "post_credit_adjustment": (2, Life.post_credit_adjustment),
    "release_bill": (5, Life.release_bill),
    "change_bill": (6, Life.change_bill),
    "delete_bill": (2, Life.delete_bill),
    "void_bill": (3, Life.void_bill),
    "pay": (10, Life.pay),
    "pay_several": (5, lambda life: life.pay(4)),
    "hold_payment": (2, lambda life: life.pay(hold=True)),
    "release_payment": (2, Life.release_payment),
    "delete_payment": (1, Life.delete_payment),
    "void_payment": (3, Life.void_payment),
    "post_invoice": (8, Life.post_invoice),
    "hold_invoice": (2, lambda life: life.post_invoice(hold=True)),
    "release_invoice": (2, Life.release_invoice),
    "delete_invoice": (1, Life.delete_invoice),
    "void_invoice": (2, Life.void_invoice),
    "post_credit_memo": (2, Life.post_credit_memo),
    "receive": (6, Life.receive),
    "receive_several": (3, lambda life: life.receive(4)),
    "hold_customer_payment": (2, lambda life: life.receive(hold=True)),
    "release_customer_payment": (2, Life.release_customer_payment),
    "delete_customer_payment": (1, Life.delete_customer_payment),
    "void_customer_payment": (2, Life.void_customer_payment),
    "post_sales_order": (4, Life.post_sales_order),
    "hold_sales_order": (2, lambda life: life.post_sales_order(hold=True)),
    "release_sales_order": (1, Life.release_sales_order),
    "change_sales_order": (4, Life.change_sales_order),
    "ship_sales_order": (4, Life.ship_sales_order),
    "close_sales_order": (1, Life.close_sales_order),
    "cancel_sales_order": (1, Life.cancel_sales_order),
    "delete_sales_order": (1, Life.delete_sales_order),
    "hold_receipt": (3, Life.hold_receipt),
    "change_receipt": (1, Life.change_receipt),
    "release_receipt": (2, Life.release_receipt),
    "delete_receipt": (1, Life.delete_receipt),
    "return_goods": (2, Life.return_goods),
    "count_stock": (2, Life.count_stock),
    "new_project": (1, Life.new_project),
    "rename_project": (1, Life.rename_project),
    "change_custom": (2, Life.change_custom),
    "change_vendor_custom": (1, Life.change_vendor_custom),
    "change_attributes": (1, Life.change_attributes),
    "post_journal": (5, Life.post_journal),
    "hold_journal": (3, Life.hold_journal),
    "change_journal": (2, Life.change_journal),
    "post_held_journal": (2, Life.post_held_journal),
    "delete_journal": (1, Life.delete_journal),
    "post_purchase_order": (4, Life.post_purchase_order),
    "hold_purchase_order": (2, lambda life: life.post_purchase_order(hold=True)),
    "release_purchase_order": (1, Life.release_purchase_order),
    "change_purchase_order": (5, Life.change_purchase_order),
    "close_purchase_order": (1, Life.close_purchase_order),
    "cancel_purchase_order": (1, Life.cancel_purchase_order),
    "delete_purchase_order": (1, Life.delete_purchase_order),
    "new_vendor": (1, Life.new_vendor),
    "new_customer": (1, Life.new_customer),
    "new_item": (1, Life.new_item),
    "new_account": (1, Life.new_account),
    "new_cost_center": (1, Life.new_cost_center),
    "rename_vendor": (2, Life.rename_vendor),
    "rename_customer": (1, Life.rename_customer),
    "rename_account": (1, Life.rename_account),
    "rename_cost_center": (1, Life.rename_cost_center),
    "toggle_vendor": (1, Life.toggle_vendor),
    "change_item": (2, Life.change_item),
    "archive": (1, Life.archive),
}
