"""Entities: companies, users, small master data and the webhook side.

Names and types are those of the vendor's REST reference.
"""

from __future__ import annotations

from tests.sandbox.exact_online.shapes.shape import declare

declare(
    "current/Me",
    key="UserID",
    guid="UserID DivisionCustomer EmployeeID",
    text=(
        "CustomerCode DivisionCustomerCode DivisionCustomerName DivisionCustomerSiretNumber "
        "DivisionCustomerVatNumber Email FirstName FullName Gender Initials Language LanguageCode "
        "LastName MiddleName Mobile Nationality PackageCode Phone PhoneExtension PictureUrl "
        "ServerTime ThumbnailPictureFormat Title UserName"
    ),
    double="ServerUtcOffset",
    boolean=(
        "IsClientUser IsEmployeeSelfServiceUser IsMyFirmLiteUser IsMyFirmPortalUser "
        "IsOEIMigrationMandatory IsStarterUser"
    ),
    int32="AccountingDivision CurrentDivision DossierDivision",
    int64="Legislation",
    binary="ThumbnailPicture",
)
declare(
    "system/Divisions",
    key="Code",
    scope="Organization administration",
    guid="Creator Customer Modifier",
    text=(
        "AddressLine1 AddressLine2 AddressLine3 BusinessTypeCode BusinessTypeDescription "
        "ChamberOfCommerceEstablishment ChamberOfCommerceNumber City CompanySizeCode "
        "CompanySizeDescription Country CreatorFullName Currency CustomerCode CustomerName "
        "DatevAccountantNumber DatevClientNumber Description Email Fax Legislation ModifierFullName "
        "OBNumber Phone Postcode SbiCode SbiDescription SectorCode SectorDescription SiretNumber "
        "State SubsectorCode SubsectorDescription TaxOfficeNumber TaxReferenceNumber TemplateCode "
        "VATNumber Website"
    ),
    time="ArchiveDate Created DivisionHRLinkUnlinkDate DivisionMoveDate Modified StartDate",
    double="ShareCapital",
    boolean="Current IsDossierDivision IsHRDivision IsMainDivision IsPracticeDivision",
    int32="Code BlockingStatus Status",
    int64="Hid",
    complex_="Class_01 Class_02 Class_03 Class_04 Class_05",
)
declare(
    "system/AllDivisions",
    like="system/Divisions",
    key="Code",
    scope="Organization administration",
)
declare(
    "hrm/Divisions",
    key="Code",
    guid="Creator Customer Modifier",
    text=(
        "Country CountryDescription CreatorFullName Currency CurrencyDescription CustomerCode "
        "CustomerName Description ModifierFullName OBNumber SiretNumber TaxOfficeNumber "
        "TaxReferenceNumber TemplateCode VATNumber Website"
    ),
    time="ArchiveDate Created Modified StartDate",
    boolean="Main",
    int32="Code BlockingStatus",
    int16="Status",
    int64="HID",
    complex_="Class_01 Class_02 Class_03 Class_04 Class_05",
)
declare(
    "hrm/Costcenters",
    key="ID",
    scope="Financial costcenters",
    guid="ID Creator Modifier",
    text="Code CreatorFullName CustomField Description ModifierFullName",
    time="Created EndDate Modified",
    boolean="Active",
    int32="Division",
)
declare(
    "hrm/Costunits",
    like="hrm/Costcenters",
    without="Active",
    key="ID",
    scope="Financial costcenters",
)
declare(
    "hrm/Departments",
    key="ID",
    scope="Hrm employees",
    guid="ID Creator Modifier",
    text="Code Costcenter CostcenterDescription CreatorFullName Description ModifierFullName Notes",
    time="Created Modified",
    int32="Division",
)
declare(
    "general/Currencies",
    key="Code",
    scope="Financial currencies",
    text="Code Description",
    time="Created Modified",
    double="AmountPrecision PricePrecision",
)
declare(
    "sync/Deleted",
    key="ID",
    page=1000,
    scope="Organization administration",
    guid="DeletedBy EntityKey ID",
    time="DeletedDate",
    int32="Division EntityType",
    int64="Timestamp",
)
declare(
    "read/sync/Sync/SyncTimestamp",
    key="Modified",
    text="API",
    time="Modified",
    int64="TimeStampAsBigInt",
)
declare(
    "webhooks/WebhookSubscriptions",
    key="ID",
    scope="Organization administration",
    guid="ID ClientID Creator UserID",
    text="CallbackURL CreatorFullName Description Topic",
    time="Created",
    int32="Division",
)
declare(
    "customfield/CustomFields",
    key="LinkId PropertyName",
    scope="Organization extensibility",
    guid="LinkId",
    text="BusinessComponentName Caption PropertyName RefersTo Type Value",
)
declare(
    "documents/Documents",
    key="ID",
    scope="Organization documents",
    guid=(
        "ID Account Category Contact ContractID Creator DocumentFolder FinancialTransactionEntryID "
        "Item Modifier Opportunity Project"
    ),
    text=(
        "AccountCode AccountName Body CategoryDescription ContactFullName ContractNumber "
        "CreatorFullName Currency DocumentFolderCode DocumentFolderDescription DocumentViewUrl "
        "ItemCode ItemDescription Language ModifierFullName ProjectCode ProjectDescription Subject "
        "TeamsMeetingId TypeDescription"
    ),
    time="Created DocumentDate ExpiryDate Modified",
    double="AmountFC",
    boolean="HasEmptyBody InheritShare",
    int32="Division HID SalesInvoiceNumber SalesOrderNumber SendMethod ShopOrderNumber Type",
    int16="ProposedEntryStatus ScanServiceStatus",
)
