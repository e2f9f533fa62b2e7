"""Everything that the tap emits is what the company holds, over rounds of random life."""

from __future__ import annotations

import contextlib
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.faults import Fault
from tests.singer import Recorder
from tests.tap_acumatica.harness import Run, Warehouse, run_tap
from tests.tap_acumatica.test_books import check_balances, check_books

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.company.model import Company
    from tests.tap_acumatica.conftest import Instance

DOCUMENTS = {
    "ap_payments": ("payments", ""),
    "ar_invoices": ("sales_invoices", "ar_invoice_lines"),
    "ar_payments": ("customer_payments", ""),
    "bills": ("bills", "bill_lines"),
    "customers": ("customers", ""),
    "journal_transactions": ("journals", "journal_lines"),
    "projects": ("projects", ""),
    "purchase_orders": ("purchase_orders", "purchase_order_lines"),
    "purchase_receipts": ("purchase_receipts", "purchase_receipt_lines"),
    "sales_orders": ("sales_orders", "sales_order_lines"),
    "vendors": ("vendors", ""),
}


def check_documents(warehouse: Warehouse, company: Company) -> None:
    for stream, (table, lines) in DOCUMENTS.items():
        records = list(getattr(company, table).values())
        assert {row["note_id"] for row in warehouse.rows(stream)} == {r.note_id for r in records}, stream
        if lines:
            expected = {(record.note_id, line.line_nbr) for record in records for line in record.lines}
            found = {(row["parent_note_id"], row["line_nbr"]) for row in warehouse.rows(lines)}
            assert found == expected, lines


def check_sales(warehouse: Warehouse, company: Company) -> None:
    """Sales invoices are those receivables that came from orders; applications and orders agree in base currency."""
    ours = {row["note_id"]: row for row in warehouse.rows("sales_invoices")}
    invoices = {each.note_id: each for each in company.sales_invoices.values()}
    from_orders = {n for n, each in invoices.items() if any(line.order_nbr for line in each.lines)}
    assert set(ours) == from_orders
    assert all(ours[note_id]["base_amount"] == invoices[note_id].base_amount for note_id in from_orders)
    for stream, table in (
        ("ap_payment_applications", "payments"),
        ("ar_payment_applications", "customer_payments"),
    ):
        payments = list(getattr(company, table).values())
        expected = sum((one.base_amount for each in payments for one in each.applications), Decimal(0))
        assert warehouse.total(stream, "base_amount") == expected, stream
    for order in company.sales_orders.values():
        (row,) = [row for row in warehouse.rows("sales_orders") if row["note_id"] == order.note_id]
        assert row["order_total"] == order.total
        assert abs(row["base_order_total"] - order.total * order.rate) < 1


def check_quantities(warehouse: Warehouse, company: Company) -> None:
    today = company.clock.date().isoformat()
    found = {
        (row["inventory_id"], row["warehouse_id"]): row["qty_on_hand"]
        for row in warehouse.rows("item_warehouse_quantities")
        if row["snapshot_date"] == today
    }
    assert found == {(level.item, level.warehouse): level.quantity for level in company.stock.values()}


def check_all(warehouse: Warehouse, company: Company) -> None:
    check_books(warehouse, company)
    check_balances(warehouse.rows("gl_balances"), company)
    check_documents(warehouse, company)
    check_sales(warehouse, company)
    check_quantities(warehouse, company)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (2, 3, 4))])
def test_all_streams_equal_the_company_over_ten_rounds_of_life(
    make_instance: Callable[..., Instance], seed: int
) -> None:
    instance = make_instance(bills=40)
    instance.world.reseed(seed)
    warehouse = Warehouse()
    state: dict[str, Any] = {}
    for events in (0, 25, 0, 40, 15, 3, 60, 1, 30, 20):
        instance.world.life.live(events)
        instance.world.life.advance(2)
        run = run_tap(instance.config, state=state)
        assert run.tap.exit_code == 0
        warehouse.load(run)
        state = run.state
        check_all(warehouse, instance.company)


def test_all_streams_equal_the_company_after_runs_cut_at_any_call(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(bills=40)
    instance.world.reseed(5)
    config = instance.with_(page_size=100)
    warehouse = Warehouse()
    state: dict[str, Any] = {}
    for calls in (9, 17, 30, 41, 55):
        instance.world.life.live(8)
        instance.world.life.advance(2)
        run = run_tap({**config, "max_calls_per_run": calls}, state=state)
        warehouse.load(run)
        state = run.state or state
    instance.world.life.advance(2)
    warehouse.load(run_tap(config, state=state))
    check_all(warehouse, instance.company)


class CutError(Exception):
    """The process dies here."""


@pytest.mark.parametrize(
    "seed", [11, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(12, 18))]
)
def test_all_streams_equal_the_company_after_runs_killed_at_random_records(
    make_instance: Callable[..., Instance], seed: int
) -> None:
    instance = make_instance(bills=40)
    instance.world.reseed(seed)
    points = random.Random(seed)
    warehouse = Warehouse()
    first = run_tap(instance.config)
    state: dict[str, Any] = {}
    for _ in range(5):
        instance.world.life.live(10)
        instance.world.life.advance(2)
        said: list[dict[str, Any]] = []
        last = points.randint(1, 900)

        def on_message(message: dict[str, Any], said: list[dict[str, Any]] = said, last: int = last) -> None:
            said.append(message)
            if len(said) == last:
                raise CutError

        with contextlib.suppress(CutError):
            run_tap(instance.config, state=state, on_message=on_message)
        # what no STATE covers is read again, so a careful target does not act on it
        covered = max(
            (number + 1 for number, message in enumerate(said) if message["type"] == "STATE"), default=0
        )
        run = Run(first.tap, Recorder.of(said[:covered]), [])
        warehouse.load(run)
        state = run.state or state
    instance.world.life.advance(2)
    warehouse.load(run_tap(instance.config, state=state))
    check_all(warehouse, instance.company)


