"""Properties of invoices, orders and projects.

Names and types from the vendor's REST reference (HlpRestAPIResources.aspx), as of April 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_exact_online.streams.properties import properties

if TYPE_CHECKING:
    from collections.abc import Mapping

# fmt: off
TRADE: Final[Mapping[str, Mapping[str, str]]] = {
    "sync/SalesInvoice/SalesInvoices": properties(
        big="Timestamp",
        guid="Creator DeliverTo DeliverToAddress DeliverToContactPerson Document Employee GLAccount ID InvoiceID "
             "InvoiceTo InvoiceToContactPerson Item Modifier OrderedBy OrderedByContactPerson Pricelist Project "
             "ProjectWBS SalesChannel SalesOrder SalesOrderLine Salesperson Subscription TaxSchedule Warehouse",
        text="CostCenter CostCenterDescription CostUnit CostUnitDescription CreatorFullName Currency "
             "CustomerItemCode CustomField DeliverToContactPersonFullName DeliverToName Description "
             "DocumentSubject EmployeeFullName GLAccountDescription IncotermAddress IncotermCode "
             "InvoiceToContactPersonFullName InvoiceToName ItemCode ItemDescription Journal JournalDescription "
             "ModifierFullName Notes OrderedByContactPersonFullName OrderedByName PaymentCondition "
             "PaymentConditionDescription PaymentReference PricelistDescription ProjectDescription "
             "ProjectWBSDescription Remarks SalesChannelCode SalesChannelDescription SalespersonFullName "
             "StarterSalesInvoiceStatusDescription StatusDescription SubscriptionDescription TaxScheduleCode "
             "TaxScheduleDescription TypeDescription UnitCode UnitDescription VATCode VATCodeDescription YourRef",
        decimal="AmountDC AmountDiscount AmountDiscountExclVat AmountFC AmountFCExclVat Discount "
                "ExtraDutyAmountFC ExtraDutyPercentage GAccountAmountFC NetPrice Quantity UnitPrice VATAmountDC "
                "VATAmountFC VATPercentage WithholdingTaxAmountFC WithholdingTaxBaseAmount "
                "WithholdingTaxPercentage",
        whole="DiscountType Division DocumentNumber IncotermVersion InvoiceNumber LineNumber OrderNumber "
              "SalesOrderLineNumber SalesOrderNumber StarterSalesInvoiceStatus Status Type",
        flag="IsExtraDuty",
        date="DeliveryDate DueDate InvoiceDate OrderDate",
        time="Created EndTime Modified StartTime",
    ),
    "salesinvoice/SalesInvoices": properties(
        guid="InvoiceID Creator DeliverTo DeliverToAddress DeliverToContactPerson Document InvoiceTo "
             "InvoiceToContactPerson Modifier OrderedBy OrderedByContactPerson SalesChannel Salesperson "
             "SelectionCode ShippingMethod TaxSchedule Warehouse",
        text="CreatorFullName Currency DeliverToContactPersonFullName DeliverToName Description DocumentSubject "
             "IncotermAddress IncotermCode InvoiceToContactPersonFullName InvoiceToName Journal "
             "JournalDescription ModifierFullName OrderedByContactPersonFullName OrderedByName PaymentCondition "
             "PaymentConditionDescription PaymentReference Remarks SalesChannelCode SalesChannelDescription "
             "SalespersonFullName SelectionCodeCode SelectionCodeDescription ShippingMethodCode "
             "ShippingMethodDescription StarterSalesInvoiceStatusDescription StatusDescription TaxScheduleCode "
             "TaxScheduleDescription TypeDescription YourRef",
        decimal="AmountDC AmountDiscount AmountDiscountExclVat AmountFC AmountFCExclVat Discount "
                "ExtraDutyAmountFC GAccountAmountFC VATAmountDC VATAmountFC WithholdingTaxAmountFC "
                "WithholdingTaxBaseAmount WithholdingTaxPercentage",
        whole="DiscountType Division DocumentNumber IncotermVersion InvoiceNumber OrderNumber "
              "StarterSalesInvoiceStatus Status Type",
        flag="IsExtraDuty",
        date="DueDate InvoiceDate OrderDate",
        time="Created Modified",
    ),
    "salesinvoice/SalesInvoiceLines": properties(
        guid="ID Employee GLAccount InvoiceID Item Pricelist Project ProjectWBS SalesOrder SalesOrderLine "
             "Subscription TaxSchedule",
        text="CostCenter CostCenterDescription CostUnit CostUnitDescription CustomerItemCode CustomField "
             "Description EmployeeFullName GLAccountDescription ItemCode ItemDescription Notes "
             "PricelistDescription ProjectDescription ProjectWBSDescription SubscriptionDescription "
             "TaxScheduleCode TaxScheduleDescription UnitCode UnitDescription VATCode VATCodeDescription",
        decimal="AmountDC AmountFC Discount ExtraDutyAmountFC ExtraDutyPercentage NetPrice Quantity UnitPrice "
                "VATAmountDC VATAmountFC VATPercentage",
        whole="Division LineNumber SalesOrderLineNumber SalesOrderNumber",
        date="DeliveryDate",
        time="EndTime StartTime",
    ),
    "salesentry/SalesEntries": properties(
        guid="EntryID Creator Customer Document Modifier",
        text="CreatorFullName Currency CustomerName CustomField Description DocumentSubject "
             "ExternalLinkDescription ExternalLinkReference Journal JournalDescription ModifierFullName "
             "PaymentCondition PaymentConditionDescription PaymentConditionPaymentMethod PaymentReference "
             "StatusDescription TypeDescription YourRef",
        decimal="AmountDC AmountFC GAccountAmountFC Rate VATAmountDC VATAmountFC WithholdingTaxAmountDC "
                "WithholdingTaxBaseAmount WithholdingTaxPercentage",
        whole="BatchNumber Division DocumentNumber EntryNumber InvoiceNumber OrderNumber ProcessNumber "
              "ReportingPeriod ReportingYear Status Type",
        flag="IsExtraDuty Reversal",
        date="DueDate EntryDate",
        time="Created Modified",
    ),
    "salesentry/SalesEntryLines": properties(
        guid="ID Asset EntryID GLAccount Project ProjectWBS Subscription TaxSchedule TrackingNumber",
        text="AssetDescription CostCenter CostCenterDescription CostUnit CostUnitDescription CustomField "
             "Description GLAccountCode GLAccountDescription IntraStatArea IntraStatCountry IntraStatDeliveryTerm "
             "IntraStatTransactionA IntraStatTransactionB IntraStatTransportMethod Notes ProjectDescription "
             "ProjectWBSDescription SerialNumber StatisticalNumber SubscriptionDescription "
             "TrackingNumberDescription VATCode VATCodeDescription",
        decimal="AmountDC AmountFC ExtraDutyAmountFC ExtraDutyPercentage Quantity StatisticalNetWeight "
                "StatisticalQuantity StatisticalValue VATAmountDC VATAmountFC VATBaseAmountDC VATBaseAmountFC "
                "VATPercentage",
        whole="Division LineNumber Type",
        date="From To",
    ),
    "purchase/PurchaseInvoices": properties(
        guid="ID ContactPerson Document Supplier Warehouse",
        text="Currency Description Journal PaymentCondition PaymentReference Remarks YourRef",
        decimal="Amount AmountDC AmountDiscount AmountDiscountExclVat AmountFCExclVat Discount ExchangeRate "
                "VATAmount",
        whole="EntryNumber FinancialPeriod FinancialYear Source Status Type",
        date="DueDate InvoiceDate",
        time="Modified",
    ),
    "purchase/PurchaseInvoiceLines": properties(
        guid="ID Expense InvoiceID Item Project PurchaseOrderLine",
        text="CostCenter CostUnit Currency CustomField Description ExpenseDescription ItemUnit Notes Unit VATCode",
        decimal="Amount AmountDC Discount NetPrice Quantity QuantityInDefaultUnits UnitPrice VATAmount "
                "VATPercentage",
        whole="InvoiceType LineNumber",
        flag="Rebill",
        time="Modified",
    ),
    "purchaseentry/PurchaseEntries": properties(
        guid="EntryID Creator Document Modifier Supplier",
        text="CreatorFullName Currency CustomField Description DocumentSubject ExternalLinkDescription "
             "ExternalLinkReference Journal JournalDescription ModifierFullName PaymentCondition "
             "PaymentConditionDescription PaymentConditionPaymentMethod PaymentReference StatusDescription "
             "SupplierName TypeDescription YourRef",
        decimal="AmountDC AmountFC GAccountAmountFC Rate VATAmountDC VATAmountFC",
        whole="BatchNumber Division DocumentNumber EntryNumber InvoiceNumber OrderNumber ProcessNumber "
              "ReportingPeriod ReportingYear Status Type",
        flag="Reversal",
        date="DueDate EntryDate",
        time="Created Modified",
    ),
    "purchaseentry/PurchaseEntryLines": properties(
        guid="ID Asset EntryID Expense GLAccount Project Subscription TrackingNumber",
        text="AssetDescription CostCenter CostCenterDescription CostUnit CostUnitDescription CustomField "
             "Description ExpenseDescription GLAccountCode GLAccountDescription IntraStatArea IntraStatCountry "
             "IntraStatDeliveryTerm IntraStatTransactionA IntraStatTransactionB IntraStatTransportMethod Notes "
             "ProjectDescription SerialNumber StatisticalNumber SubscriptionDescription TrackingNumberDescription "
             "VATCode VATCodeDescription WithholdingTax",
        decimal="AmountDC AmountFC PrivateUsePercentage Quantity StatisticalNetWeight StatisticalQuantity "
                "StatisticalValue VATAmountDC VATAmountFC VATBaseAmountDC VATBaseAmountFC "
                "VATNonDeductiblePercentage VATPercentage WithholdingAmountDC",
        whole="Division LineNumber Type",
        date="From To",
    ),
    "sync/PurchaseOrder/PurchaseOrders": properties(
        big="Timestamp",
        guid="Approver CostCenter CostUnit Creator DeliveryAccount DeliveryAddress DeliveryContact Document "
             "Expense ID Item Modifier Project PurchaseAgent PurchaseOrderID SalesOrder SalesOrderLine "
             "SelectionCode ShippingMethod Supplier SupplierContact Warehouse",
        text="ApprovalStatusDescription ApproverFullName CostCenterCode CostCenterDescription CostUnitCode "
             "CostUnitDescription CreatorFullName Currency CustomField DeliveryAccountCode DeliveryAccountName "
             "DeliveryContactPersonFullName Description DocumentSubject ExpenseDescription IncotermAddress "
             "IncotermCode ItemBarcode ItemCode ItemDescription ModifierFullName Notes PaymentCondition "
             "PaymentConditionDescription ProjectCode ProjectDescription PurchaseAgentFullName Remarks "
             "SelectionCodeCode SelectionCodeDescription ShippingMethodCode ShippingMethodDescription "
             "SupplierCode SupplierContactPersonFullName SupplierItemCode SupplierName Unit UnitDescription "
             "VATCode VATDescription WarehouseCode WarehouseDescription YourRef",
        decimal="AmountDC AmountDiscount AmountDiscountExclVat AmountFC AmountFCExclVat Discount ExchangeRate "
                "InvoicedQuantity NetPrice Quantity QuantityInPurchaseUnits ReceivedQuantity UnitPrice VATAmount "
                "VATPercentage",
        whole="ApprovalStatus Division DocumentNumber IncotermVersion InvoiceStatus IsBatchNumberItem "
              "IsSerialNumberItem LineNumber OrderNumber OrderStatus ReceiptStatus SalesOrderLineNumber "
              "SalesOrderNumber SendingMethod Source SupplierItemCopyRemarks",
        flag="DropShipment ItemDivisable Rebill",
        date="OrderDate ReceiptDate",
        time="Approved Created Modified",
    ),
    "sync/Project/Projects": properties(
        big="Timestamp",
        guid="Account AccountContact Classification Creator FixedPriceItem ID InvoiceAddress Manager Modifier "
             "PrepaidItem SourceQuotation",
        text="AccountCode AccountName BudgetTypeDescription ClassificationDescription Code CreatorFullName "
             "CustomerPOnumber CustomField Description DivisionName FixedPriceItemDescription InternalNotes "
             "InvoiceDescription ManagerFullname ModifierFullName Notes PaymentCondition PrepaidItemDescription "
             "PrepaidTypeDescription TypeDescription",
        decimal="BudgetedAmount BudgetedCosts BudgetedRevenue CostsAmountFC MarkupPercentage SalesTimeQuantity "
                "TimeQuantityToAlert",
        whole="BudgetOverrunHours BudgetType Division IncludeInvoiceSpecification IsWBSRequiredForEntry "
              "PrepaidType Type",
        flag="AllowAdditionalInvoicing AllowMemberEntryOnly BlockEntry BlockInvoicing BlockPlanning "
             "BlockPurchasing BlockRebilling EnableWorkInProgress HasWBSLines IncludeSpecificationInInvoicePdf "
             "InvoiceAsQuoted UseBillingMilestones",
        date="EndDate StartDate",
        time="Created Modified",
    ),
    "sync/Project/TimeCostTransactions": properties(
        big="Timestamp",
        guid="Account Attachment Creator Employee ID Item Modifier Project ProjectAccount Subscription "
             "SubscriptionAccount WBS",
        text="AccountName CreatorFullName Currency CustomField DivisionDescription ErrorText ItemDescription "
             "ModifierFullName Notes ProjectAccountCode ProjectAccountName ProjectCode ProjectDescription "
             "SubscriptionAccountCode SubscriptionAccountName SubscriptionDescription WBSDescription",
        decimal="AmountFC PriceFC Quantity",
        whole="Division EntryNumber HourStatus SubscriptionNumber Type",
        flag="ItemDivisable",
        date="Date",
        time="Created EndTime Modified StartTime",
    ),
}
# fmt: on
