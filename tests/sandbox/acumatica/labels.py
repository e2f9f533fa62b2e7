"""Drop-down values: the code in the database and what users see, in their language."""

from __future__ import annotations

import dataclasses

from tests.sandbox.company.model import (
    AccountType,
    BillType,
    DocumentStatus,
    InvoiceType,
    JournalStatus,
    ReceiptType,
)


@dataclasses.dataclass(frozen=True)
class Choices:
    """One drop-down list: code to its English and German label."""

    labels: dict[str, tuple[str, str]]

    def label(self, code: str, locale: str) -> str:
        """What a user sees."""
        english, german = self.labels[code]
        return german if locale.lower().startswith("de") else english

    def code(self, shown: str, locale: str) -> str | None:
        """The code behind a label; a code stands for itself. None when there is neither."""
        wanted = shown.strip().casefold()
        for code in self.labels:
            if wanted in {code.casefold(), self.label(code, locale).casefold()}:
                return code
        return None


BILL_TYPE = Choices(
    {
        "INV": ("Bill", "Rechnung"),
        "ACR": ("Credit Adj.", "Gutschriftskorrektur"),
        "ADR": ("Debit Adj.", "Belastungskorrektur"),
        "PPM": ("Prepayment", "Anzahlung"),
    }
)
BILL_TYPE_CODE = {
    BillType.BILL: "INV",
    BillType.CREDIT_ADJUSTMENT: "ACR",
    BillType.DEBIT_ADJUSTMENT: "ADR",
}
DOCUMENT_STATUS = Choices(
    {
        "H": ("On Hold", "Zurückgestellt"),
        "B": ("Balanced", "Saldiert"),
        "N": ("Open", "Offen"),
        "C": ("Closed", "Geschlossen"),
        "V": ("Voided", "Storniert"),
    }
)
DOCUMENT_STATUS_CODE = {
    DocumentStatus.HOLD: "H",
    DocumentStatus.OPEN: "N",
    DocumentStatus.CLOSED: "C",
    DocumentStatus.VOIDED: "V",
}
PAYMENT_TYPE = Choices({"CHK": ("Payment", "Zahlung"), "PPM": ("Prepayment", "Anzahlung")})
INVOICE_TYPE = Choices({"INV": ("Invoice", "Rechnung"), "CRM": ("Credit Memo", "Gutschrift")})
INVOICE_TYPE_CODE = {InvoiceType.INVOICE: "INV", InvoiceType.CREDIT_MEMO: "CRM"}
RECEIVED_TYPE = Choices({"PMT": ("Payment", "Zahlung"), "PPM": ("Prepayment", "Anzahlung")})
SALES_ORDER_STATUS = Choices(
    {
        "H": ("On Hold", "Zurückgestellt"),
        "N": ("Open", "Offen"),
        "C": ("Completed", "Abgeschlossen"),
        "L": ("Canceled", "Storniert"),
    }
)
SALES_ORDER_STATUS_CODE = {
    DocumentStatus.HOLD: "H",
    DocumentStatus.OPEN: "N",
    DocumentStatus.CLOSED: "C",
    DocumentStatus.VOIDED: "L",
}
RECEIPT_TYPE = Choices({"RT": ("Receipt", "Wareneingang"), "RN": ("Return", "Rücksendung")})
RECEIPT_TYPE_CODE = {ReceiptType.RECEIPT: "RT", ReceiptType.RETURN: "RN"}
RECEIPT_STATUS = Choices({"H": ("On Hold", "Zurückgestellt"), "R": ("Released", "Freigegeben")})
RECEIPT_STATUS_CODE = {DocumentStatus.HOLD: "H", DocumentStatus.CLOSED: "R"}
PROJECT_STATUS = Choices({"A": ("Active", "Aktiv"), "F": ("Completed", "Abgeschlossen")})
BATCH_STATUS = Choices(
    {
        "H": ("On Hold", "Zurückgestellt"),
        "B": ("Balanced", "Saldiert"),
        "U": ("Unposted", "Nicht gebucht"),
        "P": ("Posted", "Gebucht"),
    }
)
BATCH_STATUS_CODE = {JournalStatus.BALANCED: "B", JournalStatus.POSTED: "P"}
ORDER_TYPE = Choices({"RO": ("Normal", "Normal"), "BL": ("Blanket", "Rahmen")})
ORDER_STATUS = Choices(
    {
        "H": ("On Hold", "Zurückgestellt"),
        "N": ("Open", "Offen"),
        "M": ("Completed", "Abgeschlossen"),
        "C": ("Closed", "Geschlossen"),
        "L": ("Canceled", "Storniert"),
    }
)
ORDER_STATUS_CODE = {
    DocumentStatus.HOLD: "H",
    DocumentStatus.OPEN: "N",
    DocumentStatus.CLOSED: "C",
    DocumentStatus.VOIDED: "L",
}
# Acumatica has four account types: equity is a liability.
ACCOUNT_TYPE = Choices(
    {
        "A": ("Asset", "Aktiva"),
        "L": ("Liability", "Passiva"),
        "I": ("Income", "Ertrag"),
        "E": ("Expense", "Aufwand"),
    }
)
ACCOUNT_TYPE_CODE = {
    AccountType.ASSET: "A",
    AccountType.LIABILITY: "L",
    AccountType.EQUITY: "L",
    AccountType.INCOME: "I",
    AccountType.EXPENSE: "E",
}
POST_OPTION = Choices({"D": ("Detail", "Detail"), "S": ("Summary", "Summe")})
PARTNER_STATUS = Choices({"A": ("Active", "Aktiv"), "I": ("Inactive", "Inaktiv")})
ITEM_STATUS = Choices({"AC": ("Active", "Aktiv"), "IN": ("Inactive", "Inaktiv")})
LEDGER_TYPE = Choices({"A": ("Actual", "Ist"), "B": ("Budget", "Budget")})
PERIOD_STATUS = Choices({"O": ("Open", "Offen"), "C": ("Closed", "Geschlossen")})
LINE_TYPE = Choices(
    {
        "GI": ("Goods for IN", "Lagerware"),
        "NS": ("Non-Stock", "Nichtlager"),
        "SV": ("Service", "Dienstleistung"),
    }
)
