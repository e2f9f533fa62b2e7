"""The models of meltano.yml, made of what the real taps read: their sums are the company's books, to the cent."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml

from tests.end_to_end.support import ROOT
from tests.sandbox.acumatica import CLIENT_ID, CLIENT_SECRET, INSTANCE, PASSWORD, USER_NAME
from tests.sandbox.acumatica.app import create_app as acumatica
from tests.sandbox.company import chart
from tests.sandbox.company.books import IN_THE_BOOKS, books_of
from tests.sandbox.company.generate import generate
from tests.sandbox.company.model import Company
from tests.sandbox.company.world import World
from tests.sandbox.epicor_kinetic import API_KEY, COMPANIES
from tests.sandbox.epicor_kinetic import INSTANCE as KINETIC
from tests.sandbox.epicor_kinetic import PASSWORD as KINETIC_PASSWORD
from tests.sandbox.epicor_kinetic import USER_NAME as KINETIC_USER
from tests.sandbox.epicor_kinetic.app import create_app as epicor_kinetic
from tests.sandbox.exact_online import DIVISIONS
from tests.sandbox.sage_intacct.app import create_app as sage_intacct
from tests.sandbox.serving import serve
from tests.sandbox.syspro import COMPANIES as SYSPRO_COMPANIES
from tests.sandbox.syspro import ODATA_PASSWORD, ODATA_USER_NAME
from tests.sandbox.syspro.app import create_app as syspro
from tests.tap_acumatica.harness import run_tap as run_acumatica
from tests.tap_epicor_kinetic.harness import run_tap as run_epicor_kinetic
from tests.tap_exact_online.conftest import sites as exact_online_sites
from tests.tap_exact_online.harness import run_tap as run_exact_online
from tests.tap_sage_intacct.conftest import config_of as sage_intacct_config
from tests.tap_sage_intacct.harness import run_tap as run_sage_intacct
from tests.tap_syspro.conftest import SEGMENTS
from tests.tap_syspro.harness import run_tap as run_syspro
from tests.target_tableau.support import Extracts, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.sandbox.company.books import Books

Sums = dict[Any, Any]


def loader_config() -> dict[str, Any]:
    """What meltano.yml says about target-tableau."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (loader,) = [each for each in project["plugins"]["loaders"] if each["name"] == "target-tableau"]
    return dict(loader["config"])


@dataclasses.dataclass
class Pipeline:
    """One tap and the loader, in this process, with one company behind them."""

    source: str
    world: World
    run: Callable[..., Any]
    tap_config: dict[str, Any]
    folder: Path
    state: dict[str, Any] = dataclasses.field(default_factory=dict)

    def go(self) -> list[str]:
        """Read and load, and tell for which models and snapshots anything was written."""
        config = {**loader_config(), "output_dir": str(self.folder), "source": self.source, "summary": False}
        streams = {name for model in config["models"] for name in self._streams(model)}
        snapshots = {rule["stream"] for rule in config["snapshots"] if self._is_ours(rule)}
        wanted = sorted(streams | (snapshots - {*self.models()}))
        run = self.run(self.tap_config, *wanted, state=self.state)
        before = self._stamps()
        load(config, [line.decode().strip() for line in run.recorder.lines])
        self.state = run.state
        return sorted(name for name, stamp in self._stamps().items() if before.get(name) != stamp)

    def _is_ours(self, rule: dict[str, Any]) -> bool:
        return bool(rule["name"].startswith(f"{self.source}/"))

    def _streams(self, model: dict[str, Any]) -> Iterator[str]:
        if self._is_ours(model):
            yield model["fact"]
            for join in model.get("joins", ()):
                yield join["stream"]
                yield from join.get("also", ())

    def _stamps(self) -> dict[str, int]:
        folder = self.folder / self.source
        return {file.stem: file.stat().st_ino for file in folder.glob("*.hyper")}

    def models(self) -> list[str]:
        return [
            model["name"].partition("/")[2] for model in loader_config()["models"] if self._is_ours(model)
        ]

    def sums(self, model: str, keys: str, values: str) -> Sums:
        """Sums of a model by some of its columns; groups that come to nothing are left out."""
        count = len(keys.split(", "))
        groups = ", ".join(str(number) for number in range(1, count + 1))
        rows = Extracts(self.folder / self.source).rows(
            model, f"SELECT {keys}, {values} FROM {{t}} GROUP BY {groups}"
        )
        found = {
            tuple(row[:count]) if count > 1 else row[0]: tuple(row[count:])
            if len(row) > count + 1
            else row[count]
            for row in rows
        }
        return {key: value for key, value in found.items() if _is_something(value)}


