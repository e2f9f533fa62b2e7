"""Entities: relations, their contacts, addresses and bank accounts.

Names and types are those of the vendor's REST reference.
"""

from __future__ import annotations

from tests.sandbox.exact_online.shapes.shape import declare

declare(
    "crm/Accounts",
    key="ID",
    scope="Crm accounts",
    guid=(
        "ID Accountant AccountManager ActivitySector ActivitySubSector BRIN BusinessType "
        "Classification1 Classification2 Classification3 Classification4 Classification5 "
        "Classification6 Classification7 Classification8 CompanySize Creator Document "
        "GLAccountPurchase GLAccountSales GLAP GLAR InvoiceAccount LeadPurpose LeadSource MainContact "
        "Modifier Parent PriceList Reseller SalesTaxSchedule ShippingMethod"
    ),
    text=(
        "AccountManagerFullName AddressLine1 AddressLine2 AddressLine3 BSN ChamberOfCommerce City "
        "Classification ClassificationDescription Code CodeAtSupplier Costcenter "
        "CostcenterDescription Country CountryName CreatorFullName Currency CustomField "
        "DatevCreditorCode DatevDebtorCode DunsNumber Email EORINumber Fax GlnNumber "
        "IncotermAddressPurchase IncotermAddressSales IncotermCodePurchase IncotermCodeSales "
        "IntraStatArea IntraStatDeliveryTerm IntraStatSystem IntraStatTransactionA "
        "IntraStatTransactionB IntraStatTransportMethod InvoiceAccountCode InvoiceAccountName "
        "Language LanguageDescription LogoFileName LogoThumbnailUrl LogoUrl ModifierFullName Name "
        "OINNumber PayAsYouEarn PaymentConditionPurchase PaymentConditionPurchaseDescription "
        "PaymentConditionSales PaymentConditionSalesDescription PeppolIdentifier Phone PhoneExtension "
        "Postcode PurchaseCurrency PurchaseCurrencyDescription PurchaseVATCode "
        "PurchaseVATCodeDescription Remarks ResellerCode ResellerName RSIN SalesCurrency "
        "SalesCurrencyDescription SalesTaxScheduleCode SalesTaxScheduleDescription SalesVATCode "
        "SalesVATCodeDescription SearchCode State StateName Status TradeName Type "
        "UniqueTaxpayerReference VATLiability VATNumber Website"
    ),
    time="ControlledDate Created CustomerSince EndDate EstablishedDate Modified StartDate StatusSince",
    double="CreditLinePurchase CreditLineSales DiscountPurchase DiscountSales Latitude Longitude",
    boolean=(
        "Blocked CanDropShip EnableSalesPaymentLink HasWithholdingTaxSales IgnoreDatevWarningMessage "
        "IsBank IsExtraDuty IsMember IsPilot IsPurchase IsReseller IsSales IsSupplier "
        "RecepientOfCommissions ShowRemarkForSales"
    ),
    int32=(
        "AccountManagerHID Division InvoiceAttachmentType InvoicingMethod PeppolIdentifierType "
        "PurchaseLeadDays SecurityLevel ShippingLeadDays"
    ),
    int16="IncotermVersionPurchase IncotermVersionSales",
    byte=(
        "AddressSource AutomaticProcessProposedEntry ConsolidationScenario CostPaid DeliveryAdvice "
        "IsAccountant IsAgency IsAnonymised IsCompetitor IsMailing SeparateInvPerProject "
        "SeparateInvPerSubscription Source"
    ),
    binary="Logo",
    many="BankAccounts",
)
declare(
    "crm/Contacts",
    key="ID",
    scope="Crm accounts",
    guid=(
        "ID Account AccountMainContact Creator IdentificationDocument IdentificationUser LeadPurpose "
        "LeadSource Modifier Person"
    ),
    text=(
        "AccountName AddressLine2 AddressStreet AddressStreetNumber AddressStreetNumberSuffix "
        "BirthName BirthNamePrefix BirthPlace BusinessEmail BusinessFax BusinessMobile BusinessPhone "
        "BusinessPhoneExtension City Code Country CreatorFullName CustomField Email FirstName "
        "FullName Gender Initials JobTitleDescription Language LastName MarketingNotes MiddleName "
        "Mobile ModifierFullName Nationality Notes PartnerName PartnerNamePrefix Phone PhoneExtension "
        "PictureName PictureThumbnailUrl PictureUrl Postcode SocialSecurityNumber State Title "
        "TitleAbbreviation TitleDescription"
    ),
    time="BirthDate Created EndDate IdentificationDate Modified StartDate",
    boolean="AccountIsCustomer AccountIsSupplier IsMailingExcluded IsMainContact",
    int32="AllowMailing Division HID",
    byte="IsAnonymised",
    binary="Picture",
)
declare(
    "crm/Addresses",
    key="ID",
    scope="Crm accounts",
    guid="ID Account Contact Creator Modifier Warehouse",
    text=(
        "AccountName AddressLine1 AddressLine2 AddressLine3 City ContactName Country CountryName "
        "CreatorFullName CustomField Fax FreeTextField_01 FreeTextField_02 FreeTextField_03 "
        "FreeTextField_04 FreeTextField_05 Mailbox ModifierFullName NicNumber Notes Phone "
        "PhoneExtension Postcode State StateDescription WarehouseCode WarehouseDescription"
    ),
    time=(
        "Created FreeDateField_01 FreeDateField_02 FreeDateField_03 FreeDateField_04 FreeDateField_05 "
        "Modified"
    ),
    double="FreeNumberField_01 FreeNumberField_02 FreeNumberField_03 FreeNumberField_04 FreeNumberField_05",
    boolean=(
        "AccountIsSupplier FreeBoolField_01 FreeBoolField_02 FreeBoolField_03 FreeBoolField_04 "
        "FreeBoolField_05 Main"
    ),
    int32="Division",
    int16="Type",
    byte="Source",
)
declare(
    "crm/BankAccounts",
    key="ID",
    scope="Crm accounts",
    guid="ID Account Bank Creator Modifier PaymentServiceAccount",
    text=(
        "AccountName BankAccount BankAccountHolderName BankDescription BankName BICCode "
        "CreatorFullName Description Format IBAN ModifierFullName Type TypeDescription"
    ),
    time="Created Modified",
    boolean="Blocked Main",
    int32="Division",
)
declare(
    "bulk/CRM/Accounts",
    like="crm/Accounts",
    key="ID",
    page=1000,
)
declare(
    "bulk/CRM/Contacts",
    like="crm/Contacts",
    key="ID",
    page=1000,
)
declare(
    "sync/CRM/Accounts",
    like="crm/Accounts",
    key="ID",
    page=1000,
    scope="Crm accounts",
    int64="Timestamp",
)
declare(
    "sync/CRM/Contacts",
    like="crm/Contacts",
    key="ID",
    page=1000,
    scope="Crm accounts",
    int64="Timestamp",
)
declare(
    "sync/CRM/Addresses",
    like="crm/Addresses",
    key="ID",
    page=1000,
    scope="Crm accounts",
    int64="Timestamp",
)
