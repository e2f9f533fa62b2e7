"""What happens in the ERP, followed by a real tap and the loader into published data sources that authors work on."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.pipeline import Pipeline, loader_config, without_zeros
from tests.sandbox.company.books import books_of
from tests.sandbox.company.model import Custom
from tests.sandbox.epicor_kinetic.view import invoice_num
from tests.target_tableau.documents import column_elements, document
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.company.model import Bill
    from tests.target_tableau.conftest import Server

RENAMED = "What for"


@dataclasses.dataclass(frozen=True)
class Words:
    """What a pipeline calls things.

    Attributes:
        bills: The stream.
        key: The column that tells a bill apart.
        key_of: What stands in it.
        void: Which rows of a voided bill come to nothing together; `{}` is its key.
        vendor: The model's column with the vendor's code.
        amount: A column of money.
        number: The column that the ERP's new field of a number becomes, and what authors see above it.
        day: The same for its new field of a day.
    """

    bills: str
    key: str
    key_of: Callable[[Bill], str]
    void: str
    vendor: str
    amount: str
    number: tuple[str, str]
    day: tuple[str, str]


ACUMATICA = Words(
    bills="bills",
    key="note_id",
    key_of=lambda bill: bill.note_id,
    void="note_id = '{}'",
    vendor="vendor",
    amount="amount",
    number=("custom_document_usr_number", "Custom document usr number"),
    day=("custom_document_usr_day", "Custom document usr day"),
)
EPICOR_KINETIC = Words(
    bills="ap_invoices",
    key="invoice_num",
    key_of=invoice_num,
    void="'{}' IN (invoice_num, invoice_ref)",
    vendor="vendor_id",
    amount="doc_invoice_amt",
    number=("score_c", "Score"),
    day=("checked_on_c", "Checked on"),
)


@dataclasses.dataclass
class Desk:
    """Where an author works on two data sources, the one of the stream and the model made of it."""

    pipeline: Pipeline
    server: Server
    words: Words

    def __post_init__(self) -> None:
        self.names = [f"{self.pipeline.source} {each}" for each in (self.words.bills, "ap_bills")]
        model = f"{self.pipeline.source}/ap_bills"
        (rule,) = (each for each in loader_config()["models"] if each["name"] == model)
        self.pipeline.settings = {**self.server.settings, "models": [rule], "snapshots": []}

    def work(self) -> None:
        """Give a column another caption, and calculate with it."""
        amount = self.words.amount
        for name in self.names:
            self.server.add_to_document(
                name,
                f"<column caption='What we owe' datatype='real' name='[{amount}]' role='measure' "
                "type='quantitative' />",
                "<column caption='In thousands' datatype='real' name='[Calculation_1]' role='measure' "
                f"type='quantitative'><calculation class='tableau' formula='[{amount}] / 1000' /></column>",
            )

    def check_work(self, name: str) -> None:
        shown = column_elements(self.server, name)
        assert shown[self.words.amount].get("caption") == "What we owe", name
        assert shown["Calculation_1"].get("caption") == "In thousands", name
        (calculation,) = shown["Calculation_1"]
        assert calculation.get("formula") == f"[{self.words.amount}] / 1000", name

    def columns(self, name: str) -> list[str]:
        """Columns in the order of the document."""
        records = document(self.server, name).iterfind("connection/metadata-records/metadata-record")
        return [str(each.findtext("remote-name")) for each in records]

    def rows(self, name: str, sql: str) -> list[list[Any]]:
        """Ask the published data source."""
        return query(self.server.app.state.datasource(name), sql)

    def by_bill(self, name: str, column: str) -> dict[str, Any]:
        rows = self.rows(name, f'SELECT "{self.words.key}", "{column}" FROM {{t}}')
        return {key: value for key, value in rows}  # noqa: C416

    def check_books(self) -> None:
        books = books_of(self.pipeline.world.company)
        sums = self.rows(
            self.names[1],
            f"SELECT {self.words.vendor}, SUM(ledger_amount), SUM(ledger_balance) FROM {{t}} GROUP BY 1",
        )
        assert without_zeros({vendor: spend for vendor, spend, _ in sums}) == without_zeros(
            books.spend_by_vendor
        )
        assert without_zeros({vendor: due for vendor, _, due in sums}) == without_zeros(
            books.open_payables_by_vendor
        )


@pytest.fixture
def in_acumatica(on_acumatica: Pipeline, tableau_server: Server) -> Desk:
    on_acumatica.site.switches.fields_to_come = frozenset({"UsrNumber", "UsrDay"})
    on_acumatica.tap_config |= {
        "custom_fields": {"bills": ["*.UsrNumber", "*.UsrDay"]},
        "discovery_max_age_minutes": 0,
    }
    return Desk(on_acumatica, tableau_server, ACUMATICA)


@pytest.fixture
def in_epicor_kinetic(on_epicor_kinetic: Pipeline, tableau_server: Server) -> Desk:
    on_epicor_kinetic.site.switches.columns_to_come = frozenset({"Score_c", "CheckedOn_c"})
    on_epicor_kinetic.tap_config |= {
        "discovery_max_age_minutes": 0,
        "deletion_log": {
            "baq": "DeletedRows",
            "table": "UD40_Key1",
            "row_id": "UD40_Key2",
            "revision": "UD40_SysRevID",
            "deleted_at": "UD40_Date01",
        },
    }
    return Desk(on_epicor_kinetic, tableau_server, EPICOR_KINETIC)


def test_what_happens_in_acumatica_is_followed_into_what_authors_work_on(in_acumatica: Desk) -> None:
    check(in_acumatica)


@pytest.mark.soak
def test_what_happens_in_epicor_kinetic_is_followed_into_what_authors_work_on(
    in_epicor_kinetic: Desk,
) -> None:
    check(in_epicor_kinetic)


def check(desk: Desk) -> None:
    """A field is added, a column renamed, a bill voided and another deleted, under an author's hands."""
    pipeline, words = desk.pipeline, desk.words
    company, life = pipeline.world.company, pipeline.world.life
    for bill in company.bills.values():
        bill.custom = Custom()
    to_void, to_delete = life.post_bill(), life.post_bill(hold=True)
    life.advance()
    pipeline.go()
    desk.check_books()
    desk.work()
    before = {name: desk.columns(name) for name in desk.names}
    added = {words.number[0], words.day[0], RENAMED}

    pipeline.site.switches.fields_to_come = frozenset()
    pipeline.site.switches.columns_to_come = frozenset()
    for key in list(company.bills)[:12]:
        life.change_custom(key)
    life.void_bill(key_in(company.bills, to_void))
    life.delete_bill(key_in(company.bills, to_delete))
    life.advance()
    pipeline.settings["columns"] = {words.bills: {"description": RENAMED}}
    pipeline.go()

    desk.check_books()
    bills = {words.key_of(bill): bill for bill in company.bills.values()}
    for name in desk.names:
        desk.check_work(name)
        columns = desk.columns(name)
        assert columns[: len(before[name])] == before[name], name
        assert (set(columns[len(before[name]) :]), len(columns)) == (added, len(before[name]) + len(added))
        check_new_columns(desk, name)
        found = desk.by_bill(name, words.number[0])
        assert any(found.values())
        assert {key: found[key] for key in bills} == {key: bill.custom.number for key, bill in bills.items()}
        # what was loaded before the rule bears the new name too
        found = desk.by_bill(name, RENAMED)
        assert {key: found[key] or None for key in bills} == {
            key: bill.description or None for key, bill in bills.items()
        }
        assert words.key_of(to_delete) not in found
        left = desk.rows(
            name,
            f"SELECT COUNT(*), SUM(ledger_amount) FROM {{t}} WHERE {words.void.format(words.key_of(to_void))}",
        )
        assert left[0][0] >= 1
        assert left[0][1] == 0


def key_in(bills: dict[str, Bill], bill: Bill) -> str:
    return next(key for key, each in bills.items() if each is bill)


def check_new_columns(desk: Desk, name: str) -> None:
    shown = column_elements(desk.server, name)
    (number, number_caption), (day, day_caption) = desk.words.number, desk.words.day
    assert (shown[number].get("caption"), shown[number].get("role")) == (number_caption, "measure"), name
    assert (shown[day].get("caption"), shown[day].get("role")) == (day_caption, "dimension"), name
    assert shown[day].get("default-format") == "*yyyy-mm-dd hh:nn:ss", name
    renamed = shown[RENAMED]
    assert (renamed.get("caption", RENAMED), renamed.get("role")) == (RENAMED, "dimension"), name
