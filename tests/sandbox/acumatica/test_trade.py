from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.acumatica.entities import ENTITIES
from tests.sandbox.acumatica.visitor import plain, values
from tests.sandbox.company.books import books_of
from tests.sandbox.company.model import DocumentStatus
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from tests.sandbox.acumatica.visitor import Visitor
    from tests.sandbox.company.model import SalesOrder

SHOW = {"PX-ApiArchive": "SHOW"}
SIGNS = {"INV": 1, "CRM": -1, "PMT": -1}
TABLES = {
    "Payment": "customer_payments",
    "SalesOrder": "sales_orders",
    "PurchaseReceipt": "purchase_receipts",
    "Project": "projects",
    "CostCode": "cost_codes",
    "Currency": "currencies",
    "Invoice": "sales_invoices",
}


@pytest.fixture
def user(visitor: Visitor) -> Visitor:
    return visitor.sign_in()


def money(value: float) -> Decimal:
    return Decimal(str(value))


@pytest.mark.parametrize("entity", sorted(TABLES))
def test_every_record_is_listed_under_its_lasting_id(user: Visitor, entity: str) -> None:
    rows = user.rows(entity, headers=SHOW)
    records = getattr(user.world.company, TABLES[entity]).values()
    assert {row["id"] for row in rows} == {record.note_id for record in records}
    assert user.rows(entity, top=2) == user.rows(entity)[:2]


@pytest.mark.parametrize("entity", ["Invoice", "Payment", "PurchaseReceipt", "SalesInvoice", "SalesOrder"])
def test_archived_documents_are_shown_on_request_only(user: Visitor, entity: str) -> None:
    table = TABLES.get(entity, "sales_invoices")
    shown = {row["id"] for row in user.rows(entity, headers=SHOW)}
    usual = {row["id"] for row in user.rows(entity)}
    archived = {each.note_id for each in getattr(user.world.company, table).values() if each.archived}
    assert shown - usual == archived & shown
    assert archived & shown or entity != "Payment"


def test_applications_move_from_open_to_history_at_release(user: Visitor) -> None:
    payment = user.world.life.receive(hold=True)
    path = f"Payment/Payment/{payment.payment_nbr}"
    both = "ApplicationHistory,DocumentsToApply"
    held = user.ask(path, expand=both).json()
    assert held["ApplicationHistory"] == []
    assert values(held["DocumentsToApply"], "ReferenceNbr") == [
        each.invoice_nbr for each in payment.applications
    ]
    user.world.life.release_customer_payment(payment.payment_nbr)
    released = user.ask(path, expand=both).json()
    assert released["DocumentsToApply"] == []
    history = released["ApplicationHistory"]
    assert values(history, "AdjustedRefNbr") == [each.invoice_nbr for each in payment.applications]
    assert [money(value) for value in values(history, "AmountPaid")] == [
        each.amount for each in payment.applications
    ]
    assert plain(released, "Status") == "Closed"


def test_invoice_balances_move_with_customer_payments(user: Visitor) -> None:
    payment = user.world.life.receive(in_full=False)
    number = payment.applications[-1].invoice_nbr
    invoice = user.world.company.sales_invoices[number]
    row = user.rows("Invoice", filter=f"ReferenceNbr eq '{number}'", expand="ApplicationsDefault")[0]
    assert money(plain(row, "Balance")) == invoice.balance
    assert payment.payment_nbr in values(row["ApplicationsDefault"], "ReferenceNbr")


def test_credit_memos_are_shown_by_their_label_in_both_contracts(user: Visitor) -> None:
    memo = user.world.life.post_credit_memo()
    condition = "Type eq 'Credit Memo'"
    assert memo.invoice_nbr in values(user.rows("Invoice", filter=condition), "ReferenceNbr")
    user.app.switches.offer_contract_5 = True
    modern = dataclasses.replace(user, version="26.200.001")
    row = modern.rows("Invoice", filter=f"ReferenceNbr eq '{memo.invoice_nbr}'")[0]
    assert plain(row, "Type") == {"id": "CRM", "description": "Credit Memo"}
    assert plain(row, "DueDate") is None


def partly_shipped(user: Visitor) -> SalesOrder:
    life = user.world.life
    for _ in range(30):
        order = life.post_sales_order()
        life.change_sales_order(order.order_nbr, how="add")
        life.ship_sales_order(order.order_nbr)
        if order.status is DocumentStatus.OPEN:
            return order
    raise AssertionError("no order was shipped in part")


