"""Entities: receivables and payables.

Names and types are those of the vendor's REST reference.
"""

from __future__ import annotations

from tests.sandbox.exact_online.shapes.shape import declare

declare(
    "cashflow/Receivables",
    key="ID",
    scope="Financial receivables",
    guid=(
        "ID Account AccountBankAccountID AccountContact BankAccountID Creator DirectDebitMandate "
        "Document EntryID GLAccount Modifier ReceivableSelector TransactionEntryID TransactionID"
    ),
    text=(
        "AccountBankAccountNumber AccountCode AccountContactName AccountCountry AccountName "
        "BankAccountNumber CashflowTransactionBatchCode CreatorFullName Currency Description "
        "DirectDebitMandateDescription DirectDebitMandateReference DocumentSubject EndToEndID "
        "GLAccountCode GLAccountDescription Journal JournalDescription ModifierFullName "
        "PaymentCondition PaymentConditionDescription PaymentInformationID PaymentMethod "
        "PaymentReference ReceivableSelectorFullName YourRef"
    ),
    time=(
        "Created DiscountDueDate DueDate EndDate EntryDate InvoiceDate LastPaymentDate Modified "
        "ReceivableSelected TransactionDueDate"
    ),
    double=(
        "AmountDC AmountDiscountDC AmountDiscountFC AmountFC PaymentDiscountPercentage RateFC "
        "TransactionAmountDC TransactionAmountFC"
    ),
    boolean="IsFullyPaid TransactionIsReversal",
    int32=(
        "Division DocumentNumber EntryNumber InvoiceNumber OrderNumber PaymentDays "
        "PaymentDaysDiscount ReceivableBatchNumber Source TransactionType"
    ),
    int16=(
        "DirectDebitMandatePaymentType DirectDebitMandateType EndPeriod EndYear Status "
        "TransactionReportingPeriod TransactionReportingYear TransactionStatus"
    ),
    byte="IsBatchBooking",
)
declare(
    "cashflow/Payments",
    like="cashflow/Receivables",
    without=(
        "AccountCountry DirectDebitMandate DirectDebitMandateDescription "
        "DirectDebitMandatePaymentType DirectDebitMandateReference DirectDebitMandateType EndToEndID "
        "IsFullyPaid LastPaymentDate OrderNumber PaymentInformationID ReceivableBatchNumber "
        "ReceivableSelected ReceivableSelector ReceivableSelectorFullName"
    ),
    key="ID",
    scope="Financial cashflow",
    guid="PaymentSelector",
    text="PaymentSelectorFullName",
    time="PaymentSelected",
    int32="PaymentBatchNumber",
)
declare(
    "cashflow/PaymentConditions",
    key="ID",
    scope="Financial cashflow",
    guid="ID Creator CreditManagementScenario Modifier",
    text=(
        "Code CreatorFullName CreditManagementScenarioCode CreditManagementScenarioDescription "
        "Description DiscountCalculation ModifierFullName PaymentDiscountType PaymentMethod "
        "VATCalculation"
    ),
    time="Created Modified",
    double="DiscountPercentage Percentage",
    int32="DiscountPaymentDays Division PaymentDays PaymentEndOfMonths",
)
declare(
    "read/financial/PayablesList",
    key="HID",
    scope="Financial payables",
    guid="AccountId Id",
    text="AccountCode AccountName CurrencyCode Description JournalCode JournalDescription YourRef",
    time="DueDate InvoiceDate",
    double="Amount AmountInTransit",
    int32="EntryNumber InvoiceNumber",
    int16="ApprovalStatus",
    int64="HID",
    many="Notes",
)
declare(
    "read/financial/ReceivablesList",
    like="read/financial/PayablesList",
    without="ApprovalStatus",
    key="HID",
    scope="Financial receivables",
)
declare(
    "read/financial/AgingPayablesList",
    key="AccountId",
    scope="Financial payables",
    guid="AccountId",
    text=(
        "AccountCode AccountName AgeGroup1Description AgeGroup2Description AgeGroup3Description "
        "AgeGroup4Description CurrencyCode"
    ),
    double="AgeGroup1Amount AgeGroup2Amount AgeGroup3Amount AgeGroup4Amount TotalAmount",
    int32="AgeGroup1 AgeGroup2 AgeGroup3 AgeGroup4",
)
declare(
    "read/financial/AgingReceivablesList",
    like="read/financial/AgingPayablesList",
    key="AccountId",
    scope="Financial receivables",
)
declare(
    "read/financial/OutstandingInvoicesOverview",
    key="CurrencyCode",
    scope="Financial receivables financial payables",
    text="CurrencyCode",
    double=(
        "OutstandingPayableInvoiceAmount OutstandingPayableInvoiceCount "
        "OutstandingReceivableInvoiceAmount OutstandingReceivableInvoiceCount "
        "OverduePayableInvoiceAmount OverduePayableInvoiceCount OverdueReceivableInvoiceAmount "
        "OverdueReceivableInvoiceCount"
    ),
)
declare(
    "read/financial/ProfitLossOverview",
    key="CurrentYear",
    scope="Financial accounting",
    text="CurrencyCode",
    double=(
        "CostsCurrentPeriod CostsCurrentYear CostsPreviousYear CostsPreviousYearPeriod "
        "ResultCurrentPeriod ResultCurrentYear ResultPreviousYear ResultPreviousYearPeriod "
        "RevenueCurrentPeriod RevenueCurrentYear RevenuePreviousYear RevenuePreviousYearPeriod"
    ),
    int32="CurrentYear CurrentPeriod PreviousYear PreviousYearPeriod",
)
declare(
    "read/financial/ReportingBalanceByClassification",
    key="ID",
    scope="Financial accounting",
    guid="GLAccount GLScheme",
    text=(
        "BalanceType ClassificationCode ClassificationDescription CostCenterCode "
        "CostCenterDescription CostUnitCode CostUnitDescription GLAccountCode GLAccountDescription"
    ),
    double="Amount AmountCredit AmountDebit",
    int32="Count Division ReportingPeriod ReportingYear Status Type",
    int64="ID",
)
declare(
    "read/financial/RevenueList",
    key="Period Year",
    scope="Financial accounting",
    double="Amount",
    int32="Period Year",
)
declare(
    "bulk/Cashflow/Payments",
    like="cashflow/Payments",
    key="ID",
    page=1000,
    scope="Financial cashflow",
)
declare(
    "bulk/Cashflow/Receivables",
    like="cashflow/Receivables",
    key="ID",
    page=1000,
    scope="Financial receivables",
)
declare(
    "sync/Cashflow/PaymentTerms",
    like="cashflow/Receivables",
    key="ID",
    page=1000,
    scope="Financial cashflow",
    guid="PaymentSelector",
    text="PaymentSelectorFullName",
    time="PaymentSelected",
    int32="PaymentBatchNumber",
    int16="ApprovalStatus LineType",
    int64="Timestamp",
)
