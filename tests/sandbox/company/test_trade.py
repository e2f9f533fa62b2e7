from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.company import chart
from tests.sandbox.company.books import books_of
from tests.sandbox.company.check import violations
from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import DocumentStatus, InvoiceType, ReceiptType
from tests.sandbox.company.money import ZERO
from tests.sandbox.company.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.company.model import Company


@pytest.fixture(scope="module")
def untouched() -> Company:
    return generate()


@pytest.fixture
def world() -> World:
    return World(generate())


def test_a_small_company_trades_in_every_way(untouched: Company) -> None:
    payments = untouched.customer_payments.values()
    assert {each.status for each in payments} == {
        DocumentStatus.HOLD,
        DocumentStatus.CLOSED,
        DocumentStatus.VOIDED,
    }
    assert any(len(each.applications) > 1 for each in payments)
    assert {each.currency for each in payments} == {"USD", "EUR", "GBP"}
    assert {each.status for each in untouched.sales_orders.values()} == set(DocumentStatus)
    assert {each.type for each in untouched.purchase_receipts.values()} == set(ReceiptType)
    assert {each.type for each in untouched.sales_invoices.values()} == set(InvoiceType)
    lines = [line for order in untouched.sales_orders.values() for line in order.lines]
    assert any(line.discount_amount for line in lines)
    assert any(0 < each.balance < each.amount for each in untouched.sales_invoices.values())


def test_user_defined_fields_are_filled_here_and_empty_there(untouched: Company) -> None:
    for name in ("text", "number", "day", "flag"):
        found = {getattr(bill.custom, name) is None for bill in untouched.bills.values()}
        assert found == {True, False}, name
    assert any(line.custom.number for bill in untouched.bills.values() for line in bill.lines)
    assert {bool(vendor.attributes) for vendor in untouched.vendors.values()} == {True, False}


def test_a_customer_payment_in_foreign_currency_books_the_difference(world: World) -> None:
    invoice = next(
        each
        for each in world.company.sales_invoices.values()
        if each.status is DocumentStatus.OPEN
        and each.type is InvoiceType.INVOICE
        and each.currency == "EUR"
        and each.balance == each.amount
    )
    before = books_of(world.company)
    with world.lock:
        desk = world.life._office.receivables  # noqa: SLF001 - no event takes a chosen invoice
        payment = desk.enter_payment({invoice.invoice_nbr: invoice.balance}, method="WIRE", payment_ref=None)
        settled = payment.applications[0].base_amount
        desk.release_payment(payment)
    after = books_of(world.company)
    assert settled == invoice.base_amount != payment.base_amount
    assert after.open_receivables == before.open_receivables - settled
    gained = ZERO
    for account in (chart.EXCHANGE_GAIN, chart.EXCHANGE_LOSS):
        gained += before.by_account[account].net - after.by_account[account].net
    assert gained == payment.base_amount - settled
    received = before.received_by_customer.get(invoice.customer, ZERO) + payment.base_amount
    assert after.received_by_customer[invoice.customer] == received
    assert violations(world.company) == []


def test_a_voided_customer_payment_opens_its_invoices_again(world: World) -> None:
    before = books_of(world.company)
    payment = world.life.receive(3, in_full=True)
    world.life.advance()
    world.life.void_customer_payment(payment.payment_nbr)
    after = books_of(world.company)
    assert after.open_receivables == before.open_receivables
    assert after.received_by_customer == before.received_by_customer
    for application in payment.applications:
        invoice = world.company.sales_invoices[application.invoice_nbr]
        assert invoice.status is DocumentStatus.OPEN
        assert invoice.modified_at == world.company.clock
    assert violations(world.company) == []


def test_a_customer_payment_on_hold_settles_nothing_until_released(world: World) -> None:
    before = books_of(world.company)
    payment = world.life.receive(hold=True)
    assert books_of(world.company) == before
    world.life.release_customer_payment(payment.payment_nbr)
    assert books_of(world.company).open_receivables < before.open_receivables
    with pytest.raises(ValueError, match="not on hold"):
        world.life.delete_customer_payment(payment.payment_nbr)


def test_credit_memos_reduce_receivables_and_sales(world: World) -> None:
    before = books_of(world.company)
    memo = world.life.post_credit_memo()
    after = books_of(world.company)
    assert after.open_receivables == before.open_receivables - memo.base_amount
    sold = before.sales_by_customer.get(memo.customer, ZERO) - memo.base_amount
    assert after.sales_by_customer[memo.customer] == sold


