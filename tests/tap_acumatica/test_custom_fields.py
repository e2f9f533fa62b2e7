"""Fields that a customisation added, and fields outside the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_acumatica.discovery import Endpoint
from tap_acumatica.streams.columns import custom_time_converter
from tap_acumatica.streams.custom import columns_of_custom
from tap_acumatica.streams.declarations import Entity, Lines
from tests.tap_acumatica.harness import run_tap

if TYPE_CHECKING:
    from tests.tap_acumatica.conftest import Instance

BILL = Entity("bills", "Bill", ("Type",), lines=Lines("bill_lines", ("Details",), ("line_nbr",)))
ENDPOINT = Endpoint(
    4,
    {},
    {
        "Bill": {
            "Document.UsrApprover": "string",
            "Document.AttributeREGION": "string",
            "Document.DiscDate": "custom_time",
            "Details/Transactions.UsrWeight": "decimal",
        }
    },
)


def names(collection: str, *patterns: str) -> dict[str, str]:
    stream = "bill_lines" if collection else "bills"
    found = columns_of_custom(ENDPOINT, {"custom_fields": {stream: patterns}}, BILL, collection)
    return {column.name: column.kind for column in found}


def test_custom_fields_are_found_by_name_and_by_pattern() -> None:
    assert names("", "Document.UsrApprover") == {"custom_document_usr_approver": "string"}
    assert names("", "*.Usr*", "*.Attribute*") == {
        "custom_document_usr_approver": "string",
        "custom_document_attribute_region": "string",
    }
    assert len(names("", "*", "Document.*")) == 3
    assert names("Details", "Transactions.Usr*") == {"custom_transactions_usr_weight": "decimal"}


def test_a_custom_field_that_is_not_there_is_named(caplog: pytest.LogCaptureFixture) -> None:
    assert names("", "Document.UsrGone", "*.Nothing*") == {}
    assert "no field Document.UsrGone" in caplog.text
    assert "Nothing" not in caplog.text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-05T00:00:00+00:00", "2026-01-05T00:00:00.000000+00:00"),
        ("2026-01-05T00:00:00-05:00", "2026-01-05T00:00:00.000000+00:00"),
        ("2026-01-05", "2026-01-05T00:00:00.000000+00:00"),
        ("2026-01-05T08:30:00+02:00", "2026-01-05T06:30:00.000000+00:00"),
    ],
)
def test_custom_dates_are_not_shifted_and_custom_times_are(value: str, expected: str) -> None:
    assert custom_time_converter("UTC")(value) == expected


def test_custom_fields_of_documents_and_lines_are_columns(instance: Instance) -> None:
    config = instance.with_(
        custom_fields={"ap_payments": ["CurrentDocument.BatchNbr"], "bill_lines": ["Transactions.LineNbr"]}
    )
    run = run_tap(config, "ap_payments", "bills", "bill_lines")
    batches = {payment.note_id: payment.batch_nbr for payment in instance.company.payments.values()}
    found = {row["note_id"]: row["custom_current_document_batch_nbr"] for row in run.rows("ap_payments")}
    assert found == batches
    assert run.rows("bill_lines")
    for row in run.rows("bill_lines"):
        assert row["custom_transactions_line_nbr"] == row["line_nbr"]
    properties = run.tap.streams["bill_lines"].schema["properties"]
    assert properties["custom_transactions_line_nbr"]["type"] == ["integer", "null"]


def test_what_exists_is_asked_for_once_and_only_where_it_is_wanted(instance: Instance) -> None:
    config = instance.with_(custom_fields={"ap_payments": ["*.BatchNbr"]})
    for _ in range(2):
        run_tap(config, "ap_payments")
    assert instance.script.count(r"\$adHocSchema") == 1
    run_tap(instance.with_(custom_fields={"ap_payments": ["*.FinPeriodID"]}), "bills")
    assert instance.script.count(r"\$custom=CurrentDocument.FinPeriodID") == 0


def test_a_list_that_refuses_custom_fields_is_read_without_them(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.cannot_optimize["Check"] = frozenset({"$custom"})
    run = run_tap(instance.with_(custom_fields={"ap_payments": ["CurrentDocument.BatchNbr"]}), "ap_payments")
    assert len(run.rows("ap_payments")) == len(instance.company.payments)
    assert {row["custom_current_document_batch_nbr"] for row in run.rows("ap_payments")} == {None}
    assert "without custom fields (CurrentDocument.BatchNbr)" in caplog.text


def test_a_form_that_does_not_tell_its_custom_fields_costs_only_them(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    instance.switches.forbidden_forms = frozenset({"AP302000"})
    run = run_tap(instance.with_(custom_fields={"ap_payments": ["*"]}), "bills")
    assert run.rows("bills")
    assert "Check does not tell its custom fields" in caplog.text
