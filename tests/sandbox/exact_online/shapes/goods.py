"""Entities: items and projects.

Names and types are those of the vendor's REST reference.
"""

from __future__ import annotations

from tests.sandbox.exact_online.shapes.shape import declare

declare(
    "logistics/Items",
    key="ID",
    scope="Logistics items",
    guid=(
        "ID Creator GLCosts GLCostsWorkInProgress GLRevenue GLRevenueWorkInProgress GLStock ItemGroup "
        "Modifier"
    ),
    text=(
        "Barcode Class_01 Class_02 Class_03 Class_04 Class_05 Class_06 Class_07 Class_08 Class_09 "
        "Class_10 Code CostPriceCurrency CreatorFullName CustomField Description ExtraDescription "
        "FreeTextField_01 FreeTextField_02 FreeTextField_03 FreeTextField_04 FreeTextField_05 "
        "FreeTextField_06 FreeTextField_07 FreeTextField_08 FreeTextField_09 FreeTextField_10 "
        "GLCostsCode GLCostsDescription GLCostsWorkInProgressCode GLCostsWorkInProgressDescription "
        "GLRevenueCode GLRevenueDescription GLRevenueWorkInProgressCode "
        "GLRevenueWorkInProgressDescription GLStockCode GLStockDescription ItemGroupCode "
        "ItemGroupDescription ModifierFullName NetWeightUnit Notes PictureName PictureThumbnailUrl "
        "PictureUrl SalesVatCode SalesVatCodeDescription SearchCode StatisticalCode Unit "
        "UnitDescription UnitType"
    ),
    time=(
        "Created EndDate FreeDateField_01 FreeDateField_02 FreeDateField_03 FreeDateField_04 "
        "FreeDateField_05 Modified StartDate"
    ),
    double=(
        "AverageCost BatchQuantity CostPriceNew CostPriceStandard FreeNumberField_01 "
        "FreeNumberField_02 FreeNumberField_03 FreeNumberField_04 FreeNumberField_05 "
        "FreeNumberField_06 FreeNumberField_07 FreeNumberField_08 GrossWeight NetWeight "
        "StandardSalesPrice StatisticalNetWeight StatisticalUnits StatisticalValue Stock"
    ),
    boolean=(
        "FreeBoolField_01 FreeBoolField_02 FreeBoolField_03 FreeBoolField_04 FreeBoolField_05 "
        "IsFractionAllowedItem IsPackageItem IsPurchaseItem IsSalesItem IsSerialItem "
        "IsSerialNumberItem IsStockItem IsSubcontractedItem"
    ),
    int32="AssembledLeadDays Division SecurityLevel",
    byte=(
        "CopyRemarks IsBatchItem IsBatchNumberItem IsMakeItem IsNewContract IsOnDemandItem "
        "IsRegistrationCodeItem IsTaxableItem IsTime IsWebshopItem UseExplosion"
    ),
    binary="Picture",
)
declare(
    "logistics/ItemGroups",
    key="ID",
    scope="Logistics items",
    guid=(
        "ID Creator GLCosts GLCostsWorkInProgress GLPurchaseAccount GLPurchasePriceDifference "
        "GLRevenue GLRevenueWorkInProgress GLStock GLStockVariance Modifier"
    ),
    text=(
        "Code CreatorFullName Description GLCostsCode GLCostsDescription GLCostsWorkInProgressCode "
        "GLCostsWorkInProgressDescription GLPurchaseAccountCode GLPurchaseAccountDescription "
        "GLPurchasePriceDifferenceCode GLPurchasePriceDifferenceDescr GLRevenueCode "
        "GLRevenueDescription GLRevenueWorkInProgressCode GLRevenueWorkInProgressDescription "
        "GLStockCode GLStockDescription GLStockVarianceCode GLStockVarianceDescription "
        "ModifierFullName Notes"
    ),
    time="Created Modified",
    int32="Division",
    byte="IsDefault",
)
declare(
    "logistics/Units",
    key="ID",
    scope="Logistics items",
    guid="ID",
    text="Code Description TimeUnit Type",
    boolean="Active",
    int32="Division",
    byte="Main",
)
declare(
    "project/Projects",
    key="ID",
    scope="Projects projects",
    guid=(
        "ID Account AccountContact Classification Creator FixedPriceItem InvoiceAddress Manager "
        "Modifier PrepaidItem SourceQuotation"
    ),
    text=(
        "AccountCode AccountName BudgetTypeDescription ClassificationDescription Code CreatorFullName "
        "CustomerPOnumber CustomField Description DivisionName FixedPriceItemDescription "
        "InternalNotes InvoiceDescription ManagerFullname ModifierFullName Notes PaymentCondition "
        "PrepaidItemDescription PrepaidTypeDescription TypeDescription"
    ),
    time="Created EndDate Modified StartDate",
    double=(
        "BudgetedAmount BudgetedCosts BudgetedRevenue CostsAmountFC MarkupPercentage "
        "SalesTimeQuantity TimeQuantityToAlert"
    ),
    boolean=(
        "AllowAdditionalInvoicing AllowMemberEntryOnly BlockEntry BlockInvoicing BlockPlanning "
        "BlockPurchasing BlockRebilling EnableWorkInProgress HasWBSLines "
        "IncludeSpecificationInInvoicePdf InvoiceAsQuoted UseBillingMilestones"
    ),
    int32="Division Type",
    int16="BudgetType IncludeInvoiceSpecification PrepaidType",
    byte="BudgetOverrunHours IsWBSRequiredForEntry",
    many=(
        "BudgetedHoursPerHourType InvoiceTerms ProjectRestrictionEmployees ProjectRestrictionItems "
        "ProjectRestrictionRebillings"
    ),
)
declare(
    "project/TimeTransactions",
    key="ID",
    scope="Projects billing",
    guid=(
        "ID Account Activity Attachment Creator Employee Item Modifier Project ProjectAccount "
        "Subscription SubscriptionAccount"
    ),
    text=(
        "AccountName ActivityDescription CreatorFullName Currency CustomField DivisionDescription "
        "ErrorText ItemDescription ModifierFullName Notes ProjectAccountCode ProjectAccountName "
        "ProjectCode ProjectDescription SubscriptionAccountCode SubscriptionAccountName "
        "SubscriptionDescription"
    ),
    time="Created Date EndTime Modified StartTime",
    double="Amount AmountFC Price PriceFC Quantity",
    boolean="ItemDivisable SkipValidation",
    int32="Division EntryNumber SubscriptionNumber",
    int16="HourStatus Type",
)
declare(
    "bulk/Logistics/Items",
    like="logistics/Items",
    key="ID",
    page=1000,
)
declare(
    "sync/Logistics/Items",
    like="logistics/Items",
    without="IsBatchNumberItem IsSerialNumberItem StandardSalesPrice",
    key="ID",
    page=1000,
    scope="Logistics items",
    int64="Timestamp",
)
declare(
    "sync/Project/Projects",
    like="project/Projects",
    without=(
        "BudgetedHoursPerHourType InvoiceTerms ProjectRestrictionEmployees ProjectRestrictionItems "
        "ProjectRestrictionRebillings"
    ),
    key="ID",
    page=1000,
    scope="Projects projects",
    int64="Timestamp",
)
declare(
    "sync/Project/TimeCostTransactions",
    like="project/TimeTransactions",
    without="Activity ActivityDescription Amount Price SkipValidation",
    key="ID",
    page=1000,
    scope="Projects billing",
    guid="WBS",
    text="WBSDescription",
    int64="Timestamp",
)