def _is_something(value: Any) -> bool:
    return any(value) if isinstance(value, tuple) else bool(value)


def without_zeros(sums: Sums) -> Sums:
    return {key: value for key, value in sums.items() if _is_something(value)}


@pytest.fixture
def world() -> World:
    return World(msgspec.json.decode(msgspec.json.encode(generate(seed=7, bills=40)), type=Company))


@pytest.fixture
def on_acumatica(world: World, tmp_path: Path) -> Iterator[Pipeline]:
    app = acumatica(world)
    with serve(app) as url:
        config = {
            "base_url": f"{url}/{INSTANCE}",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "username": USER_NAME,
            "password": PASSWORD,
            "token_store_path": str(tmp_path / "private"),
            "emit_activate_version_messages": True,
        }
        yield Pipeline("tap-acumatica", world, run_acumatica, config, tmp_path / "output")
    app.close()


@pytest.fixture
def on_sage_intacct(world: World, tmp_path: Path) -> Iterator[Pipeline]:
    app = sage_intacct(world)
    with serve(app) as url:
        config = {**sage_intacct_config(url, tmp_path / "cache"), "emit_activate_version_messages": True}
        yield Pipeline("tap-sage-intacct", world, run_sage_intacct, config, tmp_path / "output")
    app.close()


@pytest.fixture
def on_exact_online(tmp_path: Path) -> Iterator[Pipeline]:
    with exact_online_sites(tmp_path) as make:
        instance = make(bills=40)

        def run(config: dict[str, Any], *streams: str, state: dict[str, Any]) -> Any:
            return run_exact_online(instance, *streams, config=config, state=state)

        config = instance.with_(emit_activate_version_messages=True)
        yield Pipeline("tap-exact-online", instance.world, run, config, tmp_path / "output")


@pytest.fixture
def on_epicor_kinetic(world: World, tmp_path: Path) -> Iterator[Pipeline]:
    with serve(epicor_kinetic(world)) as url:
        config = {
            "base_url": f"{url}/{KINETIC}",
            "companies": list(COMPANIES),
            "api_key": API_KEY,
            "username": KINETIC_USER,
            "password": KINETIC_PASSWORD,
            "cache_path": str(tmp_path / "cache"),
            "offered_columns": "useful",
            "full_refresh_days": 1,
            "emit_activate_version_messages": True,
        }
        yield Pipeline("tap-epicor-kinetic", world, run_epicor_kinetic, config, tmp_path / "output")


@pytest.fixture
def on_syspro(world: World, tmp_path: Path) -> Iterator[Pipeline]:
    app = syspro(world)
    with serve(app) as url:
        config = {
            "base_url": url,
            "companies": list(SYSPRO_COMPANIES),
            "odata_username": ODATA_USER_NAME,
            "odata_password": ODATA_PASSWORD,
            "gl_segments": SEGMENTS,
            "store_path": str(tmp_path / "private"),
            "emit_activate_version_messages": True,
        }
        yield Pipeline("tap-syspro", world, run_syspro, config, tmp_path / "output")
    app.close()


