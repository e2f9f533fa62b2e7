from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.company import chart
from tests.sandbox.company.books import books_of
from tests.sandbox.company.check import violations
from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import (
    BillType,
    Company,
    DocumentStatus,
)
from tests.sandbox.company.payables import bill_key
from tests.sandbox.company.registry import NothingToDoError, tables
from tests.sandbox.company.world import World

if TYPE_CHECKING:
    from pathlib import Path

TABLES_OF_DOCUMENTS = ("bills", "payments", "sales_invoices", "purchase_orders", "journals")


@pytest.fixture(scope="module")
def untouched() -> Company:
    return generate()


@pytest.fixture
def world() -> World:
    return World(generate())


def keys(company: Company) -> set[tuple[str, str]]:
    return {(name, key) for name, table in tables(company).items() for key in table}


# --------------------------------------------------------------------- life


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), pause=st.sampled_from([5, 60 * 24 * 2, 60 * 24 * 9]))
def test_every_rule_holds_after_every_event(seed: int, pause: int) -> None:
    world = World(generate(seed=seed, bills=40))
    seen = keys(world.company)
    gone: set[tuple[str, str]] = set()
    for number in range(120):
        clock = world.company.clock
        name = world.life.step()
        assert violations(world.company) == [], f"event {number}: {name}"
        now = keys(world.company)
        assert not now & gone, f"event {number}: {name} used a number again"
        gone |= seen - now
        seen |= now
        assert world.company.clock - clock < dt.timedelta(seconds=1)
        if number % 40 == 39:
            world.life.advance(pause)
            assert violations(world.company) == []
    assert gone == {(each.table, each.key) for each in world.company.deletions} - {
        (each.table, each.key) for each in generate(seed=seed, bills=40).deletions
    }


def test_random_life_comes_to_every_kind_of_event() -> None:
    world = World(generate())
    names = set(world.life.live(3_000))
    assert len(names) == 70
    assert violations(world.company) == []


def test_what_changes_is_stamped_and_nothing_else_is() -> None:
    world = World(generate(bills=40))
    for _ in range(150):
        before = {
            (name, key): msgspec.json.encode(record)
            for name, table in tables(world.company).items()
            for key, record in table.items()
        }
        world.life.advance(1)
        name = world.life.step()
        for table_name, table in tables(world.company).items():
            for key, record in table.items():
                changed = before.get((table_name, key)) != msgspec.json.encode(record)
                assert changed == (record.modified_at == world.company.clock), f"{name}: {table_name} {key}"


def test_equal_seeds_live_equal_lives() -> None:
    first, second, third = (World(generate()) for _ in range(3))
    third.reseed(99)
    names = [world.life.live(30) for world in (first, second, third)]
    assert names[0] == names[1] != names[2]
    assert msgspec.json.encode(first.company) == msgspec.json.encode(second.company)


def test_a_line_that_was_removed_leaves_its_number_unused(world: World) -> None:
    bill = world.life.post_bill(hold=True)
    key = f"bill|{bill.reference_nbr}"
    world.life.change_bill(key, how="add")
    last = bill.lines[-1].line_nbr
    while any(line.line_nbr == last for line in bill.lines):
        world.life.change_bill(key, how="remove")
    world.life.change_bill(key, how="add")
    assert bill.lines[-1].line_nbr > last
    assert violations(world.company) == []


def test_orders_lose_lines_but_never_delivered_ones(world: World) -> None:
    order = world.life.post_purchase_order()
    world.life.change_purchase_order(order.order_nbr, how="add")
    world.life.change_purchase_order(order.order_nbr, how="add")
    count = len(order.lines)
    world.life.change_purchase_order(order.order_nbr, how="remove")
    assert len(order.lines) == count - 1
    for line in order.lines:
        line.quantity_received = Decimal(1)
    world.life.change_purchase_order(order.order_nbr, how="remove")
    assert len(order.lines) == count, "nothing could be removed, so a line was added"


def test_a_bill_held_over_month_end_is_booked_into_the_open_month(world: World) -> None:
    bill = world.life.post_bill(hold=True)
    assert bill.period == "202606"
    world.life.advance(60 * 24 * 40)
    world.life.release_bill(f"bill|{bill.reference_nbr}")
    assert world.company.clock.date() == dt.date(2026, 8, 9)
    assert bill.period == "202608"
    assert bill.date == dt.date(2026, 6, 30)
    assert violations(world.company) == []


def test_months_that_pass_are_opened_and_closed(world: World) -> None:
    world.life.advance(60 * 24 * 200)
    assert [code for code, period in world.company.periods.items() if not period.closed] == [
        "202612",
        "202701",
    ]
    assert violations(world.company) == []


def test_a_year_later_two_results_are_retained(world: World) -> None:
    world.life.advance(60 * 24 * 200)
    world.life.live(40)
    rows = {
        place.period: balance
        for place, balance in books_of(world.company).balances.items()
        if place.account == chart.RETAINED_EARNINGS and place.branch == "HQ"
    }
    assert list(rows) == ["202601", "202701"]
    assert violations(world.company) == []


