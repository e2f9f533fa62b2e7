"""The streams of the tap, one line of a table each, in Epicor's own names.

To add a stream, add a line: its name, service and entity set, key (the company aside), and the columns that are read
by default. Types and all other columns come from the instance's own description.
"""

from __future__ import annotations

from typing import Any, Final

from tap_epicor_kinetic.streams.columns import Derived
from tap_epicor_kinetic.streams.source import Source

_PAYROLL: Final = ("CheckSrc", frozenset({"4", "5", "6"}))
_SEGMENTS: Final = " ".join(f"SegValue{number}" for number in range(1, 21))
_POSTED: Final = (("Posted", True),)
_PAID: Final = (("Posted", True), ("Voided", False))


def _s(stream: str, path: str, keys: str, useful: str = "", **more: Any) -> Source:  # noqa: ANN401 - passed on
    columns = ("Company", *keys.split(), *useful.split(), "SysRevID", "SysRowID")
    return Source(stream, path, tuple(keys.split()), columns if useful else (), **more)


_AP_LEDGER: Final = (
    Derived(
        "ledger_amount",
        "InvoiceAmt",
        _POSTED,
        "Effect on payables in base currency: InvoiceAmt once posted, else 0.",
    ),
    Derived(
        "ledger_balance",
        "InvoiceBal",
        _POSTED,
        "What is still to be paid in base currency: InvoiceBal once posted, else 0.",
    ),
)
_AR_LEDGER: Final = (
    Derived(
        "ledger_amount",
        "InvoiceAmt",
        _POSTED,
        "Effect on receivables in base currency: InvoiceAmt once posted, else 0.",
    ),
    Derived(
        "ledger_balance",
        "InvoiceBal",
        _POSTED,
        "What is still to come in base currency: InvoiceBal once posted, else 0.",
    ),
)
_PAID_LEDGER: Final = (
    Derived(
        "ledger_amount",
        "CheckAmt",
        _PAID,
        "What was paid in base currency: CheckAmt once posted, 0 when voided.",
    ),
)

