"""Every data access class that this site shows over OData."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica.dac import general_ledger, masters, operations, payables, receivables, trade

if TYPE_CHECKING:
    from tests.sandbox.acumatica.dac.shapes import Dac

DACS: dict[str, Dac[Any]] = {
    dac.name: dac
    for dac in (
        general_ledger.ACCOUNT,
        payables.AP_ADJUST,
        payables.AP_INVOICE,
        payables.AP_PAYMENT,
        payables.AP_REGISTER,
        payables.AP_TRAN,
        receivables.AR_ADJUST,
        receivables.AR_INVOICE,
        receivables.AR_PAYMENT,
        receivables.AR_REGISTER,
        receivables.AR_TRAN,
        general_ledger.BATCH,
        general_ledger.BRANCH,
        masters.CURRENCY_LIST,
        operations.CUSTOMER,
        general_ledger.GL_HISTORY,
        masters.GL_HISTORY_BY_PERIOD,
        general_ledger.GL_TRAN,
        trade.IN_SITE,
        trade.IN_SITE_STATUS,
        operations.INVENTORY_ITEM,
        general_ledger.LEDGER_DAC,
        general_ledger.MASTER_FIN_PERIOD,
        masters.PM_COST_CODE,
        masters.PM_PROJECT,
        operations.PO_LINE,
        operations.PO_ORDER,
        trade.PO_RECEIPT,
        trade.PO_RECEIPT_LINE,
        general_ledger.SEGMENT_VALUE,
        trade.SO_LINE,
        trade.SO_ORDER,
        general_ledger.SUB,
        masters.TERMS,
        operations.VENDOR,
    )
}


def find(name: str) -> Dac[Any] | None:
    """The DAC that an address means: by its short name, or by its long one."""
    if name in DACS:
        return DACS[name]
    return next((dac for dac in DACS.values() if dac.long_name == name), None)