def test_sales_order_lines_tell_what_is_open(user: Visitor) -> None:
    order = partly_shipped(user)
    row = user.ask(f"SalesOrder/SO/{order.order_nbr}", expand="Details,Totals").json()
    quantities = [money(value) for value in values(row["Details"], "OpenQty")]
    assert quantities == [line.quantity_open for line in order.lines]
    assert any(quantities)
    assert values(row["Details"], "LineNbr") == [line.line_nbr for line in order.lines]
    assert money(plain(row["Totals"], "LineTotalAmount")) == order.total
    user.world.life.close_sales_order(order.order_nbr)
    closed = user.ask(f"SalesOrder/SO/{order.order_nbr}", expand="Details").json()
    assert set(values(closed["Details"], "OpenQty")) == {0.0}
    assert plain(closed, "Status") == "Completed"


def test_order_type_stays_text_when_status_becomes_an_object(user: Visitor) -> None:
    user.app.switches.offer_contract_5 = True
    modern = dataclasses.replace(user, version="26.200.001")
    row = modern.rows("SalesOrder", top=1)[0]
    assert plain(row, "OrderType") == "SO"
    assert set(plain(row, "Status")) == {"id", "description"}
    assert plain(row, "Date").endswith("T00:00:00+00:00")


def test_sales_invoices_are_those_that_came_from_orders(user: Visitor) -> None:
    order = user.world.life.post_sales_order()
    invoice = user.world.life.ship_sales_order(order.order_nbr)
    plainly = user.world.life.post_invoice()
    numbers = values(user.rows("SalesInvoice"), "ReferenceNbr")
    assert invoice.invoice_nbr in numbers
    assert plainly.invoice_nbr not in numbers
    row = user.ask(f"SalesInvoice/Invoice/{invoice.invoice_nbr}", expand="Details,FinancialDetails").json()
    assert set(values(row["Details"], "OrderNbr")) == {order.order_nbr}
    assert plain(row["FinancialDetails"], "BatchNbr") == invoice.batch_nbr


@pytest.mark.parametrize(
    ("entity", "field", "first"),
    [
        ("PurchaseReceipt", "LastModifiedDateTime", "23.200.001"),
        ("SalesInvoice", "LastModifiedDateTime", "23.200.001"),
        ("SalesInvoice", "LastModifiedDate", "24.200.001"),
        ("SalesOrder", "Branch", "23.200.001"),
    ],
)
def test_fields_are_served_from_their_version_on(user: Visitor, entity: str, field: str, first: str) -> None:
    for version in ("22.200.001", "23.200.001", "24.200.001", "25.200.001"):
        row = dataclasses.replace(user, version=version).rows(entity, top=1)[0]
        assert (field in row) == (version >= first), version


def test_returns_name_the_receipt_that_the_goods_came_with(user: Visitor) -> None:
    back = user.world.life.return_goods()
    row = user.ask(f"PurchaseReceipt/Return/{back.receipt_nbr}", expand="Details").json()
    assert values(row["Details"], "POReceiptNbr") == [line.receipt_nbr for line in back.lines]
    assert values(row["Details"], "POOrderNbr") == [line.order_nbr for line in back.lines]
    assert plain(row, "Status") == "Released"


def test_counting_stock_changes_quantities_but_not_the_item(user: Visitor) -> None:
    user.world.life.advance()
    before = user.ask("StockItem/000417", expand="WarehouseDetails").json()
    level = user.world.life.count_stock("000417|MAIN")
    after = user.ask("StockItem/000417", expand="WarehouseDetails").json()
    assert plain(after, "LastModifiedDateTime") == plain(before, "LastModifiedDateTime")
    shown = dict(
        zip(
            values(after["WarehouseDetails"], "WarehouseID"),
            values(after["WarehouseDetails"], "QtyOnHand"),
            strict=True,
        )
    )
    assert money(shown["MAIN"]) == level.quantity