def live(pipeline: Pipeline, *, then_quiet: bool = True) -> Books:
    """Load, let the company live on, load what has changed, and see that a quiet run writes nothing."""
    pipeline.go()
    pipeline.world.life.live(60)
    pipeline.world.life.advance(30)
    assert pipeline.go()
    if then_quiet:
        assert pipeline.go() == []
    for model in pipeline.models():
        unresolved = Extracts(pipeline.folder / pipeline.source).rows(
            model, "SELECT DISTINCT unresolved FROM {t} WHERE unresolved IS NOT NULL"
        )
        assert unresolved == [], model
    return books_of(pipeline.world.company)


def names_of_vendors(company: Company) -> dict[str, str]:
    return {vendor.code: vendor.name for vendor in company.vendors.values()}


def turnovers(books: Books) -> Sums:
    """Debit, credit and their difference by branch, account, cost centre and period."""
    return {
        tuple(place): (balance.debit, balance.credit, balance.debit - balance.credit)
        for place, balance in books.balances.items()
        if balance.debit or balance.credit
    }


def endings(books: Books) -> Sums:
    """Ending balances where something was posted; retained earnings are carried in other ways by every ERP."""
    return {
        tuple(place): balance.ending
        for place, balance in books.balances.items()
        if place.account != chart.RETAINED_EARNINGS and balance.ending
    }


def bill_lines_by_vendor(company: Company) -> Sums:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for bill in company.bills.values():
        if bill.status in IN_THE_BOOKS:
            for line in bill.lines:
                sums[bill.vendor] += line.base_amount * bill.type.sign
    return without_zeros(sums)


def test_the_models_of_acumatica_come_to_the_books(on_acumatica: Pipeline) -> None:
    books = live(on_acumatica)
    company, sums = on_acumatica.world.company, on_acumatica.sums
    names = names_of_vendors(company)
    assert sums("ap_bills", "vendor", "SUM(ledger_amount)") == without_zeros(books.spend_by_vendor)
    assert sums("ap_bills", "vendor_name", "SUM(ledger_balance)") == without_zeros(
        {names[vendor]: due for vendor, due in books.open_payables_by_vendor.items()}
    )
    assert sums("ap_bill_details", "vendor", "SUM(ledger_amount)") == bill_lines_by_vendor(company)
    assert sums("ap_payment_register", "vendor", "SUM(ledger_amount)") == without_zeros(books.paid_by_vendor)
    by_place = sums(
        "gl_detail",
        "branch_id, account, subaccount, post_period",
        "SUM(ledger_debit_amount), SUM(ledger_credit_amount), SUM(amount)",
    )
    assert by_place == turnovers(books)
    assert set(sums("gl_detail", "account_name", "COUNT(*)")) == {
        company.accounts[account].name for account in books.by_account
    }
    place = "branch, account, subaccount, period"
    posted = sums("gl_period_balances", place, "SUM(fin_ptd_debit), SUM(fin_ptd_credit), SUM(amount)")
    assert posted == turnovers(books)
    ending = sums("gl_period_balances", place, "SUM(ending_balance)")
    assert {key: ending.get(key) for key in endings(books)} == endings(books)
    open_today = sums("open_payables_daily", "vendor", "SUM(ledger_balance)")
    assert open_today == without_zeros(books.open_payables_by_vendor)


