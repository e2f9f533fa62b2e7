"""Properties of divisions, relations, items and documents, and the list of deleted rows.

Names and types from the vendor's REST reference (HlpRestAPIResources.aspx), as of April 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_exact_online.streams.properties import properties

if TYPE_CHECKING:
    from collections.abc import Mapping

# fmt: off
RELATIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "system/Divisions": properties(
        big="Hid",
        guid="Creator Customer Modifier",
        text="AddressLine1 AddressLine2 AddressLine3 BusinessTypeCode BusinessTypeDescription "
             "ChamberOfCommerceEstablishment ChamberOfCommerceNumber City CompanySizeCode CompanySizeDescription "
             "Country CreatorFullName Currency CustomerCode CustomerName DatevAccountantNumber DatevClientNumber "
             "Description Email Fax Legislation ModifierFullName OBNumber Phone Postcode SbiCode SbiDescription "
             "SectorCode SectorDescription SiretNumber State SubsectorCode SubsectorDescription TaxOfficeNumber "
             "TaxReferenceNumber TemplateCode VATNumber Website",
        decimal="ShareCapital",
        whole="Code BlockingStatus Status",
        flag="Current IsDossierDivision IsHRDivision IsMainDivision IsPracticeDivision",
        date="ArchiveDate StartDate",
        time="Created DivisionHRLinkUnlinkDate DivisionMoveDate Modified",
    ),
    "sync/CRM/Accounts": properties(
        big="Timestamp",
        guid="Accountant AccountManager ActivitySector ActivitySubSector BRIN BusinessType Classification1 "
             "Classification2 Classification3 Classification4 Classification5 Classification6 Classification7 "
             "Classification8 CompanySize Creator Document GLAccountPurchase GLAccountSales GLAP GLAR ID "
             "InvoiceAccount LeadPurpose LeadSource MainContact Modifier Parent PriceList Reseller "
             "SalesTaxSchedule ShippingMethod",
        text="AccountManagerFullName AddressLine1 AddressLine2 AddressLine3 BSN ChamberOfCommerce City "
             "Classification ClassificationDescription Code CodeAtSupplier Costcenter CostcenterDescription "
             "Country CountryName CreatorFullName Currency CustomField DatevCreditorCode DatevDebtorCode "
             "DunsNumber Email EORINumber Fax GlnNumber IncotermAddressPurchase IncotermAddressSales "
             "IncotermCodePurchase IncotermCodeSales IntraStatArea IntraStatDeliveryTerm IntraStatSystem "
             "IntraStatTransactionA IntraStatTransactionB IntraStatTransportMethod InvoiceAccountCode "
             "InvoiceAccountName Language LanguageDescription LogoFileName LogoThumbnailUrl LogoUrl "
             "ModifierFullName Name OINNumber PayAsYouEarn PaymentConditionPurchase "
             "PaymentConditionPurchaseDescription PaymentConditionSales PaymentConditionSalesDescription "
             "PeppolIdentifier Phone PhoneExtension Postcode PurchaseCurrency PurchaseCurrencyDescription "
             "PurchaseVATCode PurchaseVATCodeDescription Remarks ResellerCode ResellerName RSIN SalesCurrency "
             "SalesCurrencyDescription SalesTaxScheduleCode SalesTaxScheduleDescription SalesVATCode "
             "SalesVATCodeDescription SearchCode State StateName Status TradeName Type UniqueTaxpayerReference "
             "VATLiability VATNumber Website",
        decimal="CreditLinePurchase CreditLineSales DiscountPurchase DiscountSales Latitude Longitude",
        whole="AccountManagerHID AddressSource AutomaticProcessProposedEntry ConsolidationScenario CostPaid "
              "DeliveryAdvice Division IncotermVersionPurchase IncotermVersionSales InvoiceAttachmentType "
              "InvoicingMethod IsAccountant IsAgency IsAnonymised IsCompetitor IsMailing PeppolIdentifierType "
              "PurchaseLeadDays SecurityLevel SeparateInvPerProject SeparateInvPerSubscription ShippingLeadDays "
              "Source",
        flag="Blocked CanDropShip EnableSalesPaymentLink HasWithholdingTaxSales IgnoreDatevWarningMessage IsBank "
             "IsExtraDuty IsMember IsPilot IsPurchase IsReseller IsSales IsSupplier RecepientOfCommissions "
             "ShowRemarkForSales",
        date="ControlledDate CustomerSince EndDate EstablishedDate StartDate StatusSince",
        time="Created Modified",
        binary="Logo",
    ),
    "sync/CRM/Contacts": properties(
        big="Timestamp",
        guid="Account AccountMainContact Creator ID IdentificationDocument IdentificationUser LeadPurpose "
             "LeadSource Modifier Person",
        text="AccountName AddressLine2 AddressStreet AddressStreetNumber AddressStreetNumberSuffix BirthName "
             "BirthNamePrefix BirthPlace BusinessEmail BusinessFax BusinessMobile BusinessPhone "
             "BusinessPhoneExtension City Code Country CreatorFullName CustomField Email FirstName FullName "
             "Gender Initials JobTitleDescription Language LastName MarketingNotes MiddleName Mobile "
             "ModifierFullName Nationality Notes PartnerName PartnerNamePrefix Phone PhoneExtension PictureName "
             "PictureThumbnailUrl PictureUrl Postcode SocialSecurityNumber State Title TitleAbbreviation "
             "TitleDescription",
        whole="AllowMailing Division HID IsAnonymised",
        flag="AccountIsCustomer AccountIsSupplier IsMailingExcluded IsMainContact",
        date="BirthDate EndDate IdentificationDate StartDate",
        time="Created Modified",
        binary="Picture",
    ),
    "sync/CRM/Addresses": properties(
        big="Timestamp",
        guid="Account Contact Creator ID Modifier Warehouse",
        text="AccountName AddressLine1 AddressLine2 AddressLine3 City ContactName Country CountryName "
             "CreatorFullName CustomField Fax FreeTextField_01 FreeTextField_02 FreeTextField_03 FreeTextField_04 "
             "FreeTextField_05 Mailbox ModifierFullName NicNumber Notes Phone PhoneExtension Postcode State "
             "StateDescription WarehouseCode WarehouseDescription",
        decimal="FreeNumberField_01 FreeNumberField_02 FreeNumberField_03 FreeNumberField_04 FreeNumberField_05",
        whole="Division Source Type",
        flag="AccountIsSupplier FreeBoolField_01 FreeBoolField_02 FreeBoolField_03 FreeBoolField_04 "
             "FreeBoolField_05 Main",
        date="FreeDateField_01 FreeDateField_02 FreeDateField_03 FreeDateField_04 FreeDateField_05",
        time="Created Modified",
    ),
    "sync/Logistics/Items": properties(
        big="Timestamp",
        guid="Creator GLCosts GLCostsWorkInProgress GLRevenue GLRevenueWorkInProgress GLStock ID ItemGroup "
             "Modifier",
        text="Barcode Class_01 Class_02 Class_03 Class_04 Class_05 Class_06 Class_07 Class_08 Class_09 Class_10 "
             "Code CostPriceCurrency CreatorFullName CustomField Description ExtraDescription FreeTextField_01 "
             "FreeTextField_02 FreeTextField_03 FreeTextField_04 FreeTextField_05 FreeTextField_06 "
             "FreeTextField_07 FreeTextField_08 FreeTextField_09 FreeTextField_10 GLCostsCode GLCostsDescription "
             "GLCostsWorkInProgressCode GLCostsWorkInProgressDescription GLRevenueCode GLRevenueDescription "
             "GLRevenueWorkInProgressCode GLRevenueWorkInProgressDescription GLStockCode GLStockDescription "
             "ItemGroupCode ItemGroupDescription ModifierFullName NetWeightUnit Notes PictureName "
             "PictureThumbnailUrl PictureUrl SalesVatCode SalesVatCodeDescription SearchCode StatisticalCode Unit "
             "UnitDescription UnitType",
        decimal="AverageCost BatchQuantity CostPriceNew CostPriceStandard FreeNumberField_01 FreeNumberField_02 "
                "FreeNumberField_03 FreeNumberField_04 FreeNumberField_05 FreeNumberField_06 FreeNumberField_07 "
                "FreeNumberField_08 GrossWeight NetWeight StatisticalNetWeight StatisticalUnits StatisticalValue "
                "Stock",
        whole="AssembledLeadDays CopyRemarks Division IsBatchItem IsMakeItem IsNewContract IsOnDemandItem "
              "IsRegistrationCodeItem IsTaxableItem IsTime IsWebshopItem SecurityLevel UseExplosion",
        flag="FreeBoolField_01 FreeBoolField_02 FreeBoolField_03 FreeBoolField_04 FreeBoolField_05 "
             "IsFractionAllowedItem IsPackageItem IsPurchaseItem IsSalesItem IsSerialItem IsStockItem "
             "IsSubcontractedItem",
        date="EndDate FreeDateField_01 FreeDateField_02 FreeDateField_03 FreeDateField_04 FreeDateField_05 "
             "StartDate",
        time="Created Modified",
        binary="Picture",
    ),
    "logistics/ItemGroups": properties(
        guid="ID Creator GLCosts GLCostsWorkInProgress GLPurchaseAccount GLPurchasePriceDifference GLRevenue "
             "GLRevenueWorkInProgress GLStock GLStockVariance Modifier",
        text="Code CreatorFullName Description GLCostsCode GLCostsDescription GLCostsWorkInProgressCode "
             "GLCostsWorkInProgressDescription GLPurchaseAccountCode GLPurchaseAccountDescription "
             "GLPurchasePriceDifferenceCode GLPurchasePriceDifferenceDescr GLRevenueCode GLRevenueDescription "
             "GLRevenueWorkInProgressCode GLRevenueWorkInProgressDescription GLStockCode GLStockDescription "
             "GLStockVarianceCode GLStockVarianceDescription ModifierFullName Notes",
        whole="Division IsDefault",
        time="Created Modified",
    ),
    "documents/Documents": properties(
        guid="ID Account Category Contact ContractID Creator DocumentFolder FinancialTransactionEntryID Item "
             "Modifier Opportunity Project",
        text="AccountCode AccountName Body CategoryDescription ContactFullName ContractNumber CreatorFullName "
             "Currency DocumentFolderCode DocumentFolderDescription DocumentViewUrl ItemCode ItemDescription "
             "Language ModifierFullName ProjectCode ProjectDescription Subject TeamsMeetingId TypeDescription",
        decimal="AmountFC",
        whole="Division HID ProposedEntryStatus SalesInvoiceNumber SalesOrderNumber ScanServiceStatus SendMethod "
              "ShopOrderNumber Type",
        flag="HasEmptyBody InheritShare",
        date="DocumentDate ExpiryDate",
        time="Created Modified",
    ),
    "sync/Deleted": properties(
        big="Timestamp",
        guid="DeletedBy EntityKey ID",
        whole="Division EntityType",
        time="DeletedDate",
    ),
}
# fmt: on