def test_user_defined_fields_come_by_custom_with_their_types(user: Visitor) -> None:
    names = ("UsrText", "UsrNumber", "UsrDay", "UsrFlag")
    wanted = ",".join(
        [f"Document.{name}" for name in names] + [f"Details/Transactions.{name}" for name in names]
    )
    rows = user.rows("Bill", custom=wanted, expand="Details", headers=SHOW)
    bills = {bill.note_id: bill for bill in user.world.company.bills.values()}
    for row in rows:
        found = row["custom"]["Document"]
        custom = bills[row["id"]].custom
        assert found["UsrText"] == {"type": "CustomStringField", "value": custom.text}
        number = found["UsrNumber"]["value"]
        assert (None if number is None else money(number)) == custom.number
        assert found["UsrFlag"] == {"type": "CustomBooleanField", "value": custom.flag}
        day = found["UsrDay"]["value"]
        assert (day or "")[:10] == (custom.day.isoformat() if custom.day else "")
        assert {"UsrText", "UsrDay"} <= set(row["Details"][0]["custom"]["Transactions"])


def test_schema_of_custom_fields_names_user_defined_ones(user: Visitor) -> None:
    schema = user.ask("Bill/$adHocSchema").json()
    assert schema["custom"]["Document"]["UsrDay"]["type"] == "CustomDateTimeField"
    assert "UsrFlag" in schema["Details"][0]["custom"]["Transactions"]
    assert "UsrNumber" in user.ask("Vendor/$adHocSchema").json()["custom"]["BAccount"]


def test_a_user_defined_field_is_unknown_until_it_is_added(user: Visitor) -> None:
    user.app.switches.fields_to_come = frozenset({"UsrNumber"})
    fields = user.ask("Bill/$adHocSchema").json()["custom"]["Document"]
    assert "UsrNumber" not in fields
    assert "UsrText" in fields
    assert user.ask("Bill", custom="Document.UsrNumber", top=1).status_code == 500
    user.app.switches.fields_to_come = frozenset()
    assert "UsrNumber" in user.ask("Bill/$adHocSchema").json()["custom"]["Document"]
    assert user.ask("Bill", custom="Document.UsrNumber", top=1).status_code == 200


def test_attributes_are_a_collection_of_their_own(user: Visitor) -> None:
    row = user.ask("StockItem/000417", expand="Attributes").json()
    item = user.world.company.items["000417"]
    found = dict(
        zip(values(row["Attributes"], "AttributeID"), values(row["Attributes"], "Value"), strict=True)
    )
    assert found == item.attributes
    assert {plain(each, "RefNoteID") for each in row["Attributes"]} == {item.note_id}
    assert "Attributes" not in user.ask("StockItem/000417").json()
    assert user.rows("Project", top=1, expand="Attributes")[0]["Attributes"] == []


def test_currencies_show_their_precision(user: Visitor) -> None:
    rows = user.rows("Currency")
    assert dict(zip(values(rows, "CurrencyID"), values(rows, "DecimalPrecision"), strict=True)) == {
        "EUR": 2,
        "GBP": 2,
        "JPY": 0,
        "KWD": 3,
        "USD": 2,
    }


def test_credit_rules_count_what_is_owed_and_ordered(user: Visitor) -> None:
    owed = books_of(user.world.company).open_receivables_by_customer
    for row in user.rows("Customer", expand="CreditVerificationRules"):
        rules = row["CreditVerificationRules"]
        left = money(plain(rules, "CreditLimit")) - money(plain(rules, "OpenOrdersBalance"))
        assert money(plain(rules, "RemainingCreditLimit")) == left - owed.get(plain(row, "CustomerID"), ZERO)


def test_forms_that_nobody_may_open_are_refused(user: Visitor) -> None:
    for name in ("Payment", "SalesOrder", "PurchaseReceipt", "Project"):
        user.app.switches.forbidden_forms = frozenset({ENTITIES[name].screen})
        assert user.ask(name).status_code == 403, name


# ---------------------------------------------------------------------- DACs


def test_register_signed_by_type_is_what_customers_owe(user: Visitor) -> None:
    rows = user.dac_rows("ARRegister", headers=SHOW)
    books = books_of(user.world.company)
    owed = sum((money(row["DocBal"]) * SIGNS[row["DocType"]] for row in rows if row["Released"]), Decimal(0))
    assert owed == books.open_receivables
    sold = sum(
        (
            money(row["OrigDocAmt"]) * SIGNS[row["DocType"]]
            for row in rows
            if row["Released"] and not row["Voided"] and row["DocType"] != "PMT"
        ),
        Decimal(0),
    )
    assert sold == sum(books.sales_by_customer.values())
    received = [row for row in rows if row["DocType"] == "PMT" and row["Released"] and not row["Voided"]]
    total = sum((money(row["OrigDocAmt"]) for row in received), Decimal(0))
    assert total == sum(books.received_by_customer.values())