def test_the_models_of_sage_intacct_come_to_the_books(on_sage_intacct: Pipeline) -> None:
    books = live(on_sage_intacct)
    company, sums = on_sage_intacct.world.company, on_sage_intacct.sums
    names = names_of_vendors(company)
    spend: defaultdict[str, Decimal] = defaultdict(Decimal)
    due: defaultdict[str, Decimal] = defaultdict(Decimal)
    for model in ("ap_bills", "ap_adjustment_register"):
        for vendor, (amount, balance) in sums(
            model, "vendorid", "SUM(ledger_amount), SUM(ledger_due)"
        ).items():
            spend[vendor] += amount
            due[vendor] += balance
    assert without_zeros(spend) == without_zeros(books.spend_by_vendor)
    assert without_zeros(due) == without_zeros(books.open_payables_by_vendor)
    assert sums("ap_payment_register", "vendor_name", "SUM(ledger_amount)") == without_zeros(
        {names[vendor]: paid for vendor, paid in books.paid_by_vendor.items()}
    )
    by_place = sums(
        "gl_detail",
        "locationid, accountno, departmentid, TO_CHAR(batch_date,'YYYYMM')",
        "SUM(ledger_debit_amount), SUM(ledger_credit_amount), SUM(amount_debit_positive)",
    )
    assert by_place == turnovers(books)
    posted = sums(
        "gl_period_balances",
        "locationid, accountno, departmentid, TO_CHAR(period_start,'YYYYMM')",
        "SUM(totdebit), SUM(totcredit), SUM(movement)",
    )
    assert posted == turnovers(books)


def by_place(sums: Sums, branches: Mapping[Any, str]) -> Sums:
    """Sums by company, account, cost centre, year and month, by the places of the books; no cost centre is zeros."""
    return {
        (branches[company], account, center or chart.NO_COST_CENTER, f"{year}{month:02d}"): value
        for (company, account, center, year, month), value in sums.items()
    }


def test_the_models_of_exact_online_come_to_the_books(on_exact_online: Pipeline) -> None:
    books = live(on_exact_online)
    company, sums = on_exact_online.world.company, on_exact_online.sums
    names = names_of_vendors(company)
    branches = {division: branch for branch, division in DIVISIONS.items()}
    assert sums("ap_bills", "vendor_code", "SUM(ledger_amount)") == without_zeros(books.spend_by_vendor)
    assert sums("ap_bill_details", "vendor_code", "SUM(ledger_amount)") == bill_lines_by_vendor(company)
    paid = sums("payment_register", "party_code", "SUM(amount)")
    suppliers = {code: amount for code, amount in paid.items() if code in names}
    assert suppliers == without_zeros(books.paid_by_vendor)
    place = "division, gl_account_code, cost_center, financial_year, financial_period"
    posted = "SUM(ledger_debit_amount), SUM(ledger_credit_amount), SUM(amount)"
    assert by_place(sums("gl_detail", place, posted), branches) == turnovers(books)
    names_of_accounts = {company.accounts[account].name for account in books.by_account}
    assert set(sums("gl_detail", "gl_account_name", "COUNT(*)")) == names_of_accounts
    place = "division, gl_account_code, cost_center_code, reporting_year, reporting_period"
    posted = "SUM(ledger_debit_amount), SUM(ledger_credit_amount), SUM(amount_debit_positive)"
    assert by_place(sums("gl_period_balances", place, posted), branches) == turnovers(books)
    open_today = sums("open_payables_daily", "party_code", "SUM(ledger_payable)")
    assert open_today == without_zeros(books.open_payables_by_vendor)
    owed: defaultdict[str, Decimal] = defaultdict(Decimal)  # Exact has one code for a customer and a supplier
    for customer, amount in books.open_receivables_by_customer.items():
        owed[company.customers[customer].name] += amount
    owed_today = sums("open_receivables_daily", "party_name", "SUM(ledger_receivable)")
    assert owed_today == without_zeros(owed)
    assert sums("purchase_order_details", "supplier_code", "SUM(amount_fc)") == ordered_by_vendor(company)


