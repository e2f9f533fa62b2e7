"""A project folder of its own for each end-to-end test, and what a reader of its extracts would sum up."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import socket
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
import yaml

from tests.sandbox.company.books import Books, books_of
from tests.sandbox.company.model import Company
from tests.sandbox.tableau.model import Index
from tests.target_tableau.support import query

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
SOURCE = "tap-acumatica"
_SECRETS = re.compile(r"sandbox-client-secret|Sandbox-Pa55|sandbox-pat-secret")


@dataclasses.dataclass
class Project:
    """A copy of meltano.yml in a folder of its own, with ports and a sandbox of its own."""

    folder: Path
    ports: dict[str, str]

    @classmethod
    def make(cls, folder: Path) -> Project:
        """Lay out a project as a clone has it, without copying what it only reads."""
        project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
        environment = next(item for item in project["environments"] if item["name"] == "sandbox")
        ports = {name: str(_free_port()) for name in environment["env"]}
        environment["env"] = ports
        (folder / "meltano.yml").write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")
        (folder / "tests").symlink_to(ROOT / "tests", target_is_directory=True)
        return cls(folder, ports)

    def meltano(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run meltano as a user does, and check what must hold for every run of it."""
        result = subprocess.run(
            [Path(sys.executable).parent / "meltano", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
            env=self._environment(environment),
        )
        assert not _SECRETS.search(result.stdout + result.stderr), "a secret was printed"
        return result

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MELTANO_", "TAP_", "TARGET_"))
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        quiet = {"MELTANO_CLI_DISABLE_VERSION_CHECK": "1", "NO_COLOR": "1", "COLUMNS": "200"}
        return {**kept, "PATH": path, **quiet, **more}

    def demo(self) -> subprocess.CompletedProcess[str]:
        """Run the demo."""
        return self.meltano("run", "demo")

    def sandbox(self, *arguments: str) -> None:
        """Use the sandbox's command."""
        command = [sys.executable, "-m", "tests.sandbox", *arguments]
        subprocess.run(command, cwd=self.folder, check=True, timeout=120, env=self._environment(self.ports))

    # -- what is there afterwards -----------------------------------------------------------------------------

    @property
    def company(self) -> Company:
        """The company as the sandbox keeps it."""
        return msgspec.json.decode((self.folder / ".sandbox" / "company.json").read_bytes(), type=Company)

    @property
    def books(self) -> Books:
        """The company's books."""
        return books_of(self.company)

    @property
    def index(self) -> Index:
        """What the sandbox Tableau holds."""
        (path,) = (self.folder / ".sandbox").rglob("index.json")
        return msgspec.json.decode(path.read_bytes(), type=Index)

    def extract(self, stream: str) -> Path:
        """The extract of a stream."""
        return self.folder / "output" / SOURCE / f"{stream}.hyper"

    def published(self, stream: str) -> Path:
        """The file that the sandbox Tableau holds for a stream."""
        (path,) = (self.folder / ".sandbox").rglob("index.json")
        (found,) = (item for item in self.index.datasources.values() if item.name == f"{SOURCE} {stream}")
        assert found.current.file is not None
        return path.parent / "datasources" / found.id / found.current.file

    def streams(self) -> list[str]:
        """The streams that have an extract."""
        return sorted(path.stem for path in (self.folder / "output" / SOURCE).glob("*.hyper"))

    def wait_for_quiet(self) -> None:
        """Wait until no process works in this folder any more.

        Raises:
            AssertionError: One stays.
        """
        for _ in range(100):
            left = [process for process in psutil.process_iter() if self._works_here(process)]
            if not left:
                return
            time.sleep(0.1)
        raise AssertionError(f"left behind: {[process.cmdline() for process in left]}")

    def _works_here(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            return Path(process.cwd()) == self.folder and process.pid != os.getpid()
        return False


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def lines_of_extracts(path_of: Any) -> dict[str, dict[str, int]]:
    """How many lines each document has in the extracts; documents are named by their own number."""
    documents = {
        "bill_lines": ("reference_nbr", "type"),
        "journal_lines": ("batch_nbr", "module"),
        "purchase_order_lines": ("order_nbr", "type"),
    }
    sql = "SELECT {number}, COUNT(*) FROM {{t}} GROUP BY {number}, {kind} ORDER BY 1, 2"
    return {
        stream: dict(query(path_of(stream), sql.format(number=number, kind=kind)))
        for stream, (number, kind) in documents.items()
    }


def lines_of_company(company: Company) -> dict[str, dict[str, int]]:
    """The same from the company's own records."""
    bills = sorted((bill.reference_nbr, len(bill.lines)) for bill in company.bills.values())
    journals = sorted((journal.batch_nbr, len(journal.lines)) for journal in company.journals.values())
    orders = sorted((order.order_nbr, len(order.lines)) for order in company.purchase_orders.values())
    return {
        "bill_lines": {number: count for number, count in bills if count},
        "journal_lines": {number: count for number, count in journals if count},
        "purchase_order_lines": {number: count for number, count in orders if count},
    }


@dataclasses.dataclass(frozen=True)
class Sums:
    """What a reader gets from extracts by plain SUMs, in base currency."""

    debits: Decimal
    credits: Decimal
    period_debits: Decimal
    period_credits: Decimal
    open_payables: Decimal
    by_vendor: dict[str, tuple[Decimal, Decimal]]
    paid_by_vendor: dict[str, Decimal]

    @classmethod
    def of_extracts(cls, path_of: Any) -> Sums:
        """Sum up the extracts that `path_of(stream)` names."""
        (ledger,) = query(
            path_of("journal_lines"), "SELECT SUM(ledger_debit_amount), SUM(ledger_credit_amount) FROM {t}"
        )
        (periods,) = query(path_of("gl_balances"), "SELECT SUM(fin_ptd_debit), SUM(fin_ptd_credit) FROM {t}")
        bills = query(
            path_of("bills"),
            "SELECT vendor, SUM(ledger_amount), SUM(ledger_balance) FROM {t} GROUP BY vendor",
        )
        payments = query(path_of("ap_payments"), "SELECT vendor, SUM(ledger_amount) FROM {t} GROUP BY vendor")
        return cls(
            debits=ledger[0],
            credits=ledger[1],
            period_debits=periods[0],
            period_credits=periods[1],
            open_payables=sum((row[2] for row in bills), Decimal(0)),
            by_vendor={vendor: (spend, balance) for vendor, spend, balance in bills if spend or balance},
            paid_by_vendor={vendor: paid for vendor, paid in payments if paid},
        )

    @classmethod
    def of_books(cls, books: Books) -> Sums:
        """The same from the company's own books."""
        vendors = {*books.spend_by_vendor, *books.open_payables_by_vendor}
        both = {
            vendor: (
                books.spend_by_vendor.get(vendor, Decimal(0)),
                books.open_payables_by_vendor.get(vendor, Decimal(0)),
            )
            for vendor in vendors
        }
        return cls(
            debits=books.debits,
            credits=books.credits,
            period_debits=books.debits,
            period_credits=books.credits,
            open_payables=books.open_payables,
            by_vendor={vendor: pair for vendor, pair in both.items() if any(pair)},
            paid_by_vendor={vendor: paid for vendor, paid in books.paid_by_vendor.items() if paid},
        )
