"""General ledger: accounts, journals, batches, entries, and the detail view over both books."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.sandbox.company.basics import AccountType, JournalStatus
from tests.sandbox.company.model import Journal, JournalLine
from tests.sandbox.company.money import ONE, ZERO
from tests.sandbox.sage_intacct import ACCRUAL_BOOK, CASH_BOOK, numbers
from tests.sandbox.sage_intacct.tables import (
    ACTIVE,
    Columns,
    Table,
    audit_columns,
    flag,
    itself,
    owner_columns,
    status,
)
from tests.sandbox.sage_intacct.view import Stamps, View, journal_number, touches_cash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.company.model import Account
    from tests.sandbox.sage_intacct.values import Value

MODULES = {"GL": "2.GL", "AP": "3.AP", "AR": "4.AR"}
SYMBOLS = {"GL": "GJ", "AP": "APJ", "AR": "ARJ"}
JOURNALS = (
    # RECORDNO, SYMBOL, TITLE, book, statistical
    (1, "APJ", "Accounts Payable Journal", ACCRUAL_BOOK, False),
    (2, "ARJ", "Accounts Receivable Journal", ACCRUAL_BOOK, False),
    (3, "GJ", "General Journal", ACCRUAL_BOOK, False),
    (4, "SJ", "Statistical Journal", ACCRUAL_BOOK, True),
)
STATISTICAL_ACCOUNTS = {"900010": "Headcount", "900020": "Floor space (m²)"}
_STATISTICAL_BATCHES = 900_000  # above the numbers of all other journals
_BALANCE_SHEET = frozenset({AccountType.ASSET, AccountType.LIABILITY, AccountType.EQUITY})
_DEBIT = frozenset({AccountType.ASSET, AccountType.EXPENSE})
_STATE = {JournalStatus.POSTED: "Posted", JournalStatus.BALANCED: "Draft"}
_STATE_CODES = {"Posted": "P", "Draft": "D"}


class Entry(NamedTuple):
    """A line of a journal."""

    journal: Journal
    line: JournalLine


class Detail(NamedTuple):
    """An entry as one book shows it."""

    journal: Journal
    line: JournalLine
    book: str


# ------------------------------------------------------------------- rows


def statistical_journals(view: View) -> list[Journal]:
    """A statistical batch a month; none unless the switch is on."""
    if not view.switches.statistical_entries:
        return []
    made = []
    for place, period in enumerate(view.company.periods.values(), start=1):
        lines = [
            JournalLine(
                line_nbr=nbr,
                account=account,
                cost_center="000100",
                debit=Decimal(place * 10 + nbr),
                credit=ZERO,
                base_debit=Decimal(place * 10 + nbr),
                base_credit=ZERO,
                description=title,
            )
            for nbr, (account, title) in enumerate(STATISTICAL_ACCOUNTS.items(), start=1)
        ]
        made.append(
            Journal(
                note_id=f"statistical-{period.code}",
                created_at=period.created_at,
                modified_at=period.created_at,
                module="GL",
                batch_nbr=f"{_STATISTICAL_BATCHES + place:07d}",
                branch="HQ",
                date=period.starts_on,
                period=period.code,
                currency=view.company.base_currency,
                rate=ONE,
                description="Statistics",
                status=JournalStatus.POSTED,
                lines=lines,
            )
        )
    return made


def is_statistical(journal: Journal) -> bool:
    """Whether a batch is one of statistical accounts."""
    return journal.lines[0].account in STATISTICAL_ACCOUNTS


def _journals(view: View) -> list[Journal]:
    return [*view.company.journals.values(), *statistical_journals(view)]


def _entries(view: View) -> Iterator[Entry]:
    for journal in _journals(view):
        for line in journal.lines:
            yield Entry(journal, line)


def _details(view: View) -> Iterator[Detail]:
    """Every entry in the accrual book, and what touches a bank account in the cash book too."""
    for journal in _journals(view):
        if journal.status is not JournalStatus.POSTED and not view.switches.drafts_in_detail:
            continue
        books = (ACCRUAL_BOOK, CASH_BOOK) if touches_cash(journal) else (ACCRUAL_BOOK,)
        for line in journal.lines:
            for book in books:
                yield Detail(journal, line, book)


# ---------------------------------------------------------------- columns


def _account_columns(view: View) -> Columns:
    def account_type(row: Account) -> str:
        return "balancesheet" if row.type in _BALANCE_SHEET else "incomestatement"

    return {
        "RECORDNO": lambda row: row.account_id,
        "ACCOUNTNO": lambda row: row.code,
        "TITLE": lambda row: row.name,
        "ACCOUNTTYPE": account_type,
        "NORMALBALANCE": lambda row: "debit" if row.type in _DEBIT else "credit",
        "CLOSINGTYPE": lambda row: (
            "non-closing account" if row.type in _BALANCE_SHEET else "closed to account"
        ),
        "CLOSINGACCOUNTNO": lambda row: None if row.type in _BALANCE_SHEET else "032000",
        "STATUS": lambda row: status(row.active),
        "CATEGORY": lambda row: row.type.value.capitalize(),
        "TAXABLE": lambda _: False,
        "REQUIREDEPT": lambda row: row.type is AccountType.EXPENSE,
        "REQUIRELOC": lambda _: True,
        "SUBLEDGERCONTROLON": lambda row: row.code in {"011000", "020000"},
        "REQUIREGLDIMCHANNEL": lambda row: row.type is AccountType.INCOME,
        **audit_columns(view, "GLACCOUNT", itself),
    }


def _statistical_accounts(view: View) -> list[tuple[int, str, str, Stamps]]:
    founded = next(iter(view.company.branches.values()))
    return [
        (number, code, title, Stamps(code, founded.created_at, founded.created_at))
        for number, (code, title) in enumerate(STATISTICAL_ACCOUNTS.items(), start=1)
    ]


def _statistical_account_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row[0],
        "ACCOUNTNO": lambda row: row[1],
        "TITLE": lambda row: row[2],
        "ACCOUNTTYPE": lambda _: "forperiod",
        "STATUS": lambda _: "active",
        "STATISTICAL": lambda _: True,
        **audit_columns(view, "STATACCOUNT", lambda row: row[3]),
    }


def _journal_rows(view: View) -> list[tuple[Any, ...]]:
    founded = next(iter(view.company.branches.values()))
    return [(*row, Stamps(row[1], founded.created_at, founded.created_at)) for row in JOURNALS]


def _journal_columns(view: View) -> Columns:
    return {
        "RECORDNO": lambda row: row[0],
        "SYMBOL": lambda row: row[1],
        "TITLE": lambda row: row[2],
        "STATUS": lambda _: "active",
        "BOOKID": lambda row: row[3],
        "BOOKTYPE": lambda row: row[3],
        "ADJ": lambda _: False,
        "STATISTICAL": lambda row: row[4],
        "BILLABLE": lambda _: False,
        **audit_columns(view, "GLJOURNAL", lambda row: row[5]),
    }


def _symbol(journal: Journal) -> str:
    return "SJ" if is_statistical(journal) else SYMBOLS[journal.module]


def _batch_columns(view: View) -> Columns:
    return {
        "RECORDNO": journal_number,
        "BATCHNO": lambda row: numbers.digits(row.batch_nbr),
        "BATCH_TITLE": lambda row: row.description or f"{row.module} {row.batch_nbr}",
        "JOURNAL": _symbol,
        "BATCH_DATE": lambda row: row.date,
        "MODULE": lambda row: MODULES[row.module],
        "USERKEY": lambda _: 7,
        "REFERENCENO": lambda row: row.batch_nbr,
        "BASELOCATION": lambda row: str(view.location_keys[row.branch]),
        "BASELOCATION_NO": lambda row: row.branch,
        "USERINFO.LOGINID": lambda _: "xml_gateway",
        "STATE": lambda row: _STATE[row.status],
        "STATISTICAL": is_statistical,
        "BALANCE": lambda row: sum((line.base_debit - line.base_credit for line in row.lines), ZERO),
        "MODIFIED": lambda row: row.modified_at,
        **audit_columns(view, "GLBATCH", itself),
        **owner_columns(view, lambda row: row.branch),
    }


def _line_columns(view: View) -> Columns:
    """What GLENTRY and GLDETAIL have in common; both show `row.journal` and `row.line`."""
    company = view.company
    titles = {code: account.name for code, account in company.accounts.items()} | STATISTICAL_ACCOUNTS
    items, vendors, customers = company.items, company.vendors, company.customers
    return {
        "ENTRY_DATE": lambda row: row.journal.date,
        "BATCH_DATE": lambda row: row.journal.date,
        "LINE_NO": lambda row: row.line.line_nbr,
        "TR_TYPE": lambda row: 1 if _is_debit(row.line) else -1,
        "ACCOUNTNO": lambda row: row.line.account,
        "ACCOUNTTITLE": lambda row: titles[row.line.account],
        "DEPARTMENTTITLE": lambda row: company.cost_centers[row.line.cost_center].name,
        "LOCATIONNAME": lambda row: company.branches[row.journal.branch].name,
        "DOCUMENT": lambda row: row.line.reference_nbr,
        "DESCRIPTION": lambda row: row.line.description,
        "CURRENCY": lambda row: row.journal.currency,
        "BASECURR": lambda _: company.base_currency,
        "STATISTICAL": lambda row: flag(is_statistical(row.journal)),
        "CLEARED": lambda _: "F",
        "VENDORID": lambda row: row.line.vendor,
        "VENDORNAME": lambda row: vendors[row.line.vendor].name if row.line.vendor else None,
        "VENDORDIMKEY": lambda row: vendors[row.line.vendor].vendor_id if row.line.vendor else None,
        "CUSTOMERID": lambda row: row.line.customer,
        "CUSTOMERNAME": lambda row: customers[row.line.customer].name if row.line.customer else None,
        "CUSTOMERDIMKEY": lambda row: customers[row.line.customer].customer_id if row.line.customer else None,
        "ITEMID": lambda row: row.line.item,
        "ITEMNAME": lambda row: items[row.line.item].description if row.line.item else None,
        "ITEMDIMKEY": lambda row: items[row.line.item].item_id if row.line.item else None,
        "GLDIMCHANNEL": lambda row: view.channel(row.line.cost_center),
    }


def _is_debit(line: JournalLine) -> bool:
    return bool(line.debit) or bool(line.base_debit)


def _entry_number(row: Entry | Detail) -> int:
    return numbers.line(journal_number(row.journal), row.line.line_nbr)


def _entry_columns(view: View) -> Columns:
    return {
        **_line_columns(view),
        "RECORDNO": _entry_number,
        "BATCHNO": lambda row: journal_number(row.journal),
        "BATCH_NUMBER": lambda row: numbers.digits(row.journal.batch_nbr),
        "BATCHTITLE": lambda row: row.journal.description,
        "USERNO": lambda _: 7,
        "ACCOUNTKEY": lambda row: view.account_keys.get(row.line.account),
        "DEPARTMENT": lambda row: row.line.cost_center,
        "DEPARTMENTKEY": lambda row: view.company.cost_centers[row.line.cost_center].cost_center_id,
        "LOCATION": lambda row: row.journal.branch,
        "LOCATIONKEY": lambda row: view.location_keys[row.journal.branch],
        "AMOUNT": lambda row: row.line.base_debit + row.line.base_credit,
        "TRX_AMOUNT": lambda row: row.line.debit + row.line.credit,
        "EXCH_RATE_DATE": lambda row: row.journal.date,
        "EXCHANGE_RATE": lambda row: row.journal.rate,
        "ADJ": lambda _: "F",
        "BILLABLE": lambda _: False,
        "BILLED": lambda _: False,
        "STATE": lambda row: _STATE[row.journal.status],
        **audit_columns(view, "GLENTRY", lambda row: row.journal),
    }


def _detail_number(view: View) -> Any:
    shared = view.switches.detail_keys_shared

    def number(row: Detail) -> str:
        plain = str(_entry_number(row))
        return plain if shared or row.book == ACCRUAL_BOOK else f"{plain}-{row.book}"

    return number


def _source_columns(view: View) -> Columns:
    """What the detail view joins from the document that a posting came of."""

    def source(row: Detail) -> tuple[str, str, str, Value, Value] | None:
        """RECORDTYPE, RECORDID, STATE and the document's totals, entered and due."""
        if row.journal.module != "AP":
            return None
        bill = view.bills_by_batch.get(row.journal.batch_nbr)
        if bill is not None:
            entered, due = bill.base_amount * bill.type.sign, bill.base_balance * bill.type.sign
            kind = "pi" if bill.type == "bill" else "pa"
            return kind, bill.reference_nbr, "Posted", entered, due
        payment = view.payments_by_batch.get(row.journal.batch_nbr)
        if payment is not None:
            return "pp", payment.payment_nbr, "Posted", payment.base_amount, ZERO
        return None

    def part(place: int) -> Any:
        def get(row: Detail) -> Value:
            found = source(row)
            return None if found is None else found[place]

        return get

    names = ("RECORDTYPE", "RECORDID", "STATE", "TOTALENTERED", "TOTALDUE")
    return {name: part(place) for place, name in enumerate(names)}


