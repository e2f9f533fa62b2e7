"""The tables of a company database that the tap knows: columns, kinds, keys.

Column names are those of a real database (truncated ones such as `MLastReceiptDat` included). Other sites have more or
fewer columns; by OData the site's own description decides, by e.net this list does.
`[1-12]` stands for columns with these numbers. A colon gives the kind: d date, i whole number, m money, q quantity,
c unit cost or price, r rate, s sensitive text, t row version; texts bear none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_syspro.discovery import EntitySet, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

_EDM: Final = {"integer": "Edm.Decimal", "decimal": "Edm.Decimal", "date": "Edm.DateTimeOffset"}


class Known(NamedTuple):
    """What is known of a column.

    Attributes:
        kind: string, integer, decimal, date or rowversion.
        scale: Decimal places of a decimal.
        is_sensitive: Bank and tax numbers: offered, not selected.
    """

    kind: str
    scale: int | None = None
    is_sensitive: bool = False


_KINDS: Final = {
    "": Known("string"),
    "d": Known("date"),
    "i": Known("integer"),
    "m": Known("decimal", 2),
    "q": Known("decimal", 6),
    "c": Known("decimal", 5),
    "r": Known("decimal", 6),
    "s": Known("string", None, is_sensitive=True),
    "t": Known("rowversion"),
}

_SUB_MODULE: Final = """
SubModJournal:i SubModInvoiceReg:i SubModArInvoice SubModApInvoice SubModSupplier SubModCustomer
SubModCheck SubModBank SubModApBranch SubModArBranch SubModWh SubModStock SubModGrn SubModJob
SubModSalesOrder SubModTransDesc
"""

_TABLES: Final = """
GenMaster = Company GlCode Description AccountType ExpenseType GlGroup CurrentBalance:m PrevPerEndBal:m
    PtdDrValue:m PtdCrValue:m BudgetMethod ControlAccFlag AccOnHldFlag ReportIndex1 ReportIndex2
    RetEarnsAccount TaxCode TimeStamp:t
GenHistory = Company GlCode GlYear:i BeginYearBalance:m ClosingBalPer[1-15]:m TimeStamp:t
GenTransaction = Company GlCode GlYear:i GlPeriod:i GlLine:i Source Journal:i JnlDate:d TransactionDate:d
    Reference EntryValue:m Comment @sub TimeStamp:t
GenJournalDetail = GlYear:i GlPeriod:i Journal:i EntryNumber:i EntryType EntryValue:m GlCode Company
    Reference Comment EntryDate:d TransactionDate:d DocumentDate:d EntryPosted InterCompanyFlag
    CurrencyValue:m PostCurrency Source Type CommitmentFlag AnalysisEntry:i @sub TimeStamp:t
GenJournalCtl = GlYear:i GlPeriod:i GlJournal:i TimeStamp:t
GenBudgets = Company GlCode BudgetType BudgetNumber:i Budget[1-15]:m TimeStamp:t
GenGroups = Company GlGroup Description TimeStamp:t
GenAnalysisTrn = GlYear:i GlPeriod:i AnalysisEntry:i Line:i AnalysisCode1 AnalysisCode2 AnalysisCode3 AnalysisCode4
    AnalysisCode5 EntryValue:m TimeStamp:t
GenAnalysisCode = AnalysisType:i AnalysisCode Description TimeStamp:t
ArCustomer = Customer Name ShortName Branch Salesperson Area CustomerClass Currency TermsCode CreditLimit:i
    CreditStatus CustomerOnHold BalanceType TaxStatus TaxExemptNumber:s SoldToAddr1 SoldToAddr2 SoldToAddr3
    SoldToAddr4 SoldToAddr5 SoldPostalCode ShipToAddr1 ShipToAddr2 ShipToAddr3 ShipToAddr4 ShipToAddr5
    ShipPostalCode Contact Telephone Email UserField1 UserField2 DateLastSale:d DateLastPay:d
    DateCustAdded:d TimeStamp:t
