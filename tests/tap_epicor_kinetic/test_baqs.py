"""BAQs as streams: parameters, paging by number or by skip, keys, padding, and BAQs that do not describe themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from tap_epicor_kinetic.errors import UserError
from tests.sandbox.company.books import books_of
from tests.sandbox.epicor_kinetic.switches import Switches, worst_mood
from tests.sandbox.faults import Fault
from tests.tap_epicor_kinetic.harness import run_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_epicor_kinetic.conftest import Instance

JOURNAL: dict[str, Any] = {
    "id": "ACC-GLActivity",
    "name": "gl_activity",
    "key_properties": [
        "GLJrnDtl_BookID", "GLJrnDtl_FiscalYear", "GLJrnDtl_JournalCode", "GLJrnDtl_JournalNum", "GLJrnDtl_JournalLine",
    ],
    "replication_key": "GLJrnDtl_SysRevID",
}  # fmt: skip
OPEN: dict[str, Any] = {
    "id": "OpenPayables",
    "key_properties": ["APInvHed_VendorNum", "APInvHed_InvoiceNum"],
}


def test_a_baq_is_read_by_its_revision_from_a_server_that_caps_and_ignores_skip(
    make_instance: Callable[..., Instance],
) -> None:
    instance = make_instance(switches=worst_mood())
    config = instance.with_(baqs=[JOURNAL], sysrevid_overlap=0)
    first = run_tap(config, "gl_activity")
    rows = first.rows("gl_activity")
    keys = {tuple(row[key] for key in first.tap.streams["gl_activity"].primary_keys) for row in rows}
    assert len(keys) == len(rows) > 200
    assert sum(row["gl_jrn_dtl_book_debit_amount"] for row in rows) == books_of(instance.company).debits
    assert {row["company"] for row in rows} == {"EPIC06", "EPIC07"}
    assert "row_ident" not in rows[0]
    assert instance.script.count("BaqSvc/ACC-GLActivity/Data") > 4
    instance.world.life.post_journal()
    second = run_tap(config, "gl_activity", state=first.state)
    assert 2 < len(second.rows("gl_activity")) < 20


def test_a_baq_without_a_revision_is_read_whole_and_said_to_be(instance: Instance) -> None:
    config = instance.with_(baqs=[OPEN], emit_activate_version_messages=True)
    run = run_tap(config, "open_payables")
    assert (
        sum(row["ap_inv_hed_invoice_bal"] for row in run.rows("open_payables"))
        == books_of(instance.company).open_payables
    )
    assert list(run.tap.streams["open_payables"].primary_keys) == [
        "company", "ap_inv_hed_vendor_num", "ap_inv_hed_invoice_num",
    ]  # fmt: skip
    assert run.activated == {"open_payables"}
    assert run.is_proven_whole("open_payables")


def test_a_baq_without_keys_has_none_and_is_a_full_table(instance: Instance) -> None:
    run = run_tap(instance.with_(baqs=[{"id": "OpenPayables"}], page_size=3), "open_payables")
    assert list(run.tap.streams["open_payables"].primary_keys) == []
    wanted = sum(
        1
        for company in ("EPIC06", "EPIC07")
        for row in instance.site.rows("APInvHed", company)
        if row["OpenPayable"]
    )
    assert len(run.rows("open_payables")) == wanted > 3


def test_parameters_are_plain_query_parameters_and_lists_repeat_them(instance: Instance) -> None:
    accounts = sorted({str(row["SegValue1"]) for row in instance.site.rows("GLJrnDtl", "EPIC06")})[:2]
    entry = {**JOURNAL, "parameters": {"FromDate": "2025-03-01", "Account": accounts}}
    run = run_tap(instance.with_(baqs=[entry], companies=["EPIC06"]), "gl_activity")
    assert {row["gl_jrn_dtl_seg_value1"] for row in run.rows("gl_activity")} == set(accounts)
    assert min(row["gl_jrn_dtl_je_date"] for row in run.rows("gl_activity")) >= "2025-03-01"
    query = unquote(next(call.query for call in instance.script.calls if call.path.endswith("/Data")))
    assert query.count("Account=") == 2
    assert "$Account" not in query


def test_a_parameter_can_take_the_bookmark(instance: Instance) -> None:
    entry = {
        **JOURNAL,
        "replication_key": "GLJrnDtl_PostedDate",
        "replication_parameter": "FromDate",
    }
    config = instance.with_(baqs=[entry], companies=["EPIC06"])
    first = run_tap(config, "gl_activity")
    assert len(first.rows("gl_activity")) == len(instance.site.rows("GLJrnDtl", "EPIC06"))
    instance.script.clear()
    second = run_tap(config, "gl_activity", state=first.state)
    asked = [unquote(call.query) for call in instance.script.calls if call.path.endswith("/Data")]
    day = (instance.company.clock).date()
    assert all("FromDate=" in query and "$filter" not in query for query in asked)
    assert all(f"FromDate={day.year}" in query for query in asked)
    assert len(second.rows("gl_activity")) < len(first.rows("gl_activity"))


def test_a_missing_parameter_fails_the_stream_and_names_it(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    baq = {"id": "SpendByVendor", "key_properties": ["Vendor_VendorNum"]}
    run = run_tap(instance.with_(baqs=[baq]), "spend_by_vendor", "terms")
    assert run.tap.exit_code == 1
    assert "FromDate" in caplog.text
    assert run.rows("terms")
    full = run_tap(
        instance.with_(baqs=[{**baq, "parameters": {"FromDate": "2000-01-01"}}]), "spend_by_vendor"
    )
    spend = sum((row["calculated_spend"] for row in full.rows("spend_by_vendor")), Decimal(0))
    assert spend == sum(books_of(instance.company).spend_by_vendor.values())


def test_padding_is_taken_off_when_it_is_wanted(instance: Instance) -> None:
    baq = {"id": "ExternalVendors", "key_properties": ["ExtVendor_Code"]}
    padded = run_tap(instance.with_(baqs=[baq], companies=["EPIC06"]), "external_vendors").rows(
        "external_vendors"
    )
    assert all(len(row["ext_vendor_code"]) == 40 for row in padded)
    trimmed = run_tap(instance.with_(baqs=[{**baq, "trim": True}], companies=["EPIC06"]), "external_vendors")
    codes = {row["VendorID"] for row in instance.site.rows("Vendor", "EPIC06")}
    assert {row["ext_vendor_code"] for row in trimmed.rows("external_vendors")} == codes
    assert "row_mod" not in padded[0]


def test_a_baq_that_does_not_describe_itself_is_sampled(instance: Instance) -> None:
    instance.script.add(Fault(r"OpenPayables/\$metadata", status=404, times=9))
    run = run_tap(instance.with_(baqs=[OPEN]), "open_payables")
    assert (
        sum(row["ap_inv_hed_invoice_bal"] for row in run.rows("open_payables"))
        == books_of(instance.company).open_payables
    )
    properties = run.tap.streams["open_payables"].schema["properties"]
    assert properties["ap_inv_hed_invoice_bal"]["type"] == ["number", "null"]
    assert properties["ap_inv_hed_invoice_date"]["format"] == "date"
    assert properties["ap_inv_hed_invoice_num"]["type"] == ["string", "null"]


def test_a_baq_that_does_not_exist_is_left_out_and_named(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_tap(instance.with_(baqs=[{"id": "Nope"}], companies=["EPIC06"]))
    assert "nope: left out" in caplog.text
    assert "was not found" in caplog.text
    assert run.tap.left_out.keys() == {"nope"}


def test_a_baq_by_skip_on_a_server_that_ignores_it_fails_and_says_what_to_do(
    make_instance: Callable[..., Instance], caplog: pytest.LogCaptureFixture
) -> None:
    instance = make_instance(switches=Switches(skip_honoured=False, row_cap=3, default_rows=3))
    run = run_tap(instance.with_(baqs=[OPEN], page_size=3, companies=["EPIC06"]), "open_payables")
    assert run.tap.exit_code == 1
    assert "replication_key" in caplog.text


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"id": "X", "replication_key": "A"}, "needs key_properties"),
        ({"id": "X", "key_properties": ["A"], "paging": "keyset"}, "needs a replication_key"),
        ({"id": "X", "key_properties": ["A"], "replication_parameter": "P"}, "needs the replication_key"),
        ({**OPEN, "key_properties": ["Nope"]}, "has no column Nope"),
        ({**OPEN, "replication_key": "Nope"}, "has no column Nope"),
        ({**OPEN, "order_by": ["Nope"]}, "has no column Nope"),
        ({**OPEN, "name": "vendors"}, "two streams named vendors"),
    ],
)
def test_an_entry_that_contradicts_itself_is_explained(
    instance: Instance, entry: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        run_tap(instance.with_(baqs=[entry]), "open_payables")
