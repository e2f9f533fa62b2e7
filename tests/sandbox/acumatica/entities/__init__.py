"""Every entity of the contract API that this site serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica.entities import (
    goods,
    inquiries,
    ledger,
    partners,
    payables,
    projects,
    purchasing,
    receipts,
    receivables,
    sales,
    stock,
)

if TYPE_CHECKING:
    from tests.sandbox.acumatica.shapes import Entity, Inquiry

ENTITIES: dict[str, Entity[Any]] = {
    entity.name: entity
    for entity in (
        ledger.ACCOUNT,
        payables.BILL,
        payables.CHECK,
        projects.COST_CODE,
        ledger.CURRENCY,
        partners.CUSTOMER,
        ledger.FINANCIAL_PERIOD,
        receivables.INVOICE,
        ledger.JOURNAL_TRANSACTION,
        ledger.LEDGER_ENTITY,
        stock.NON_STOCK_ITEM,
        receipts.PAYMENT,
        projects.PROJECT,
        purchasing.PURCHASE_ORDER,
        goods.PURCHASE_RECEIPT,
        sales.SALES_INVOICE,
        sales.SALES_ORDER,
        stock.STOCK_ITEM,
        ledger.SUBACCOUNT,
        partners.VENDOR,
    )
}
INQUIRIES: dict[str, Inquiry] = {
    inquiry.name: inquiry
    for inquiry in (
        inquiries.ACCOUNT_DETAILS,
        inquiries.ACCOUNT_SUMMARY,
        inquiries.COMPANIES_STRUCTURE,
    )
}