# fmt: off
SOURCES: Final = (
    _s("ap_invoice_lines", "Erp.BO.APInvDtlSearchSvc/APInvDtlSearches", "VendorNum InvoiceNum InvoiceLine",
       "LineType PartNum Description PONum POLine PORelNum PackSlip PackLine VendorQty OurQty PUM IUM UnitCost "
       "DocUnitCost ExtCost DocExtCost TotalMiscChrg LineDiscAmt TaxCatID JobNum AssetNum FinalInvoice ChangedBy "
       "ChangeDate"),
    _s("ap_invoice_schedules", "Erp.BO.APInvoiceSvc/APInvoices", "VendorNum InvoiceNum PaySeq",
       nested="APInvScheds"),
    _s("ap_invoices", "Erp.BO.APInvoiceSvc/APInvoices", "VendorNum InvoiceNum",
       "InvoiceDate DueDate DiscountDate ApplyDate TermsCode DebitMemo Posted OpenPayable PayHold InvoiceHeld "
       "GroupID Description InvoiceRef REFPONum CurrencyCode ExchangeRate InvoiceAmt DocInvoiceAmt InvoiceBal "
       "DocInvoiceBal UnpostedBal TaxAmt DocTaxAmt DiscountAmt FiscalYear FiscalPeriod FiscalYearSuffix "
       "FiscalCalendarID JournalCode JournalNum LegalNumber EntryPerson PrePayment CorrectionInv InvoiceType "
       "Plant ChangedBy ChangeDate VendorNumVendorID VendorNumName", dated="InvoiceDate", derived=_AP_LEDGER),
    _s("ap_payment_applications", "Erp.BO.APTranSearchSvc/APTranSearches", "HeadNum APTranNo InvoiceNum Voided",
       "TranType TranAmt DocTranAmt DiscAmt TranDate CheckNum VendorNum CurrencyCode Posted GLPosted ChangedBy "
       "ChangeDate", dated="TranDate"),
    _s("ap_payments", "Erp.BO.CheckRecSearchSvc/CheckRecSearches", "HeadNum",
       "CheckNum CheckDate BankAcctID VendorNum Name Posted Voided CheckSrc CheckAmt DocCheckAmt PaymentTotal "
       "CurrencyCode ExchangeRate PMUID FiscalYear FiscalPeriod ClearedCheck ClearedDate ClearedAmt ElecPayment "
       "VoidedReason ChangedBy ChangeDate", dated="CheckDate", derived=_PAID_LEDGER, without=_PAYROLL),
    _s("ar_invoice_lines", "Erp.BO.ARInvcDtlSearchSvc/ARInvcDtlSearches", "InvoiceNum InvoiceLine",
       "LineType PartNum LineDesc OrderNum OrderLine OrderRelNum PackNum PackLine OurShipQty SellingShipQty IUM "
       "SalesUM UnitPrice DocUnitPrice ExtPrice DocExtPrice Discount DocDiscount TaxCatID ProdCode CustNum "
       "ChangeDate ChangeTime"),
    _s("ar_invoices", "Erp.BO.ARInvoiceSvc/ARInvoices", "InvoiceNum",
       "CustNum InvoiceDate DueDate ApplyDate TermsCode CreditMemo Posted OpenInvoice InvoiceType InvoiceSuffix "
       "OrderNum PONum GroupID Description CurrencyCode ExchangeRate InvoiceAmt DocInvoiceAmt InvoiceBal "
       "DocInvoiceBal UnpostedBal TaxAmt DocTaxAmt FiscalYear FiscalPeriod FiscalYearSuffix FiscalCalendarID "
       "JournalCode JournalNum LegalNumber Plant InvoiceComment ChangedBy ChangeDate ChangeTime CustNumCustID "
       "CustNumName", dated="InvoiceDate", derived=_AR_LEDGER),
    _s("bank_accounts", "Erp.BO.BankAcctSvc/BankAccts", "BankAcctID",
       "Description BankName CurrencyCode InActive"),
    _s("cash_receipt_lines", "Erp.BO.CashDtlSearchSvc/CashDtlSearches", "GroupID HeadNum InvoiceNum InvoiceRef",
       "CustNum TranType TranDate TranAmt DocTranAmt DiscAmt DocDiscAmt CheckRef CurrencyCode Posted FiscalYear "
       "FiscalPeriod ChangeDate", dated="TranDate"),
    _s("charts_of_accounts", "Erp.BO.COASvc/COAs", "COACode",
       "Description SeparatorChar"),
    _s("currencies", "Erp.BO.CurrencySvc/Currencies", "CurrencyCode",
       "CurrName CurrDesc CurrSymbol CurrencyID BaseCurr DecimalsGeneral"),
    _s("customer_ship_tos", "Erp.BO.CustomerSvc/Customers", "CustNum ShipToNum", nested="ShipToes"),
    _s("customers", "Erp.BO.CustomerSvc/Customers", "CustNum",
       "CustID Name Address1 Address2 Address3 City State Zip Country TermsCode TerritoryID SalesRepCode "
       "GroupCode CreditHold CreditLimit CurrencyCode EstDate CustomerType ParentCustNum PhoneNum EMailAddress "
       "ChangedBy ChangeDate ChangeTime"),
    _s("exchange_rates", "Erp.BO.CurrExRateSvc/CurrExRates",
       "RateGrpCode SourceCurrCode TargetCurrCode EffectiveDate",
       "CurrentRate Reference SysDate SysTime"),
    _s("fiscal_periods", "Erp.BO.FiscalPerSearchSvc/FiscalPerSearches",
       "FiscalCalendarID FiscalYear FiscalYearSuffix FiscalPeriod",
       "StartDate EndDate ClosedPeriod"),
    _s("gl_accounts", "Erp.BO.GLAccountSvc/GLAccounts", "COACode GLAccount1",
       f"AccountDesc {_SEGMENTS} Active EffFrom EffTo GLAcctDispGLAcctDisp GLAcctDispGLShortAcct"),
    _s("gl_journal_entries", "Erp.BO.GLJournalEntrySvc/GLJournalEntries",
       "BookID FiscalYear FiscalYearSuffix JournalCode JournalNum FiscalCalendarID",
       "GroupID FiscalPeriod JEDate Description CurrencyCode Posted PostedBy PostedDate Reverse ReverseDate "
       "TranDocTypeID LegalNumber", dated="JEDate"),
    _s("gl_journal_lines", "Erp.BO.GLJrnDtlSvc/GLJrnDtls",
       "BookID FiscalYear FiscalYearSuffix JournalCode JournalNum JournalLine",
       f"FiscalPeriod FiscalCalendarID JEDate Description COACode GLAccount {_SEGMENTS} DebitAmount CreditAmount "
       "BookDebitAmount BookCreditAmount CurrencyCode SourceModule VendorNum APInvoiceNum ARInvoiceNum CheckNum "
       "BankAcctID Posted PostedBy PostedDate CreateDate Reverse", dated="JEDate", appends=True),
    _s("gl_period_balances", "Erp.BO.GLPeriodBalSearchSvc/GLPeriodBalSearches",
       "BookID BalanceAcct BalanceType FiscalYear FiscalYearSuffix FiscalPeriod FiscalCalendarID",
       f"BalanceAmt OpenBalance DebitAmt CreditAmt BalanceAcctDisp COACode {_SEGMENTS}", rebuilt=True),
    _s("gl_segment_values", "Erp.BO.COASegValuesSvc/COASegValues", "COACode SegmentNbr SegmentCode",
       "SegmentName SegmentDesc ActiveFlag EffectiveFrom EffectiveTo Category NormalBalance"),
    _s("gl_segments", "Erp.BO.COASegmentSearchSvc/COASegmentSearches", "COACode SegmentNbr",
       "SegmentName SegmentDesc MinLength MaxLength"),
    _s("part_classes", "Erp.BO.PartClassSvc/PartClasses", "ClassID",
       "Description"),
    _s("part_sites", "Erp.BO.PartPlantSearchSvc/PartPlantSearches", "PartNum Plant",
       "PrimWhse MinimumQty MaximumQty SafetyQty LeadTime BuyerID VendorNum SourceType NonStock"),
    _s("part_transactions", "Erp.BO.PartTranSvc/PartTrans", "SysDate SysTime TranNum",
       "PartNum WareHouseCode BinNum TranType TranClass TranDate TranQty UM MtlUnitCost ExtCost JobNum PONum "
       "POLine PORelNum PackSlip VendorNum OrderNum OrderLine Plant TranReference GLTrans PostedToGL",
       dated="TranDate", appends=True),
    _s("parts", "Erp.BO.PartSvc/Parts", "PartNum",
       "PartDescription TypeCode ClassID ProdCode IUM PUM SalesUM UnitPrice InternalUnitPrice CostMethod "
       "InActive NonStock TrackLots TrackSerialNum NetWeight CreatedOn ChangedOn"),
    _s("purchase_order_lines", "Erp.BO.PODetailTrackerSearchSvc/PODetailTrackerSearches", "PONUM POLine",
       "OpenLine VoidLine LineDesc PartNum VenPartNum RevisionNum OrderQty XOrderQty PUM IUM UnitCost "
       "DocUnitCost CostPerCode ExtCost DocExtCost DueDate ClassID TaxCatID VendorNum ChangedBy ChangeDate"),
    _s("purchase_order_releases", "Erp.BO.PORelSearchSvc/PORelSearches", "PONum POLine PORelNum",
       "OpenRelease VoidRelease DueDate PromiseDt NeedByDate XRelQty RelQty ReceivedQty InvoicedQty ArrivedQty "
       "ShippedQty Plant WarehouseCode JobNum ProjectID TranType Status"),
    _s("purchase_orders", "Erp.BO.POSvc/POes", "PONum",
       "VendorNum PurPoint BuyerID OrderDate DueDate PromiseDate OpenOrder VoidOrder OrderHeld Approve "
       "ApprovalStatus ApprovedDate ApprovedBy ApprovedAmount Confirmed TermsCode FOB ShipViaCode CurrencyCode "
       "ExchangeRate POType ContractOrder TotalOrder DocTotalOrder TotalTax TotalCharges TotalMiscCharges "
       "EntryPerson CommentText ChangedBy ChangeDate VendorVendorID VendorName BuyerIDName",
       dated="OrderDate", times=("ChangeDate",)),
    _s("purchase_terms", "Erp.BO.PurTermsSvc/PurTerms", "TermsCode",
       "Description NumberOfDays DiscountPercent DiscountDays"),
    _s("receipt_lines", "Erp.BO.RcvDtlSearchSvc/RcvDtlSearches", "VendorNum PurPoint PackSlip PackLine",
       "PONum POLine PORelNum PartNum PartDescription OurQty VendorQty IUM PUM OurUnitCost DocUnitCost "
       "VendorUnitCost ReceiptDate ReceivedComplete Received Invoiced WareHouseCode BinNum JobNum ChangedBy "
       "ChangeDate", dated="ReceiptDate"),
    _s("receipts", "Erp.BO.ReceiptSvc/Receipts", "VendorNum PurPoint PackSlip",
       "ReceiptDate EntryDate ArrivedDate ReceivePerson EntryPerson PONum ShipViaCode Received Invoiced Plant "
       "ReceiptComment ChangedBy ChangeDate", dated="ReceiptDate"),
    _s("sales_order_lines", "Erp.BO.OrderDtlSearchSvc/OrderDtlSearches", "OrderNum OrderLine",
       "OpenLine VoidLine LineType PartNum LineDesc RevisionNum OrderQty SellingQuantity IUM SalesUM UnitPrice "
       "DocUnitPrice ExtPriceDtl DocExtPriceDtl Discount DocDiscount RequestDate NeedByDate ProdCode TaxCatID "
       "CustNum ChangeDate ChangeTime"),
    _s("sales_order_releases", "Erp.BO.OrderRelSearchSvc/OrderRelSearches", "OrderNum OrderLine OrderRelNum",
       "OpenRelease VoidRelease ReqDate NeedByDate OurReqQty SellingReqQty OurStockShippedQty OurJobShippedQty "
       "ShipToNum Plant WarehouseCode PartNum FirmRelease Make ChangeDate ChangeTime"),
    _s("sales_orders", "Erp.BO.SalesOrderSvc/SalesOrders", "OrderNum",
       "CustNum PONum OpenOrder VoidOrder OrderHeld OrderDate RequestDate NeedByDate TermsCode ShipViaCode FOB "
       "ShipToNum CurrencyCode ExchangeRate OrderAmt DocOrderAmt TotalCharges DocTotalCharges TotalTax "
       "TotalDiscount SalesRepList EntryPerson ChangedBy ChangeDate ChangeTime CustomerCustID CustomerName",
       dated="OrderDate"),
    _s("sites", "Erp.BO.PlantSvc/Plants", "Plant1",
       "Name Address1 Address2 City State Zip Country PlantCostID"),
    _s("terms", "Erp.BO.TermsSvc/Terms", "TermsCode",
       "Description TermsType NumberOfDays NumberOfMonths DiscountPercent"),
    _s("vendor_contacts", "Erp.BO.VendCntSearchSvc/VendCntSearches", "VendorNum PurPoint ConNum",
       "Name Func PhoneNum FaxNum EmailAddress RoleCode ChangeDate"),
    _s("vendor_groups", "Erp.BO.VendGrupSvc/VendGrups", "GroupCode",
       "GroupDesc"),
    _s("vendors", "Erp.BO.VendorSvc/Vendors", "VendorNum",
       "VendorID Name Address1 Address2 Address3 City State ZIP Country CountryNum TermsCode GroupCode "
       "CurrencyCode TaxRegionCode PhoneNum FaxNum EMailAddress Inactive Approved PayHold PMUID DefaultFOB "
       "ShipViaCode MinOrderValue LegalName"),
)
# fmt: on
"""The streams that the tap knows without being told."""