def test_a_quantity_that_moves_without_its_item_is_in_the_next_snapshot(instance: Instance) -> None:
    first = run_tap(instance.config, "item_warehouse_quantities", "stock_items")
    instance.world.life.advance(60 * 24)
    level = instance.world.life.count_stock()
    instance.world.life.advance(2)
    second = run_tap(instance.config, "item_warehouse_quantities", "stock_items", state=first.state)
    assert second.rows("stock_items") == []
    warehouse = Warehouse()
    for run in (first, second):
        warehouse.load(run)
    check_quantities(warehouse, instance.company)
    days = {row["snapshot_date"] for row in warehouse.rows("item_warehouse_quantities")}
    assert len(days) == 2, "the earlier snapshot stays"
    assert second.bookmark("item_warehouse_quantities")["completed_at"]
    assert level.item in {row["inventory_id"] for row in second.rows("item_warehouse_quantities")}


def test_a_dated_snapshot_never_asks_the_target_to_forget_the_earlier_ones(instance: Instance) -> None:
    config = instance.with_(emit_activate_version_messages=True)
    run = run_tap(config, "item_warehouse_quantities", "branches", "financial_periods")
    told = {message["stream"] for message in run.messages if message["type"] == "ACTIVATE_VERSION"}
    assert told == {"branches", "financial_periods"}


def test_an_item_whose_details_cannot_be_listed_is_read_by_itself(instance: Instance) -> None:
    instance.switches.cannot_optimize["StockItem"] = frozenset({"WarehouseDetails"})
    warehouse = Warehouse()
    warehouse.load(run_tap(instance.config, "item_warehouse_quantities"))
    check_quantities(warehouse, instance.company)


@pytest.mark.parametrize(
    "version",
    [
        "22.200.001",
        "26.200.001",
        *(pytest.param(v, marks=pytest.mark.soak) for v in ("23.200.001", "25.200.001")),
    ],
)
def test_streams_have_the_same_columns_in_every_version_that_has_their_fields(
    instance: Instance, version: str
) -> None:
    """An upgrade of the pinned version may add columns; it takes none away and changes no type."""
    instance.switches.offer_contract_5 = True
    plain = run_tap(instance.with_(endpoint_version="24.200.001"))
    other = run_tap(instance.with_(endpoint_version=version))
    assert other.tap.exit_code == 0
    for name, stream in other.tap.streams.items():
        new, old = plain.tap.streams[name].schema["properties"], stream.schema["properties"]
        older, newer = (old, new) if version < "24.200.001" else (new, old)
        lost = set(older) - set(newer)
        assert not lost, name
        for column in set(older) & set(newer):
            assert older[column]["type"] == newer[column]["type"], (name, column)
        if name not in {"gl_balances", "item_warehouse_quantities"}:
            assert keys_of(other.rows(name), stream.primary_keys) == keys_of(
                plain.rows(name), stream.primary_keys
            ), name


def keys_of(rows: Iterable[dict[str, Any]], keys: Iterable[str]) -> set[tuple[Any, ...]]:
    names = list(keys)
    return {tuple(row[name] for name in names) for row in rows}


def test_lines_of_attributes_follow_their_record(instance: Instance) -> None:
    rows = run_tap(instance.config, "vendors", "vendor_attributes").rows("vendor_attributes")
    found = {(row["vendor_id"], row["attribute_id"]): row["value"] for row in rows}
    expected = {
        (vendor.code, code): value
        for vendor in instance.company.vendors.values()
        for code, value in vendor.attributes.items()
    }
    assert found == expected


def test_user_defined_fields_of_all_kinds_are_read(instance: Instance) -> None:
    config = instance.with_(custom_fields={"bills": ["*.Usr*"], "bill_lines": ["*.Usr*"]})
    run = run_tap(config, "bills", "bill_lines")
    bills = {bill.note_id: bill for bill in instance.company.bills.values()}
    seen = set()
    for row in run.rows("bills"):
        custom = bills[row["note_id"]].custom
        values = {name.rpartition("usr_")[2]: row[name] for name in row if name.startswith("custom_")}
        assert values["text"] == custom.text
        assert values["number"] == custom.number
        assert values["flag"] == custom.flag
        assert (values["day"] or "")[:10] == (custom.day.isoformat() if custom.day else "")
        seen |= {name for name, value in values.items() if value is not None}
    assert seen >= {"text", "number", "flag", "day"}
    assert any(value is not None for row in run.rows("bill_lines") for n, value in row.items() if "usr" in n)


def test_rows_that_arrive_while_sales_are_read_come_with_the_next_run(instance: Instance) -> None:
    life = instance.world.life
    for skip in (0, 1, 2):
        instance.script.add(Fault(r"/(Invoice|Payment|SalesOrder)\?", hook=lambda: life.live(5), skip=skip))
    warehouse = Warehouse()
    first = run_tap(instance.with_(page_size=50))
    warehouse.load(first)
    instance.script.clear()
    life.advance(30)
    warehouse.load(run_tap(instance.config, state=first.state))
    check_all(warehouse, instance.company)
