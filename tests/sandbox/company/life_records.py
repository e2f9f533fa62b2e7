"""Events of purchase orders and of master data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.company import words
from tests.sandbox.company.events import Events, event, on_hold
from tests.sandbox.company.model import AccountType, DocumentStatus
from tests.sandbox.company.registry import documents, tables

if TYPE_CHECKING:
    from tests.sandbox.company.model import (
        Account,
        CostCenter,
        Customer,
        Deletion,
        Item,
        PurchaseOrder,
        Vendor,
    )


class OrdersLife(Events):
    """Events of purchase orders. A method that takes a number chooses at random when it gets none."""

    @event
    def post_purchase_order(self, *, hold: bool = False) -> PurchaseOrder:
        """Enter an order and send it to its vendor, or leave it on hold."""
        order = self._office.purchasing.enter_order(self._draw.order())
        return order if hold else self._office.purchasing.release_order(order)

    @event
    def release_purchase_order(self, order_nbr: str | None = None) -> PurchaseOrder:
        """Send an order on hold to its vendor.

        Raises:
            NothingToDoError: No order is on hold.
        """
        return self._office.purchasing.release_order(self._held_order(order_nbr))

    @event
    def change_purchase_order(self, order_nbr: str | None = None, *, how: str | None = None) -> PurchaseOrder:
        """Change the lines of an open order.

        Args:
            order_nbr: Which order.
            how: "quantity", "add" or "remove" (a line that was not delivered); by chance when not given.

        Raises:
            NothingToDoError: No order is open.
        """
        order = self._open_order(order_nbr)
        how = how or self._rng.choice(("quantity", "add", "remove"))
        arriving = {
            (line.order_nbr, line.order_line_nbr)
            for receipt in self._company.purchase_receipts.values()
            if receipt.status is DocumentStatus.HOLD
            for line in receipt.lines
        }
        removable = [
            line.line_nbr
            for line in order.lines
            if not line.quantity_received and (order.order_nbr, line.line_nbr) not in arriving
        ]
        if how == "remove" and removable and len(order.lines) > 1:
            self._office.purchasing.remove_line(order, self._rng.choice(removable))
        elif how == "quantity":
            line = self._rng.choice(order.lines)
            quantity = line.quantity_received + self._rng.randint(1, 50)
            self._office.purchasing.change_quantity(order, line.line_nbr, quantity)
        else:
            self._office.purchasing.add_line(order, self._draw.order_line(0))
        return order

    @event
    def close_purchase_order(self, order_nbr: str | None = None) -> PurchaseOrder:
        """Close an open order, delivered or not.

        Raises:
            NothingToDoError: No order is open.
        """
        return self._office.purchasing.close_order(self._open_order(order_nbr))

    @event
    def cancel_purchase_order(self, order_nbr: str | None = None) -> PurchaseOrder:
        """Cancel an open order of which nothing was delivered.

        Raises:
            NothingToDoError: There is none.
        """
        if order_nbr is None:
            untouched = (
                order
                for order in self._company.purchase_orders.values()
                if order.status is DocumentStatus.OPEN
                and not any(line.quantity_received for line in order.lines)
            )
            order_nbr = self._choose(untouched, "open order of which nothing was delivered").order_nbr
        return self._office.purchasing.cancel_order(self._company.purchase_orders[order_nbr])

    @event
    def delete_purchase_order(self, order_nbr: str | None = None) -> Deletion:
        """Delete an order on hold.

        Raises:
            NothingToDoError: No order is on hold.
        """
        return self._office.registry.remove("purchase_orders", self._held_order(order_nbr).order_nbr)

    def _open_order(self, order_nbr: str | None) -> PurchaseOrder:
        orders = self._company.purchase_orders
        if order_nbr is not None:
            return orders[order_nbr]
        return self._choose(
            (each for each in orders.values() if each.status is DocumentStatus.OPEN), "open order"
        )

    def _held_order(self, order_nbr: str | None) -> PurchaseOrder:
        orders = self._company.purchase_orders
        if order_nbr is not None:
            return on_hold(orders[order_nbr], order_nbr)
        held = (each for each in orders.values() if each.status is DocumentStatus.HOLD)
        return self._choose(held, "order on hold")


class MastersLife(Events):
    """Events of master data. A method that takes a code chooses at random when it gets none."""

    @event
    def new_vendor(self) -> Vendor:
        """Take on a vendor."""
        self._draw.forget()
        return self._office.masters.vendor()

    @event
    def new_customer(self) -> Customer:
        """Take on a customer."""
        self._draw.forget()
        return self._office.masters.customer()

    @event
    def new_item(self) -> Item:
        """Take on a stock item."""
        self._draw.forget()
        return self._office.masters.item()

    @event
    def new_account(self) -> Account:
        """Open an expense account that purchases are booked to from now on."""
        self._draw.forget()
        number = self._office.registry.next_number("new_accounts")
        return self._office.masters.account(
            f"{700_000 + number * 10:06d}", f"Project {number}; réservé", AccountType.EXPENSE
        )

    @event
    def new_cost_center(self) -> CostCenter:
        """Open a cost centre."""
        self._draw.forget()
        number = self._office.registry.next_number("new_cost_centers")
        return self._office.masters.cost_center(f"{2_000 + number * 10:06d}", f"Team {number} <neu>")

    @event
    def rename_vendor(self, code: str | None = None) -> Vendor:
        """A vendor takes another name, and often another address."""
        vendor = self._company.vendors[code or self._any("vendors")]
        vendor.name = self._other_name(vendor.name)
        if self._draw.chance(50):
            vendor.address = self._rng.choice(words.ADDRESSES[vendor.currency])
        self._office.registry.touch(vendor)
        return vendor

    @event
    def rename_customer(self, code: str | None = None) -> Customer:
        """A customer takes another name."""
        customer = self._company.customers[code or self._any("customers")]
        customer.name = self._other_name(customer.name)
        self._office.registry.touch(customer)
        return customer

    @event
    def rename_account(self, code: str | None = None) -> Account:
        """A GL account takes another name."""
        account = self._company.accounts[code or self._any("accounts")]
        account.name = self._other_name(account.name)
        self._office.registry.touch(account)
        return account

    @event
    def rename_cost_center(self, code: str | None = None) -> CostCenter:
        """A cost centre takes another name."""
        cost_center = self._company.cost_centers[code or self._any("cost_centers")]
        cost_center.name = self._other_name(cost_center.name)
        self._office.registry.touch(cost_center)
        return cost_center

    @event
    def toggle_vendor(self, code: str | None = None) -> Vendor:
        """Business with a vendor ends, or begins again. At least one stays active."""
        vendor = self._company.vendors[code or self._any("vendors")]
        others = (each.active for each in self._company.vendors.values() if each is not vendor)
        vendor.active = not vendor.active or not any(others)
        self._draw.forget()
        self._office.registry.touch(vendor)
        return vendor

    @event
    def change_item(self, code: str | None = None) -> Item:
        """An item costs more."""
        item = self._company.items[code or self._any("items")]
        item.unit_price += self._draw.surcharge()
        self._office.registry.touch(item)
        return item

    @event
    def archive(self) -> int:
        """Put away a few settled documents.

        Returns:
            How many.
        """
        settled = [
            document
            for document in documents(self._company)
            if document.status is DocumentStatus.CLOSED and not document.archived
        ]
        settled.sort(key=lambda document: document.modified_at)
        oldest = settled[:3]
        for document in oldest:
            document.archived = True
            self._office.registry.touch(document)
        return len(oldest)

    def _any(self, table: str) -> str:
        return self._choose(tables(self._company)[table], table)

    def _other_name(self, name: str) -> str:
        stem = name.partition(" (vormals ")[0]
        return f"{stem} (vormals {self._rng.choice(words.SURNAMES)} & Söhne)"
