"""Every data access class that this site shows over OData."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica.dac import general_ledger, operations, payables

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
        operations.AR_INVOICE,
        operations.AR_TRAN,
        general_ledger.BATCH,
        general_ledger.BRANCH,
        operations.CUSTOMER,
        general_ledger.GL_HISTORY,
        general_ledger.GL_TRAN,
        operations.INVENTORY_ITEM,
        general_ledger.LEDGER_DAC,
        general_ledger.MASTER_FIN_PERIOD,
        operations.PO_LINE,
        operations.PO_ORDER,
        general_ledger.SEGMENT_VALUE,
        general_ledger.SUB,
        operations.VENDOR,
    )
}


def find(name: str) -> Dac[Any] | None:
    """The DAC that an address means: by its short name, or by its long one."""
    if name in DACS:
        return DACS[name]
    return next((dac for dac in DACS.values() if dac.long_name == name), None)
