"""Properties of the general ledger: transactions, accounts, entries, journals, budgets, assets.

Names and types from the vendor's REST reference (HlpRestAPIResources.aspx), as of April 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_exact_online.streams.properties import properties

if TYPE_CHECKING:
    from collections.abc import Mapping

# fmt: off
LEDGER: Final[Mapping[str, Mapping[str, str]]] = {
    "sync/Financial/TransactionLines": properties(
        big="Timestamp",
        guid="Account Asset Creator Document EntryID GLAccount ID Item Modifier OffsetID Project ProjectWBS "
             "Subscription",
        text="AccountCode AccountName AssetCode AssetDescription CostCenter CostCenterDescription CostUnit "
             "CostUnitDescription CreatorFullName Currency CustomField Description DocumentSubject "
             "ExternalLinkDescription ExternalLinkReference GLAccountCode GLAccountDescription ItemCode "
             "ItemDescription JournalCode JournalDescription ModifierFullName Notes PaymentReference ProjectCode "
             "ProjectDescription ProjectWBSDescription SerialNumber SubscriptionDescription TrackingNumber "
             "TrackingNumberDescription VATCode VATCodeDescription VATType YourRef",
        decimal="AmountDC AmountFC AmountVATBaseFC AmountVATFC ExchangeRate ExtraDutyAmountFC ExtraDutyPercentage "
                "PaymentDiscountAmount Quantity VATPercentage",
        whole="Division DocumentNumber EntryNumber FinancialPeriod FinancialYear InvoiceNumber LineNumber "
              "LineType OrderNumber Status Type",
        date="Date DueDate",
        time="Created Modified",
    ),
    "sync/Financial/GLAccounts": properties(
        big="Timestamp",
        guid="Creator ID Modifier PrivateGLAccount VATNonDeductibleGLAccount YearEndCostGLAccount "
             "YearEndReflectionGLAccount",
        text="BalanceSide BalanceType Code Costcenter CostcenterDescription Costunit CostunitDescription "
             "CreatorFullName CustomField Description ModifierFullName ReportingCode SearchCode TypeDescription "
             "VATCode VATDescription VATGLAccountType VATSystem",
        decimal="ExpenseNonDeductiblePercentage PrivatePercentage VATNonDeductiblePercentage",
        whole="AllowCostsInSales AssimilatedVATBox BelcotaxType DescriptionTermID Division ExcludeVATListing Type "
              "UseCostcenter UseCostunit",
        flag="Compress IsBlocked Matching RevalueCurrency",
        time="Created Modified",
    ),
    "sync/Financial/GLClassifications": properties(
        big="Timestamp",
        guid="Creator ID Modifier Parent TaxonomyNamespace Type",
        text="Balance Code CreatorFullName Description ModifierFullName Name PeriodType SubstitutionGroup "
             "TaxonomyNamespaceDescription",
        whole="Division",
        flag="Abstract IsTupleSubElement Nillable",
        time="Created Modified",
    ),
    "financial/GLSchemes": properties(
        guid="ID Creator Modifier",
        text="Code CreatorFullName Description ModifierFullName TargetNamespace",
        whole="Division Main",
        time="Created Modified",
    ),
    "financial/GLAccountClassificationMappings": properties(
        guid="ID Classification GLAccount GLSchemeID",
        text="ClassificationCode ClassificationDescription GLAccountCode GLAccountDescription GLSchemeCode "
             "GLSchemeDescription",
        whole="Division",
    ),
    "generaljournalentry/GeneralJournalEntries": properties(
        guid="EntryID",
        text="Currency CustomField JournalCode JournalDescription StatusDescription TypeDescription",
        decimal="ExchangeRate",
        whole="Division EntryNumber FinancialPeriod FinancialYear Status Type",
        flag="Reversal",
        time="Created Modified",
    ),
    "generaljournalentry/GeneralJournalEntryLines": properties(
        guid="ID Account Asset Creator Document EntryID GLAccount Modifier OffsetID Project ProjectWBS",
        text="AccountCode AccountName AssetCode AssetDescription CostCenter CostCenterDescription CostUnit "
             "CostUnitDescription CreatorFullName CustomField Description DocumentSubject GLAccountCode "
             "GLAccountDescription ModifierFullName Notes ProjectCode ProjectDescription ProjectWBSDescription "
             "VATCode VATCodeDescription VATType",
        decimal="AmountDC AmountFC AmountVATDC AmountVATFC Quantity VATBaseAmountDC VATBaseAmountFC VATPercentage",
        whole="Division DocumentNumber EntryNumber LineNumber OurRef",
        date="Date",
        time="Created Modified",
    ),
    "financialtransaction/BankEntries": properties(
        guid="EntryID BankStatementDocument",
        text="BankStatementDocumentSubject Currency CustomField JournalCode JournalDescription StatusDescription",
        decimal="ClosingBalanceFC OpeningBalanceFC",
        whole="BankStatementDocumentNumber Division EntryNumber FinancialPeriod FinancialYear Status",
        time="Created Modified",
    ),
    "financialtransaction/BankEntryLines": properties(
        guid="ID Account Asset Creator Document EntryID GLAccount Modifier OffsetID Project ProjectWBS",
        text="AccountCode AccountName AssetCode AssetDescription CostCenter CostCenterDescription CostUnit "
             "CostUnitDescription CreatorFullName CustomField Description DocumentSubject GLAccountCode "
             "GLAccountDescription ModifierFullName Notes ProjectCode ProjectDescription ProjectWBSDescription "
             "VATCode VATCodeDescription VATType",
        decimal="AmountDC AmountFC AmountVATFC ExchangeRate Quantity VATPercentage",
        whole="Division DocumentNumber EntryNumber LineNumber OurRef",
        date="Date",
        time="Created Modified",
    ),
    "financialtransaction/CashEntries": properties(
        guid="EntryID",
        text="Currency CustomField JournalCode JournalDescription StatusDescription",
        decimal="ClosingBalanceFC OpeningBalanceFC",
        whole="Division EntryNumber FinancialPeriod FinancialYear Status",
        time="Created Modified",
    ),
    "financialtransaction/CashEntryLines": properties(
        guid="ID Account Asset Creator Document EntryID GLAccount Modifier OffsetID Project ProjectWBS",
        text="AccountCode AccountName AssetCode AssetDescription CostCenter CostCenterDescription CostUnit "
             "CostUnitDescription CreatorFullName CustomField Description DocumentSubject GLAccountCode "
             "GLAccountDescription ModifierFullName Notes ProjectCode ProjectDescription ProjectWBSDescription "
             "VATCode VATCodeDescription VATType",
        decimal="AmountDC AmountFC AmountVATFC ExchangeRate Quantity VATPercentage",
        whole="Division DocumentNumber EntryNumber LineNumber OurRef",
        date="Date",
        time="Created Modified",
    ),
    "financial/Journals": properties(
        guid="ID Bank BankAccountID Creator GLAccount Modifier PaymentInTransitAccount",
        text="BankAccountBICCode BankAccountCountry BankAccountDescription BankAccountIBAN "
             "BankAccountIncludingMask BankName Code CreatorFullName Currency CurrencyDescription CustomField "
             "Description GLAccountCode GLAccountDescription ModifierFullName PaymentServiceAccountIdentifier "
             "PaymentServiceProviderName",
        whole="Division GLAccountType PaymentServiceProvider Type",
        flag="AllowVariableCurrency AllowVariableExchangeRate AllowVAT AutoSave BankAccountUseSEPA "
             "BankAccountUseSepaDirectDebit IsBlocked",
        time="Created Modified",
    ),
    "hrm/Costcenters": properties(
        guid="ID Creator Modifier",
        text="Code CreatorFullName CustomField Description ModifierFullName",
        whole="Division",
        flag="Active",
        date="EndDate",
        time="Created Modified",
    ),
    "hrm/Costunits": properties(
        guid="ID Creator Modifier",
        text="Code CreatorFullName CustomField Description ModifierFullName",
        whole="Division",
        date="EndDate",
        time="Created Modified",
    ),
    "vat/VATCodes": properties(
        guid="ID Account Creator GLDiscountPurchase GLDiscountSales GLToClaim GLToPay Modifier",
        text="AccountCode AccountName Code Country CreatorFullName CustomField Description EUSalesListing "
             "GLDiscountPurchaseCode GLDiscountPurchaseDescription GLDiscountSalesCode GLDiscountSalesDescription "
             "GLToClaimCode GLToClaimDescription GLToPayCode GLToPayDescription IntrastatType LegalText "
             "ModifierFullName OssCountry Type VatDocType VATTransactionType",
        decimal="Percentage",
        whole="CalculationBasis Division ExcludeVATListing TaxReturnType VatMargin VATPartialRatio",
        flag="Charged IntraStat IsBlocked",
        time="Created Modified",
    ),
    "financial/FinancialPeriods": properties(
        guid="ID Creator Modifier",
        text="CreatorFullName ModifierFullName",
        whole="Division FinPeriod FinYear",
        date="EndDate StartDate",
        time="Created Modified",
    ),
    "financial/ExchangeRates": properties(
        guid="ID Creator Modifier",
        text="CreatorFullName ModifierFullName SourceCurrency SourceCurrencyDescription TargetCurrency "
             "TargetCurrencyDescription",
        decimal="Rate",
        whole="Division",
        date="StartDate",
        time="Created Modified",
    ),
    "financial/ReportingBalance": properties(
        big="ID",
        guid="GLAccount",
        text="BalanceType CostCenterCode CostCenterDescription CostUnitCode CostUnitDescription GLAccountCode "
             "GLAccountDescription",
        decimal="Amount AmountCredit AmountDebit",
        whole="Count Division ReportingPeriod ReportingYear Status Type",
    ),
    "budget/Budgets": properties(
        big="HID",
        guid="ID BudgetScenario Creator GLAccount Item Modifier",
        text="BudgetScenarioCode BudgetScenarioDescription Costcenter CostcenterDescription Costunit "
             "CostunitDescription CreatorFullName GLAccountCode GLAccountDescription ItemCode ItemDescription "
             "ModifierFullName",
        decimal="AmountDC",
        whole="Division ReportingPeriod ReportingYear",
        time="Created Modified",
    ),
    "assets/Assets": properties(
        guid="ID AssetFrom AssetGroup Creator GLTransactionLine InvestmentAccount Modifier Parent PrimaryMethod "
             "TransactionEntryID",
        text="AssetFromDescription AssetGroupCode AssetGroupDescription Code Costcenter CostcenterDescription "
             "Costunit CostunitDescription CreatorFullName CustomField Description GLTransactionLineDescription "
             "InvestmentAccountCode InvestmentAccountName InvestmentCurrency InvestmentCurrencyDescription "
             "ModifierFullName Notes ParentCode ParentDescription PictureFileName PrimaryMethodCode "
             "PrimaryMethodDescription Type",
        decimal="CatalogueValue DeductionPercentage DepreciatedAmount InvestmentAmountDC InvestmentAmountFC "
                "ResidualValue",
        whole="AlreadyDepreciated DepreciatedPeriods Division EngineEmission EngineType InvestmentDeduction "
              "Status TransactionEntryNo",
        date="DepreciatedStartDate EndDate InvestmentDate StartDate",
        time="Created Modified",
        binary="Picture",
    ),
    "hrm/Departments": properties(
        guid="ID Creator Modifier",
        text="Code Costcenter CostcenterDescription CreatorFullName Description ModifierFullName Notes",
        whole="Division",
        time="Created Modified",
    ),
    "general/Currencies": properties(
        text="Code Description",
        decimal="AmountPrecision PricePrecision",
        time="Created Modified",
    ),
}
# fmt: on
