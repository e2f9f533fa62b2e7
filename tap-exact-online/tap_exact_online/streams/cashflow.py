"""Properties of receivables and payables.

Names and types from the vendor's REST reference (HlpRestAPIResources.aspx), as of April 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_exact_online.streams.properties import properties

if TYPE_CHECKING:
    from collections.abc import Mapping

# fmt: off
CASHFLOW: Final[Mapping[str, Mapping[str, str]]] = {
    "sync/Cashflow/PaymentTerms": properties(
        big="Timestamp",
        guid="Account AccountBankAccountID AccountContact BankAccountID Creator DirectDebitMandate Document "
             "EntryID GLAccount ID Modifier PaymentSelector ReceivableSelector TransactionEntryID TransactionID",
        text="AccountBankAccountNumber AccountCode AccountContactName AccountCountry AccountName "
             "BankAccountNumber CashflowTransactionBatchCode CreatorFullName Currency Description "
             "DirectDebitMandateDescription DirectDebitMandateReference DocumentSubject EndToEndID GLAccountCode "
             "GLAccountDescription Journal JournalDescription ModifierFullName PaymentCondition "
             "PaymentConditionDescription PaymentInformationID PaymentMethod PaymentReference "
             "PaymentSelectorFullName ReceivableSelectorFullName YourRef",
        decimal="AmountDC AmountDiscountDC AmountDiscountFC AmountFC PaymentDiscountPercentage RateFC "
                "TransactionAmountDC TransactionAmountFC",
        whole="ApprovalStatus DirectDebitMandatePaymentType DirectDebitMandateType Division DocumentNumber "
              "EndPeriod EndYear EntryNumber InvoiceNumber IsBatchBooking LineType OrderNumber PaymentBatchNumber "
              "PaymentDays PaymentDaysDiscount ReceivableBatchNumber Source Status TransactionReportingPeriod "
              "TransactionReportingYear TransactionStatus TransactionType",
        flag="IsFullyPaid TransactionIsReversal",
        date="DiscountDueDate DueDate EndDate EntryDate InvoiceDate LastPaymentDate TransactionDueDate",
        time="Created Modified PaymentSelected ReceivableSelected",
    ),
    "bulk/Cashflow/Receivables": properties(
        guid="ID Account AccountBankAccountID AccountContact BankAccountID Creator DirectDebitMandate Document "
             "EntryID GLAccount Modifier ReceivableSelector TransactionEntryID TransactionID",
        text="AccountBankAccountNumber AccountCode AccountContactName AccountCountry AccountName "
             "BankAccountNumber CashflowTransactionBatchCode CreatorFullName Currency Description "
             "DirectDebitMandateDescription DirectDebitMandateReference DocumentSubject EndToEndID GLAccountCode "
             "GLAccountDescription Journal JournalDescription ModifierFullName PaymentCondition "
             "PaymentConditionDescription PaymentInformationID PaymentMethod PaymentReference "
             "ReceivableSelectorFullName YourRef",
        decimal="AmountDC AmountDiscountDC AmountDiscountFC AmountFC PaymentDiscountPercentage RateFC "
                "TransactionAmountDC TransactionAmountFC",
        whole="DirectDebitMandatePaymentType DirectDebitMandateType Division DocumentNumber EndPeriod EndYear "
              "EntryNumber InvoiceNumber IsBatchBooking OrderNumber PaymentDays PaymentDaysDiscount "
              "ReceivableBatchNumber Source Status TransactionReportingPeriod TransactionReportingYear "
              "TransactionStatus TransactionType",
        flag="IsFullyPaid TransactionIsReversal",
        date="DiscountDueDate DueDate EndDate EntryDate InvoiceDate LastPaymentDate TransactionDueDate",
        time="Created Modified ReceivableSelected",
    ),
    "bulk/Cashflow/Payments": properties(
        guid="ID Account AccountBankAccountID AccountContact BankAccountID Creator Document EntryID GLAccount "
             "Modifier PaymentSelector TransactionEntryID TransactionID",
        text="AccountBankAccountNumber AccountCode AccountContactName AccountName BankAccountNumber "
             "CashflowTransactionBatchCode CreatorFullName Currency Description DocumentSubject GLAccountCode "
             "GLAccountDescription Journal JournalDescription ModifierFullName PaymentCondition "
             "PaymentConditionDescription PaymentMethod PaymentReference PaymentSelectorFullName YourRef",
        decimal="AmountDC AmountDiscountDC AmountDiscountFC AmountFC PaymentDiscountPercentage RateFC "
                "TransactionAmountDC TransactionAmountFC",
        whole="Division DocumentNumber EndPeriod EndYear EntryNumber InvoiceNumber IsBatchBooking "
              "PaymentBatchNumber PaymentDays PaymentDaysDiscount Source Status TransactionReportingPeriod "
              "TransactionReportingYear TransactionStatus TransactionType",
        flag="TransactionIsReversal",
        date="DiscountDueDate DueDate EndDate EntryDate InvoiceDate TransactionDueDate",
        time="Created Modified PaymentSelected",
    ),
    "read/financial/ReceivablesList": properties(
        big="HID",
        guid="AccountId Id",
        text="AccountCode AccountName CurrencyCode Description JournalCode JournalDescription YourRef",
        decimal="Amount AmountInTransit",
        whole="EntryNumber InvoiceNumber",
        date="DueDate InvoiceDate",
    ),
    "read/financial/PayablesList": properties(
        big="HID",
        guid="AccountId Id",
        text="AccountCode AccountName CurrencyCode Description JournalCode JournalDescription YourRef",
        decimal="Amount AmountInTransit",
        whole="ApprovalStatus EntryNumber InvoiceNumber",
        date="DueDate InvoiceDate",
    ),
    "read/financial/AgingReceivablesList": properties(
        guid="AccountId",
        text="AccountCode AccountName AgeGroup1Description AgeGroup2Description AgeGroup3Description "
             "AgeGroup4Description CurrencyCode",
        decimal="AgeGroup1Amount AgeGroup2Amount AgeGroup3Amount AgeGroup4Amount TotalAmount",
        whole="AgeGroup1 AgeGroup2 AgeGroup3 AgeGroup4",
    ),
    "read/financial/AgingPayablesList": properties(
        guid="AccountId",
        text="AccountCode AccountName AgeGroup1Description AgeGroup2Description AgeGroup3Description "
             "AgeGroup4Description CurrencyCode",
        decimal="AgeGroup1Amount AgeGroup2Amount AgeGroup3Amount AgeGroup4Amount TotalAmount",
        whole="AgeGroup1 AgeGroup2 AgeGroup3 AgeGroup4",
    ),
    "cashflow/PaymentConditions": properties(
        guid="ID Creator CreditManagementScenario Modifier",
        text="Code CreatorFullName CreditManagementScenarioCode CreditManagementScenarioDescription Description "
             "DiscountCalculation ModifierFullName PaymentDiscountType PaymentMethod VATCalculation",
        decimal="DiscountPercentage Percentage",
        whole="DiscountPaymentDays Division PaymentDays PaymentEndOfMonths",
        time="Created Modified",
    ),
}
# fmt: on
