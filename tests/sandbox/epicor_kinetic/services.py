"""The services, their entity sets, and the child sets of header services."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class EntitySet:
    """A set of a service; its name is also how a parent row leads to it.

    Attributes:
        join: Columns of the row and of the parent that are equal besides the company.
    """

    name: str
    table: str
    join: tuple[tuple[str, str], ...] = ()
    children: tuple[EntitySet, ...] = ()


@dataclasses.dataclass(frozen=True)
class Service:
    """A business object. Without a set it has methods only, and its reduced list."""

    name: str
    root: EntitySet | None
    list_table: str

    @property
    def sets(self) -> dict[str, tuple[EntitySet, ...]]:
        """Every set by name: the way to it from the header, itself last."""
        found: dict[str, tuple[EntitySet, ...]] = {}

        def walk(way: tuple[EntitySet, ...]) -> None:
            found[way[-1].name] = way
            for child in way[-1].children:
                walk((*way, child))

        if self.root is not None:
            walk((self.root,))
        return found


def _same(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in names)


def _plain(name: str, entity_set: str, table: str, *children: EntitySet) -> Service:
    full = name if "." in name else f"Erp.BO.{name}Svc"
    return Service(full, EntitySet(entity_set, table, children=children), table)


_PO_RELEASES = EntitySet("PORels", "PORel", (("PONum", "PONUM"), ("POLine", "POLine")))
_PO_LINES = EntitySet("PODetails", "PODetail", (("PONUM", "PONum"),), (_PO_RELEASES,))
_ORDER_RELEASES = EntitySet("OrderRels", "OrderRel", _same("OrderNum", "OrderLine"))
_ORDER_LINES = EntitySet("OrderDtls", "OrderDtl", _same("OrderNum"), (_ORDER_RELEASES,))
_INVOICE = _same("VendorNum", "InvoiceNum")

SERVICES = {
    service.name: service
    for service in (
        _plain("Vendor", "Vendors", "Vendor"),
        _plain("VendCntSearch", "VendCntSearches", "VendCnt"),
        _plain(
            "APInvoice",
            "APInvoices",
            "APInvHed",
            EntitySet("APInvDtls", "APInvDtl", _INVOICE),
            EntitySet("APInvScheds", "APInvSched", _INVOICE),
        ),
        _plain("APInvSearch", "APInvSearches", "APInvHed"),
        _plain("APInvDtlSearch", "APInvDtlSearches", "APInvDtl"),
        _plain("PO", "POes", "POHeader", _PO_LINES),
        Service("Erp.BO.PODetailSearchSvc", None, "PODetail"),
        _plain("PODetailTrackerSearch", "PODetailTrackerSearches", "PODetail"),
        _plain("PORelSearch", "PORelSearches", "PORel"),
        _plain("CheckRecSearch", "CheckRecSearches", "CheckHed"),
        _plain(
            "PaymentEntry",
            "PaymentEntries",
            "CheckHed",
            EntitySet("APTrans", "APTranSearch", _same("HeadNum")),
        ),
        _plain("APTranSearch", "APTranSearches", "APTranSearch"),
        _plain("Customer", "Customers", "Customer", EntitySet("ShipToes", "ShipTo", _same("CustNum"))),
        _plain("Part", "Parts", "Part"),
        _plain("PartPlantSearch", "PartPlantSearches", "PartPlant"),
        _plain("GLAccount", "GLAccounts", "GLAccount"),
        _plain("COASegValues", "COASegValues", "COASegValues"),
        _plain("COASegmentSearch", "COASegmentSearches", "COASegment"),
        _plain("COA", "COAs", "COA"),
        _plain("GLJrnDtl", "GLJrnDtls", "GLJrnDtl"),
        _plain("GLJournalEntry", "GLJournalEntries", "GLJrnHed"),
        _plain("GLPeriodBalSearch", "GLPeriodBalSearches", "GLPeriodBal"),
        _plain("ARInvoice", "ARInvoices", "InvcHead", EntitySet("InvcDtls", "InvcDtl", _same("InvoiceNum"))),
        _plain("ARInvcDtlSearch", "ARInvcDtlSearches", "InvcDtl"),
        _plain("SalesOrder", "SalesOrders", "OrderHed", _ORDER_LINES),
        _plain("OrderDtlSearch", "OrderDtlSearches", "OrderDtl"),
        _plain("OrderRelSearch", "OrderRelSearches", "OrderRel"),
        _plain(
            "Receipt",
            "Receipts",
            "RcvHead",
            EntitySet("RcvDtls", "RcvDtl", _same("VendorNum", "PurPoint", "PackSlip")),
        ),
        _plain("RcvDtlSearch", "RcvDtlSearches", "RcvDtl"),
        _plain("CashDtlSearch", "CashDtlSearches", "CashDtl"),
        _plain("PartTran", "PartTrans", "PartTran"),
        _plain("Currency", "Currencies", "Currency"),
        _plain("CurrExRate", "CurrExRates", "CurrExRate"),
        _plain("PurTerms", "PurTerms", "PurTerms"),
        _plain("Terms", "Terms", "Terms"),
        _plain("VendGrup", "VendGrups", "VendGrup"),
        _plain("PartClass", "PartClasses", "PartClass"),
        _plain("Plant", "Plants", "Plant"),
        _plain("FiscalPerSearch", "FiscalPerSearches", "FiscalPer"),
        _plain("BankAcct", "BankAccts", "BankAcct"),
        _plain("Ice.BO.UD01Svc", "UD01s", "UD01"),
    )
}