def _detail_columns(view: View) -> Columns:
    signed = view.switches.detail_amount_signed

    def net(debit: Decimal, credit: Decimal) -> Decimal:
        return debit - credit if signed else debit + credit

    stamps = audit_columns(view, "GLDETAIL", lambda row: row.journal, created="AUWHENCREATED")
    return {
        **_line_columns(view),
        **_source_columns(view),
        **stamps,
        "CREATEDBY": lambda _: "xml_gateway",  # a TEXT here, unlike anywhere else
        "AUCREATEDBY": lambda _: 7,
        "RECORDNO": _detail_number(view),
        "BOOKID": lambda row: row.book,
        "BATCHKEY": lambda row: journal_number(row.journal),
        "BATCH_NO": lambda row: numbers.digits(row.journal.batch_nbr),
        "BATCH_TITLE": lambda row: row.journal.description,
        "REFERENCENO": lambda row: row.journal.batch_nbr,
        "SYMBOL": lambda row: _symbol(row.journal),
        "MODULEKEY": lambda row: MODULES[row.journal.module],
        "GLENTRYKEY": _entry_number,
        "DEPARTMENTID": lambda row: row.line.cost_center,
        "LOCATIONID": lambda row: row.journal.branch,
        "CHILDENTITY": lambda row: row.journal.branch,
        "ADJ": lambda _: False,
        "MODIFIED": lambda row: row.journal.modified_at,
        "WHENCREATED": lambda row: row.journal.date,
        "DEBITAMOUNT": lambda row: row.line.base_debit,
        "CREDITAMOUNT": lambda row: row.line.base_credit,
        "AMOUNT": lambda row: net(row.line.base_debit, row.line.base_credit),
        "TRX_DEBITAMOUNT": lambda row: row.line.debit,
        "TRX_CREDITAMOUNT": lambda row: row.line.credit,
        "TRX_AMOUNT": lambda row: net(row.line.debit, row.line.credit),
        "BATCH_STATE": lambda row: _STATE[row.journal.status],
        "ENTRY_STATE": lambda row: _STATE[row.journal.status],
    }


TABLES = {
    "GLACCOUNT": Table(
        rows=lambda view: view.company.accounts.values(),
        columns=_account_columns,
        natural="ACCOUNTNO",
        codes={"STATUS": ACTIVE, "ACCOUNTTYPE": {"balancesheet": "N", "incomestatement": "Y"}},
    ),
    "STATACCOUNT": Table(
        rows=_statistical_accounts, columns=_statistical_account_columns, natural="ACCOUNTNO"
    ),
    "GLJOURNAL": Table(rows=_journal_rows, columns=_journal_columns, natural="SYMBOL"),
    "GLBATCH": Table(
        rows=_journals,
        columns=_batch_columns,
        entity=lambda row: row.branch,
        codes={"STATE": _STATE_CODES},
        lines=("ENTRIES", "GLENTRY", "BATCHNO"),
    ),
    "GLENTRY": Table(rows=_entries, columns=_entry_columns, entity=lambda row: row.journal.branch),
    "GLDETAIL": Table(rows=_details, columns=_detail_columns, entity=lambda row: row.journal.branch),
}