def test_adjustments_settle_what_balances_lack(user: Visitor) -> None:
    settled: dict[str, Decimal] = {}
    gains: dict[str, Decimal] = {}
    for row in user.dac_rows("ARAdjust", headers=SHOW):
        if row["Released"] and not row["Voided"]:
            number = row["AdjdRefNbr"]
            settled[number] = settled.get(number, Decimal(0)) + money(row["AdjAmt"])
            gains.setdefault(row["AdjgRefNbr"], Decimal(0))
            gains[row["AdjgRefNbr"]] += money(row["RGOLAmt"])
    for row in user.dac_rows("ARInvoice", filter="Released eq true and Voided eq false", headers=SHOW):
        open_ = money(row["OrigDocAmt"]) - settled.get(row["RefNbr"], Decimal(0))
        assert open_ == money(row["DocBal"]), row["RefNbr"]
    assert any(gains.values())


def test_lines_add_up_to_their_documents_in_base_currency(user: Visitor) -> None:
    for parent, lines, total, part in (
        ("SOOrder", "SOLine", "OrderTotal", "LineAmt"),
        ("POReceipt", "POReceiptLine", "OrderTotal", "ExtCost"),
        ("ARInvoice", "ARTran", "LineTotal", "TranAmt"),
    ):
        for row in user.dac_rows(parent, expand=f"{lines}Collection", headers=SHOW):
            amounts = [money(line[part]) for line in row[f"{lines}Collection"]]
            assert sum(amounts, Decimal(0)) == money(row[total]), (parent, row)


def test_stock_moves_its_own_stamp(user: Visitor) -> None:
    user.world.life.advance()
    level = user.world.life.count_stock()
    rows = user.dac_rows(
        "INSiteStatus",
        filter=f"LastModifiedDateTime ge {user.world.company.clock:%Y-%m-%dT%H:%M:%SZ}",
        expand="InventoryItemByInventoryID($select=InventoryCD),INSiteBySiteID($select=SiteCD)",
    )
    assert [
        (
            row["InventoryItemByInventoryID"]["InventoryCD"].rstrip(),
            row["INSiteBySiteID"]["SiteCD"].rstrip(),
            money(row["QtyOnHand"]),
        )
        for row in rows
    ] == [(level.item, level.warehouse, level.quantity)]


def test_user_defined_fields_and_attributes_are_columns_here(user: Visitor) -> None:
    rows = {row["AcctCD"].rstrip(): row for row in user.dac_rows("Vendor")}
    for code, vendor in user.world.company.vendors.items():
        assert rows[code]["UsrText"] == vendor.custom.text
        assert rows[code]["AttributeDIVERSITY"] == vendor.attributes.get("DIVERSITY")
    assert "UsrFlag" in user.dac_rows("APTran", top=1)[0]


def test_history_by_period_names_the_last_activity(user: Visitor) -> None:
    active = {
        (row["BranchID"], row["AccountID"], row["SubID"], row["FinPeriodID"])
        for row in user.dac_rows("GLHistory")
    }
    rows = user.dac_rows("GLHistoryByPeriod")
    quiet = [row for row in rows if row["FinPeriodID"] != row["LastActivityPeriod"]]
    assert quiet
    for row in rows:
        place = (row["BranchID"], row["AccountID"], row["SubID"])
        assert (*place, row["LastActivityPeriod"]) in active
        assert ((*place, row["FinPeriodID"]) in active) == (row["FinPeriodID"] == row["LastActivityPeriod"])


@pytest.mark.parametrize(
    ("dac", "hold", "options", "delete"),
    [
        ("SOOrder", "post_sales_order", {"hold": True}, "delete_sales_order"),
        ("POReceipt", "hold_receipt", {}, "delete_receipt"),
        ("ARPayment", "receive", {"hold": True}, "delete_customer_payment"),
    ],
)
def test_deleted_records_are_remembered(
    user: Visitor, dac: str, hold: str, options: dict[str, bool], delete: str
) -> None:
    life = user.world.life
    if hold == "hold_receipt":
        life.post_purchase_order()
    getattr(life, hold)(**options)
    deletion = getattr(life, delete)()
    found = {row["NoteID"] for row in user.dac_rows(f"{dac}/px.GetDeletedRecords()")}
    assert deletion.note_id in found
    user.app.switches.tracked_dacs = frozenset()
    assert user.dac(f"{dac}/px.GetDeletedRecords()").status_code == 400
