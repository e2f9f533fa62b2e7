"""Entities: general ledger.

Names and types are those of the vendor's REST reference.
"""

from __future__ import annotations

from tests.sandbox.exact_online.shapes.shape import declare

declare(
    "financial/GLAccounts",
    key="ID",
    scope="Financial generalledgers",
    guid=(
        "ID Creator Modifier PrivateGLAccount VATNonDeductibleGLAccount YearEndCostGLAccount "
        "YearEndReflectionGLAccount"
    ),
    text=(
        "BalanceSide BalanceType Code Costcenter CostcenterDescription Costunit CostunitDescription "
        "CreatorFullName CustomField Description ModifierFullName ReportingCode SearchCode "
        "TypeDescription VATCode VATDescription VATGLAccountType VATSystem"
    ),
    time="Created Modified",
    double="ExpenseNonDeductiblePercentage PrivatePercentage VATNonDeductiblePercentage",
    boolean="Compress IsBlocked Matching RevalueCurrency",
    int32="BelcotaxType DescriptionTermID Division Type",
    int16="AssimilatedVATBox",
    byte="AllowCostsInSales ExcludeVATListing UseCostcenter UseCostunit",
    many="DeductibilityPercentages",
)
declare(
    "financial/GLClassifications",
    key="ID",
    scope="Financial generalledgers",
    guid="ID Creator Modifier Parent TaxonomyNamespace Type",
    text=(
        "Balance Code CreatorFullName Description ModifierFullName Name PeriodType SubstitutionGroup "
        "TaxonomyNamespaceDescription"
    ),
    time="Created Modified",
    boolean="Abstract IsTupleSubElement Nillable",
    int32="Division",
)
declare(
    "financial/GLSchemes",
    key="ID",
    scope="Financial generalledgers",
    guid="ID Creator Modifier",
    text="Code CreatorFullName Description ModifierFullName TargetNamespace",
    time="Created Modified",
    int32="Division",
    byte="Main",
)
declare(
    "financial/GLAccountClassificationMappings",
    key="ID",
    scope="Financial generalledgers",
    guid="ID Classification GLAccount GLSchemeID",
    text=(
        "ClassificationCode ClassificationDescription GLAccountCode GLAccountDescription GLSchemeCode "
        "GLSchemeDescription"
    ),
    int32="Division",
)
declare(
    "financial/Journals",
    key="ID",
    scope="Financial generalledgers",
    guid="ID Bank BankAccountID Creator GLAccount Modifier PaymentInTransitAccount",
    text=(
        "BankAccountBICCode BankAccountCountry BankAccountDescription BankAccountIBAN "
        "BankAccountIncludingMask BankName Code CreatorFullName Currency CurrencyDescription "
        "CustomField Description GLAccountCode GLAccountDescription ModifierFullName "
        "PaymentServiceAccountIdentifier PaymentServiceProviderName"
    ),
    time="Created Modified",
    boolean=(
        "AllowVariableCurrency AllowVariableExchangeRate AllowVAT AutoSave BankAccountUseSEPA "
        "BankAccountUseSepaDirectDebit IsBlocked"
    ),
    int32="Division GLAccountType PaymentServiceProvider Type",
)
declare(
    "financial/FinancialPeriods",
    key="ID",
    scope="Financial accounting",
    guid="ID Creator Modifier",
    text="CreatorFullName ModifierFullName",
    time="Created EndDate Modified StartDate",
    int32="Division",
    int16="FinPeriod FinYear",
)
declare(
    "financial/ReportingBalance",
    key="ID",
    scope="Financial accounting",
    guid="GLAccount",
    text=(
        "BalanceType CostCenterCode CostCenterDescription CostUnitCode CostUnitDescription "
        "GLAccountCode GLAccountDescription"
    ),
    double="Amount AmountCredit AmountDebit",
    int32="Count Division ReportingPeriod ReportingYear Status Type",
    int64="ID",
)
declare(
    "financial/ExchangeRates",
    key="ID",
    scope="Financial currencies",
    guid="ID Creator Modifier",
    text=(
        "CreatorFullName ModifierFullName SourceCurrency SourceCurrencyDescription TargetCurrency "
        "TargetCurrencyDescription"
    ),
    time="Created Modified StartDate",
    double="Rate",
    int32="Division",
)
declare(
    "financialtransaction/TransactionLines",
    key="ID",
    scope="Financial accounting",
    guid=(
        "ID Account Asset Creator Document EntryID GLAccount Item Modifier OffsetID Project "
        "ProjectWBS ShopOrder Subscription"
    ),
    text=(
        "AccountCode AccountName AssetCode AssetDescription CostCenter CostCenterDescription CostUnit "
        "CostUnitDescription CreatorFullName Currency CustomField Description DocumentSubject "
        "ExternalLinkDescription ExternalLinkReference GLAccountCode GLAccountDescription ItemCode "
        "ItemDescription JournalCode JournalDescription ModifierFullName Notes PaymentReference "
        "ProjectCode ProjectDescription ProjectWBSDescription SerialNumber SubscriptionDescription "
        "TrackingNumber TrackingNumberDescription VATCode VATCodeDescription VATType YourRef"
    ),
    time="Created Date DueDate Modified",
    double=(
        "AmountDC AmountFC AmountVATBaseFC AmountVATFC ExchangeRate ExtraDutyAmountFC "
        "ExtraDutyPercentage PaymentDiscountAmount Quantity VATPercentage"
    ),
    int32="Division DocumentNumber EntryNumber InvoiceNumber LineNumber OrderNumber Type",
    int16="FinancialPeriod FinancialYear LineType Status",
)
declare(
    "financialtransaction/Transactions",
    key="EntryID",
    guid="EntryID Document",
    text=(
        "Description DocumentSubject ExternalLinkDescription ExternalLinkReference JournalCode "
        "JournalDescription PaymentConditionCode PaymentConditionDescription PaymentReference "
        "StatusDescription TypeDescription"
    ),
    time="Created Date Modified",
    double="ClosingBalanceFC OpeningBalanceFC",
    boolean="IsExtraDuty",
    int32="Division DocumentNumber EntryNumber Type",
    int16="FinancialPeriod FinancialYear Status",
    many="TransactionLines",
)
declare(
    "financialtransaction/BankEntries",
    key="EntryID",
    scope="Financial accounting",
    guid="EntryID BankStatementDocument",
    text=(
        "BankStatementDocumentSubject Currency CustomField JournalCode JournalDescription StatusDescription"
    ),
    time="Created Modified",
    double="ClosingBalanceFC OpeningBalanceFC",
    int32="BankStatementDocumentNumber Division EntryNumber",
    int16="FinancialPeriod FinancialYear Status",
    many="BankEntryLines",
)
declare(
    "financialtransaction/BankEntryLines",
    key="ID",
    scope="Financial accounting",
    guid="ID Account Asset Creator Document EntryID GLAccount Modifier OffsetID Project ProjectWBS",
    text=(
        "AccountCode AccountName AssetCode AssetDescription CostCenter CostCenterDescription CostUnit "
        "CostUnitDescription CreatorFullName CustomField Description DocumentSubject GLAccountCode "
        "GLAccountDescription ModifierFullName Notes ProjectCode ProjectDescription "
        "ProjectWBSDescription VATCode VATCodeDescription VATType"
    ),
    time="Created Date Modified",
    double="AmountDC AmountFC AmountVATFC ExchangeRate Quantity VATPercentage",
    int32="Division DocumentNumber EntryNumber LineNumber OurRef",
)
declare(
    "financialtransaction/CashEntries",
    like="financialtransaction/BankEntries",
    without="BankEntryLines BankStatementDocument BankStatementDocumentNumber BankStatementDocumentSubject",
    key="EntryID",
    scope="Financial accounting",
    many="CashEntryLines",
)
declare(
    "financialtransaction/CashEntryLines",
    like="financialtransaction/BankEntryLines",
    key="ID",
    scope="Financial accounting",
)
declare(
    "generaljournalentry/GeneralJournalEntries",
    key="EntryID",
    scope="Financial accounting",
    guid="EntryID",
    text="Currency CustomField JournalCode JournalDescription StatusDescription TypeDescription",
    time="Created Modified",
    double="ExchangeRate",
    boolean="Reversal",
    int32="Division EntryNumber Type",
    int16="FinancialPeriod FinancialYear Status",
    many="GeneralJournalEntryLines",
)
declare(
    "generaljournalentry/GeneralJournalEntryLines",
    like="financialtransaction/BankEntryLines",
    without="ExchangeRate",
    key="ID",
    scope="Financial accounting",
    double="AmountVATDC VATBaseAmountDC VATBaseAmountFC",
)
declare(
    "vat/VATCodes",
    key="ID",
    scope="Financial accounting",
    guid="ID Account Creator GLDiscountPurchase GLDiscountSales GLToClaim GLToPay Modifier",
    text=(
        "AccountCode AccountName Code Country CreatorFullName CustomField Description EUSalesListing "
        "GLDiscountPurchaseCode GLDiscountPurchaseDescription GLDiscountSalesCode "
        "GLDiscountSalesDescription GLToClaimCode GLToClaimDescription GLToPayCode GLToPayDescription "
        "IntrastatType LegalText ModifierFullName OssCountry Type VatDocType VATTransactionType"
    ),
    time="Created Modified",
    double="Percentage",
    boolean="Charged IntraStat IsBlocked",
    int32="Division",
    int16="TaxReturnType VATPartialRatio",
    byte="CalculationBasis ExcludeVATListing VatMargin",
    many="VATPercentages",
)
declare(
    "vat/VatPercentages",
    key="ID",
    scope="Financial accounting",
    guid="ID Creator Modifier VATCodeID",
    text="CreatorFullName ModifierFullName",
    time="Created EndDate Modified StartDate",
    double="Percentage",
    int32="Division LineNumber",
    int16="Type",
)
declare(
    "budget/Budgets",
    key="ID",
    scope="Financial budgets",
    guid="ID BudgetScenario Creator GLAccount Item Modifier",
    text=(
        "BudgetScenarioCode BudgetScenarioDescription Costcenter CostcenterDescription Costunit "
        "CostunitDescription CreatorFullName GLAccountCode GLAccountDescription ItemCode "
        "ItemDescription ModifierFullName"
    ),
    time="Created Modified",
    double="AmountDC",
    int32="Division",
    int16="ReportingPeriod ReportingYear",
    int64="HID",
)
declare(
    "assets/Assets",
    key="ID",
    scope="Financial assets",
    guid=(
        "ID AssetFrom AssetGroup Creator GLTransactionLine InvestmentAccount Modifier Parent "
        "PrimaryMethod TransactionEntryID"
    ),
    text=(
        "AssetFromDescription AssetGroupCode AssetGroupDescription Code Costcenter "
        "CostcenterDescription Costunit CostunitDescription CreatorFullName CustomField Description "
        "GLTransactionLineDescription InvestmentAccountCode InvestmentAccountName InvestmentCurrency "
        "InvestmentCurrencyDescription ModifierFullName Notes ParentCode ParentDescription "
        "PictureFileName PrimaryMethodCode PrimaryMethodDescription Type"
    ),
    time="Created DepreciatedStartDate EndDate InvestmentDate Modified StartDate",
    double=(
        "CatalogueValue DeductionPercentage DepreciatedAmount InvestmentAmountDC InvestmentAmountFC "
        "ResidualValue"
    ),
    int32="DepreciatedPeriods Division TransactionEntryNo",
    int16="EngineEmission EngineType InvestmentDeduction Status",
    byte="AlreadyDepreciated",
    binary="Picture",
    many="CommercialBuildingValues",
)
declare(
    "bulk/Financial/GLAccounts",
    like="financial/GLAccounts",
    key="ID",
    page=1000,
)
declare(
    "bulk/Financial/GLClassifications",
    like="financial/GLClassifications",
    key="ID",
    page=1000,
)
declare(
    "bulk/Financial/TransactionLines",
    like="financialtransaction/TransactionLines",
    key="ID",
    page=1000,
)
declare(
    "sync/Financial/TransactionLines",
    like="financialtransaction/TransactionLines",
    without="ShopOrder",
    key="ID",
    page=1000,
    scope="Financial accounting",
    int64="Timestamp",
)
declare(
    "sync/Financial/GLAccounts",
    like="financial/GLAccounts",
    key="ID",
    page=1000,
    scope="Financial generalledgers",
    int64="Timestamp",
)
declare(
    "sync/Financial/GLClassifications",
    like="financial/GLClassifications",
    key="ID",
    page=1000,
    scope="Financial generalledgers",
    int64="Timestamp",
)