ArCustomerBal = Customer CurrentBalance1:m CurrentBalance2:m CurrentBalance3:m TimeStamp:t
ArInvoice = Customer Invoice DocumentType InvoiceDate:d SalesOrder CustomerPoNumber Branch Salesperson
    TermsCode InvoiceBal1:m InvoiceBal2:m InvoiceBal3:m OrigDiscValue:m CurrencyValue:m PostCurrency
    ConvRate:r MulDiv InvoiceYear:i InvoiceMonth:i YearInvBalZero:i MonthInvBalZero:i NextPaymEntry:i
    TimeStamp:t
ArInvoicePay = Customer Invoice DocumentType EntryNumber:i TrnType JournalDate:d Journal:i TrnValue:m
    DiscValue:m TrnYear:i TrnMonth:i PaymentNumber Reference PostCurrency PostConvRate:r PostMulDiv
    TimeStamp:t
ArTrnSummary = TrnYear:i TrnMonth:i Register:i Invoice SummaryLine:i InvoiceDate:d Customer Branch
    Salesperson DocumentType SalesOrder CustomerPoNumber TermsCode MerchandiseValue:m FreightValue:m
    TaxValue:m MerchandiseCost:m ExchangeRate:r MulDiv Currency TimeStamp:t
ArTrnDetail = TrnYear:i TrnMonth:i Register:i Invoice SummaryLine:i DetailLine:i InvoiceDate:d Customer
    Branch DocumentType StockCode Warehouse ProductClass QtyInvoiced:q NetSalesValue:m CostValue:m
    DiscValue:m TaxValue:m SalesOrder SalesOrderLine:i GlYear:i GlPeriod:i GlIntUpdated GlIntYear:i
    GlIntPeriod:i GlJournal:i TimeStamp:t
InvMaster = StockCode Description LongDesc StockUom ProductClass PartCategory Supplier Buyer Planner Mass:q
    DateStkAdded:d SupercessionDate:d UserField1 UserField2 UserField3 UserField4 UserField5 StockOnHold
    TimeStamp:t
InvWarehouse = StockCode Warehouse QtyOnHand:q QtyAllocated:q QtyOnOrder:q QtyOnBackOrder:q QtyInTransit:q
    QtyInInspection:q QtyAllocatedWip:q UnitCost:c LastCostEntered:c MinimumQty:q MaximumQty:q
    SafetyStockQty:q OpenBalQty[1-12]:q DateLastSale:d DateLastStockMove:d DateLastCostChange:d
    DateLastStockCnt:d DateLastPurchase:d TimeStamp:t
InvMovements = StockCode Warehouse TrnYear:i TrnMonth:i EntryDate:d TrnTime:i MovementType TrnType TrnQty:q
    TrnValue:m UnitCost:c CostValue:m Journal:i JournalEntry:i Reference Supplier Customer SalesOrder
    Invoice Job GlCode Bin LotSerial TimeStamp:t
ApSupplier = Supplier SupplierName Branch Bank Currency TermsCode SupplierClass CurrentBalance:m
    PyrEndBalance:m OnHold PurchValMth[1-12]:m TaxRegnNum:s BankAccount:s BankBranch:s Email:s
    LastPurchDate:d FirstPurchDate:d DateSuppAdded:d TimeStamp:t
ApSupplierAddr = Supplier SupAddr1 SupAddr2 SupAddr3 SupAddr4 SupAddr5 SupPostalCode RemitAddr1 RemitAddr2
    RemitAddr3 RemitAddr4 RemitAddr5 RemitPostalCode TimeStamp:t
ApInvoice = Supplier Invoice InvoiceDate:d DueDate:d DiscountDate:d JournalDate:d Journal:i Branch Reference
    OrigInvValue:m OrigDiscValue:m TotalAdjustments:m MthInvBal1:m MthInvBal2:m MthInvBal3:m InvoiceStatus
    Currency CurrencyValue:m ExchangeRate:r ConvRate:r MulDiv InvoiceYear:i InvoiceMonth:i YearInvBalZero:i
    MonthInvBalZero:i Bank PaymentNumber TimeStamp:t
ApInvoicePay = Supplier Invoice EntryNumber:i TrnType JournalDate:d Journal:i TrnValue:m DiscValue:m
    PaymentNumber PaymentReference TrnYear:i TrnMonth:i PostValue:m PostCurrency PostConvRate:r PostMulDiv
    TimeStamp:t