def test_partial_payment_leaves_the_rest_open(world: World) -> None:
    payment = world.life.pay(in_full=False)
    application = next(each for each in payment.applications if each.type is not BillType.DEBIT_ADJUSTMENT)
    bill = world.company.bills[f"{application.type}|{application.reference_nbr}"]
    assert bill.status is DocumentStatus.OPEN
    assert 0 < bill.balance < bill.amount


def test_a_voided_payment_opens_its_bills_again(world: World) -> None:
    payment = world.life.pay(in_full=True)
    bill = world.company.bills[f"{payment.applications[0].type}|{payment.applications[0].reference_nbr}"]
    assert bill.balance == 0
    world.life.advance()
    world.life.void_payment(payment.payment_nbr)
    assert bill.status is DocumentStatus.OPEN
    assert bill.modified_at == payment.modified_at == world.company.clock
    assert payment.voiding_batch_nbr is not None
    assert violations(world.company) == []


def test_what_is_in_the_books_cannot_be_deleted_or_changed(world: World) -> None:
    bill = world.life.post_bill()
    journal = world.life.post_journal()
    key = f"bill|{bill.reference_nbr}"
    for refused in (
        lambda: world.life.delete_bill(key),
        lambda: world.life.change_bill(key),
        lambda: world.life.release_bill(key),
        lambda: world.life.delete_journal(f"GL|{journal.batch_nbr}"),
        lambda: world.life.change_journal(f"GL|{journal.batch_nbr}"),
    ):
        with pytest.raises(ValueError, match=r"not on hold|is posted"):
            refused()
    assert violations(world.company) == []


def test_a_bill_that_is_partly_paid_cannot_be_voided(world: World) -> None:
    payment = world.life.pay(in_full=False)
    application = next(each for each in payment.applications if each.type is not BillType.DEBIT_ADJUSTMENT)
    with pytest.raises(ValueError, match="partly settled"):
        world.life.void_bill(f"{application.type}|{application.reference_nbr}")


def test_an_event_without_a_victim_says_so() -> None:
    world = World(generate(bills=0))
    with pytest.raises(NothingToDoError, match="bill on hold"):
        world.life.release_bill()


def test_time_does_not_run_backwards(world: World) -> None:
    with pytest.raises(ValueError, match="-1"):
        world.life.advance(-1)


# -------------------------------------------------------------------- world


def test_a_saved_company_is_the_same_when_loaded(tmp_path: Path) -> None:
    world = World.open(tmp_path / "company.json", bills=60)
    world.life.live(50)
    world.save()
    again = World.open(tmp_path / "company.json")
    assert msgspec.json.encode(again.company) == msgspec.json.encode(world.company)
    assert violations(again.company) == []
    assert books_of(again.company) == books_of(world.company)


def test_a_loaded_company_goes_on_instead_of_repeating_itself(tmp_path: Path) -> None:
    world = World.open(tmp_path / "company.json", bills=60)
    first = world.life.post_bill()
    world.save()
    again = World.open(tmp_path / "company.json")
    assert again.life.post_bill().lines != first.lines
    assert violations(again.company) == []


def test_a_broken_file_is_not_taken_for_a_company(tmp_path: Path) -> None:
    (tmp_path / "company.json").write_bytes(b'{"name": "half')
    with pytest.raises(msgspec.DecodeError):
        World.open(tmp_path / "company.json")


def test_a_world_without_a_path_cannot_be_saved(world: World) -> None:
    with pytest.raises(ValueError, match="made without"):
        world.save()


def test_the_version_grows_with_every_event(world: World) -> None:
    versions = [world.version]
    for happen in (world.life.post_bill, world.life.step, world.life.advance, world.life.rename_vendor):
        happen()
        versions.append(world.version)
    assert versions == sorted(set(versions))


def test_an_event_waits_for_whoever_reads(world: World) -> None:
    count = len(world.company.bills)
    with world.lock:
        thread = threading.Thread(target=world.life.post_bill)
        thread.start()
        thread.join(timeout=0.05)
        assert thread.is_alive()
        assert len(world.company.bills) == count
    thread.join(timeout=5)
    assert len(world.company.bills) == count + 1


def test_corrected_bill_for_an_order_is_booked_anew(world: World) -> None:
    bill = world.life.post_bill_for_order()
    before, batch_nbr = bill.base_amount, bill.batch_nbr
    world.life.advance(15)
    assert world.life.correct_order_bill(bill_key(bill)) is bill
    assert bill.base_amount != before
    assert bill.balance == bill.amount
    assert bill.batch_nbr != batch_nbr
    assert bill.remade_at == [world.company.clock]
    assert world.company.deletions[-1].key == f"AP|{batch_nbr}"
    assert violations(world.company) == []


def test_bill_that_a_payment_speaks_for_is_not_remade(world: World) -> None:
    paid = next(
        bill_key(application)
        for payment in world.company.payments.values()
        for application in payment.applications
        if application.type is BillType.BILL
    )
    bill = world.life.change_custom(paid)
    assert bill.modified_at == world.company.clock
    assert bill.remade_at == []