def test_the_models_of_epicor_kinetic_come_to_the_books(on_epicor_kinetic: Pipeline) -> None:
    books = live(on_epicor_kinetic, then_quiet=False)
    company, sums = on_epicor_kinetic.world.company, on_epicor_kinetic.sums
    names = names_of_vendors(company)
    assert sums("ap_bills", "vendor_id", "SUM(ledger_amount)") == without_zeros(books.spend_by_vendor)
    assert sums("ap_bills", "vendor_name", "SUM(ledger_balance)") == without_zeros(
        {names[vendor]: due for vendor, due in books.open_payables_by_vendor.items()}
    )
    assert sums("ap_bill_details", "vendor_id", "SUM(ledger_amount)") == bill_lines_by_vendor(company)
    paid = sums("ap_payment_register", "vendor_id", "SUM(ledger_amount)")
    assert paid == without_zeros(books.paid_by_vendor)
    place = "company, seg_value1, seg_value2, fiscal_year, fiscal_period"
    posted = "SUM(book_debit_amount), SUM(book_credit_amount), SUM(amount)"
    assert by_place(sums("gl_detail", place, posted), COMPANIES) == turnovers(books)
    names_of_accounts = {company.accounts[account].name for account in books.by_account}
    assert set(sums("gl_detail", "natural_account_name", "COUNT(*)")) == names_of_accounts
    posted = "SUM(debit_amt), SUM(credit_amt), SUM(amount)"
    assert by_place(sums("gl_account_balances", place, posted), COMPANIES) == turnovers(books)
    open_today = sums("open_payables_daily", "vendor_id", "SUM(ledger_balance)")
    assert open_today == without_zeros(books.open_payables_by_vendor)
    owed_today = sums("open_receivables_daily", "customer_id", "SUM(ledger_balance)")
    assert owed_today == without_zeros(books.open_receivables_by_customer)
    assert sums("purchase_order_details", "vendor_id", "SUM(doc_ext_cost)") == ordered_by_vendor(company)


def test_the_models_of_syspro_come_to_the_books(on_syspro: Pipeline) -> None:
    books = live(on_syspro, then_quiet=False)
    company, sums = on_syspro.world.company, on_syspro.sums
    assert sums("ap_bills", "supplier", "SUM(ledger_amount)") == padded(books.spend_by_vendor)
    # what is left of a part-paid document in foreign currency is worked out by its rate, to the cent
    open_payables = padded(books.open_payables_by_vendor)
    assert_close(sums("ap_bills", "supplier", "SUM(ledger_balance)"), open_payables)
    assert_close(sums("open_payables_daily", "supplier", "SUM(ledger_balance)"), open_payables)
    paid = sums("ap_payment_register", "supplier", "SUM(amount_paid)")
    assert_close(paid, padded(books.paid_by_vendor))
    place = "_company, segment_account, segment_cost_center, gl_year, gl_period"
    posted = "SUM(ledger_debit_amount), SUM(ledger_credit_amount), SUM(amount)"
    assert by_place(sums("gl_detail", place, posted), SYSPRO_COMPANIES) == turnovers(books)
    assert set(sums("gl_detail", "account_name", "COUNT(*)")) == {
        company.accounts[account].name for account in books.by_account
    }
    place = "_company, segment_account, segment_cost_center, gl_year, period"
    ending = by_place(sums("gl_period_balances", place, "SUM(closing_balance)"), SYSPRO_COMPANIES)
    assert {key: ending.get(key) for key in endings(books)} == endings(books)
    owed = padded(books.open_receivables_by_customer)
    assert_close(sums("open_receivables_daily", "customer", "SUM(ledger_balance)"), owed)
    ordered: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in company.purchase_orders.values():
        ordered[order.vendor] += order.total * order.rate
    assert_close(sums("purchase_order_details", "supplier", "SUM(ordered_amount)"), padded(ordered))


def ordered_by_vendor(company: Company) -> Sums:
    """What the lines of purchase orders come to, in the currencies of the orders."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in company.purchase_orders.values():
        sums[order.vendor] += order.total
    return without_zeros(sums)


def padded(sums: Sums) -> Sums:
    """Codes of digits alone are filled with zeros to fifteen."""
    return {key.zfill(15) if key.isdecimal() else key: value for key, value in without_zeros(sums).items()}


def assert_close(found: Sums, expected: Sums) -> None:
    for key in {*found, *expected}:
        assert abs(found.get(key, Decimal(0)) - expected.get(key, Decimal(0))) <= Decimal("0.05"), key