def test_shipping_moves_stock_and_leaves_the_item_untouched(world: World) -> None:
    order = world.life.post_sales_order(hold=True)
    line = order.lines[0]
    line.item, line.warehouse = "000417", "MAIN"
    world.life.release_sales_order(order.order_nbr)
    world.life.advance()
    there = world.company.stock["000417|MAIN"].quantity
    stamp = world.company.items["000417"].modified_at
    invoice = world.life.ship_sales_order(order.order_nbr)
    shipped = sum(each.quantity for each in invoice.lines if each.item == "000417")
    assert shipped > 0
    assert world.company.stock["000417|MAIN"].quantity == there - shipped
    assert world.company.stock["000417|MAIN"].modified_at == world.company.clock
    assert world.company.items["000417"].modified_at == stamp
    assert violations(world.company) == []


def test_a_sales_order_shipped_in_full_is_completed(world: World) -> None:
    order = world.life.post_sales_order()
    while order.status is DocumentStatus.OPEN:
        world.life.ship_sales_order(order.order_nbr)
    assert not any(line.quantity_open for line in order.lines)
    with pytest.raises(ValueError, match="nothing can be shipped"):
        world.life.ship_sales_order(order.order_nbr)
    with pytest.raises(ValueError, match="shipped in part"):
        world.life.cancel_sales_order(order.order_nbr)


def test_a_line_of_a_sales_order_that_was_shipped_stays(world: World) -> None:
    order = world.life.post_sales_order()
    world.life.change_sales_order(order.order_nbr, how="add")
    order.lines[0].quantity += 1000
    world.life.ship_sales_order(order.order_nbr)
    shipped = {line.line_nbr for line in order.lines if line.quantity_shipped}
    for _ in range(20):
        world.life.change_sales_order(order.order_nbr, how="remove")
    assert shipped <= {line.line_nbr for line in order.lines}


def test_a_receipt_on_hold_moves_nothing_until_released(world: World) -> None:
    order = world.life.post_purchase_order()
    receipt = world.life.hold_receipt(order.order_nbr)
    assert not any(line.quantity_received for line in order.lines)
    world.life.release_receipt(receipt.receipt_nbr)
    assert order.status is DocumentStatus.CLOSED
    assert violations(world.company) == []
    back = world.life.return_goods(receipt.receipt_nbr)
    assert back.type is ReceiptType.RETURN
    assert any(line.quantity_returned for line in order.lines)
    assert violations(world.company) == []
    with pytest.raises(ValueError, match="not on hold"):
        world.life.delete_receipt(receipt.receipt_nbr)


def test_a_receipt_that_no_longer_fits_its_order_is_refused(world: World) -> None:
    order = world.life.post_purchase_order()
    receipt = world.life.hold_receipt(order.order_nbr)
    world.life.close_purchase_order(order.order_nbr)
    with pytest.raises(ValueError, match="nothing can be delivered"):
        world.life.release_receipt(receipt.receipt_nbr)


def _invented_payment(company: Company) -> None:
    payment = next(iter(company.customer_payments.values()))
    payment.applications[0].amount += Decimal("0.01")


def _lost_receipt(company: Company) -> None:
    number = next(
        key for key, each in company.purchase_receipts.items() if each.status is DocumentStatus.CLOSED
    )
    del company.purchase_receipts[number]


def _shipped_without_invoice(company: Company) -> None:
    next(iter(company.sales_orders.values())).lines[0].quantity_shipped += Decimal("0.5")


def _wrong_discount(company: Company) -> None:
    next(iter(company.sales_orders.values())).lines[0].discount_amount += Decimal("0.01")


def _memo_taken_for_invoice(company: Company) -> None:
    memo = next(each for each in company.sales_invoices.values() if each.type is InvoiceType.CREDIT_MEMO)
    memo.type = InvoiceType.INVOICE


def _lost_customer_journal(company: Company) -> None:
    payment = next(each for each in company.customer_payments.values() if each.batch_nbr)
    del company.journals[f"AR|{payment.batch_nbr}"]


def _unknown_attribute(company: Company) -> None:
    next(iter(company.items.values())).attributes["COLOR"] = "PINK"


def _stock_of_nothing(company: Company) -> None:
    del company.items[next(iter(company.stock.values())).item]


@pytest.mark.parametrize(
    "damage",
    [
        _invented_payment,
        _lost_receipt,
        _shipped_without_invoice,
        _wrong_discount,
        _memo_taken_for_invoice,
        _lost_customer_journal,
        _unknown_attribute,
        _stock_of_nothing,
    ],
)
def test_damage_to_trade_is_noticed(damage: Callable[[Company], None]) -> None:
    company = generate()
    damage(company)
    assert violations(company) != []