PorMasterHdr = PurchaseOrder OrderStatus ActiveFlag CancelledFlag Supplier OrderEntryDate:d OrderDueDate:d
    DateLastDocPrt:d MemoDate:d DatePoCompleted:d Warehouse Buyer Currency ExchangeRate:r MulDiv
    AmendedCount:i TimeStamp:t
PorMasterDetail = PurchaseOrder Line:i LineType MStockCode MStockDes MWarehouse MOrderQty:q MReceivedQty:q
    MPrice:c MForeignPrice:c MPriceUom MDiscPct1:r MDiscPct2:r MDiscPct3:r MGlCode MProductClass
    MLatestDueDate:d MOrigDueDate:d MReschedDueDate MLastReceiptDat:d MCompleteFlag MJob MSalesOrder
    NComment NMscChargeValue:m TimeStamp:t
SorMaster = SalesOrder OrderStatus Customer OrderDate:d EntrySystemDate:d ReqShipDate:d LastInvoice Branch
    Salesperson Warehouse Currency ExchangeRate:r MulDiv DateLastInvPrt:d LastOperator CaptureHh:i
    CaptureMm:i TimeStamp:t
SorDetail = SalesOrder SalesOrderLine:i LineType MStockCode MStockDes MWarehouse MOrderQty:q MShipQty:q
    MBackOrderQty:q MPrice:c MUnitCost:c MProductClass MLineShipDate:d MCustRequestDat:d NComment
    TimeStamp:t
SorAdditions = TrnDate:d TrnTime:i SalesOrder SalesOrderLine:i TimeStamp:t
SorChanges = TrnDate:d TrnTime:i SalesOrder SalesOrderLine:i TimeStamp:t
SorCancelled = TrnDate:d TrnTime:i SalesOrder SalesOrderLine:i TimeStamp:t
TblArTerms = TermsCode Description DueDays:i TimeStamp:t
TblApTerms = TermsCode Description DueDays:i TimeStamp:t
"""

_NUMBERED: Final = re.compile(r"(\w+)\[(\d+)-(\d+)\](.*)")


def _words(text: str) -> list[str]:
    """The columns of a table, numbered ones written out."""
    words: list[str] = []
    for word in text.replace("@sub", _SUB_MODULE).split():
        if match := _NUMBERED.fullmatch(word):
            name, first, last, kind = match.groups()
            words += [f"{name}{number}{kind}" for number in range(int(first), int(last) + 1)]
        else:
            words.append(word)
    return words


def _tables() -> dict[str, dict[str, Known]]:
    found: dict[str, dict[str, Known]] = {}
    for table in re.split(r"\n(?=\w)", _TABLES.strip()):
        name, _, text = table.partition(" = ")
        found[name] = {column: _KINDS[kind] for column, _, kind in (w.partition(":") for w in _words(text))}
    return found


COLUMNS: Final = _tables()
"""Table -> column -> what is known of it."""


def built_in_sets(given: Mapping[str, Mapping[str, Any]]) -> dict[str, EntitySet]:
    """The tables as e.net has them, which can neither list nor describe them; by lower-case name.

    Args:
        given: The settings of streams, which may name further tables and columns.
    """
    # Row versions are of no use by COMFND.
    sets = {
        name.lower(): EntitySet(
            name,
            {
                c: Field(_EDM.get(known.kind, "Edm.String"))
                for c, known in columns.items()
                if known.kind != "rowversion"
            },
            described=True,
        )
        for name, columns in COLUMNS.items()
    }
    for stream, setting in given.items():
        name = str(setting.get("entity_set") or stream)
        lists = (setting.get("key_properties"), setting.get("select"), setting.get("columns"))
        named = dict.fromkeys(column for columns in lists for column in columns or ())
        known_set = sets.get(name.lower()) or sets.get(name.lower().replace("_", ""))
        fields = dict(known_set.fields) if known_set else {}
        fields = {**{column: Field("Edm.String") for column in named}, **fields}
        if fields:
            proper = known_set.name if known_set else name
            sets[proper.lower()] = EntitySet(proper, fields, described=True)
    return sets
