"""Entities: invoices, entries and orders.

Names and types are those of the vendor's REST reference.
"""

from __future__ import annotations

from tests.sandbox.exact_online.shapes.shape import declare

declare(
    "purchase/PurchaseInvoices",
    key="ID",
    scope="Purchase invoices",
    guid="ID ContactPerson Document Supplier Warehouse",
    text="Currency Description Journal PaymentCondition PaymentReference Remarks YourRef",
    time="DueDate InvoiceDate Modified",
    double=(
        "Amount AmountDC AmountDiscount AmountDiscountExclVat AmountFCExclVat Discount ExchangeRate VATAmount"
    ),
    int32="EntryNumber",
    int16="FinancialPeriod FinancialYear Source Status Type",
    many="PurchaseInvoiceLines",
)
declare(
    "purchase/PurchaseInvoiceLines",
    key="ID",
    scope="Purchase invoices",
    guid="ID Expense InvoiceID Item Project PurchaseOrderLine",
    text=(
        "CostCenter CostUnit Currency CustomField Description ExpenseDescription ItemUnit Notes Unit VATCode"
    ),
    time="Modified",
    double=(
        "Amount AmountDC Discount NetPrice Quantity QuantityInDefaultUnits UnitPrice VATAmount VATPercentage"
    ),
    boolean="Rebill",
    int32="LineNumber",
    int16="InvoiceType",
)
declare(
    "purchaseentry/PurchaseEntries",
    key="EntryID",
    scope="Financial accounting",
    guid="EntryID Creator Document Modifier Supplier",
    text=(
        "CreatorFullName Currency CustomField Description DocumentSubject ExternalLinkDescription "
        "ExternalLinkReference Journal JournalDescription ModifierFullName PaymentCondition "
        "PaymentConditionDescription PaymentConditionPaymentMethod PaymentReference StatusDescription "
        "SupplierName TypeDescription YourRef"
    ),
    time="Created DueDate EntryDate Modified",
    double="AmountDC AmountFC GAccountAmountFC Rate VATAmountDC VATAmountFC",
    boolean="Reversal",
    int32="BatchNumber Division DocumentNumber EntryNumber InvoiceNumber OrderNumber ProcessNumber Type",
    int16="ReportingPeriod ReportingYear Status",
    many="PurchaseEntryLines",
)
declare(
    "purchaseentry/PurchaseEntryLines",
    key="ID",
    scope="Financial accounting",
    guid="ID Asset EntryID Expense GLAccount Project Subscription TrackingNumber",
    text=(
        "AssetDescription CostCenter CostCenterDescription CostUnit CostUnitDescription CustomField "
        "Description ExpenseDescription GLAccountCode GLAccountDescription IntraStatArea "
        "IntraStatCountry IntraStatDeliveryTerm IntraStatTransactionA IntraStatTransactionB "
        "IntraStatTransportMethod Notes ProjectDescription SerialNumber StatisticalNumber "
        "SubscriptionDescription TrackingNumberDescription VATCode VATCodeDescription WithholdingTax"
    ),
    time="From To",
    double=(
        "AmountDC AmountFC PrivateUsePercentage Quantity StatisticalNetWeight StatisticalQuantity "
        "StatisticalValue VATAmountDC VATAmountFC VATBaseAmountDC VATBaseAmountFC "
        "VATNonDeductiblePercentage VATPercentage WithholdingAmountDC"
    ),
    int32="Division LineNumber Type",
)
declare(
    "salesinvoice/SalesInvoices",
    key="InvoiceID",
    scope="Sales invoices",
    guid=(
        "InvoiceID Creator DeliverTo DeliverToAddress DeliverToContactPerson Document InvoiceTo "
        "InvoiceToContactPerson Modifier OrderedBy OrderedByContactPerson SalesChannel Salesperson "
        "SelectionCode ShippingMethod TaxSchedule Warehouse"
    ),
    text=(
        "CreatorFullName Currency DeliverToContactPersonFullName DeliverToName Description "
        "DocumentSubject IncotermAddress IncotermCode InvoiceToContactPersonFullName InvoiceToName "
        "Journal JournalDescription ModifierFullName OrderedByContactPersonFullName OrderedByName "
        "PaymentCondition PaymentConditionDescription PaymentReference Remarks SalesChannelCode "
        "SalesChannelDescription SalespersonFullName SelectionCodeCode SelectionCodeDescription "
        "ShippingMethodCode ShippingMethodDescription StarterSalesInvoiceStatusDescription "
        "StatusDescription TaxScheduleCode TaxScheduleDescription TypeDescription YourRef"
    ),
    time="Created DueDate InvoiceDate Modified OrderDate",
    double=(
        "AmountDC AmountDiscount AmountDiscountExclVat AmountFC AmountFCExclVat Discount "
        "ExtraDutyAmountFC GAccountAmountFC VATAmountDC VATAmountFC WithholdingTaxAmountFC "
        "WithholdingTaxBaseAmount WithholdingTaxPercentage"
    ),
    boolean="IsExtraDuty",
    int32="Division DocumentNumber InvoiceNumber OrderNumber Type",
    int16="DiscountType IncotermVersion StarterSalesInvoiceStatus Status",
    many="SalesInvoiceLines SalesInvoiceOrderChargeLines",
)
declare(
    "salesinvoice/SalesInvoiceLines",
    key="ID",
    scope="Sales invoices",
    guid=(
        "ID Employee GLAccount InvoiceID Item Pricelist Project ProjectWBS SalesOrder SalesOrderLine "
        "Subscription TaxSchedule"
    ),
    text=(
        "CostCenter CostCenterDescription CostUnit CostUnitDescription CustomerItemCode CustomField "
        "Description EmployeeFullName GLAccountDescription ItemCode ItemDescription Notes "
        "PricelistDescription ProjectDescription ProjectWBSDescription SubscriptionDescription "
        "TaxScheduleCode TaxScheduleDescription UnitCode UnitDescription VATCode VATCodeDescription"
    ),
    time="DeliveryDate EndTime StartTime",
    double=(
        "AmountDC AmountFC Discount ExtraDutyAmountFC ExtraDutyPercentage NetPrice Quantity UnitPrice "
        "VATAmountDC VATAmountFC VATPercentage"
    ),
    int32="Division LineNumber SalesOrderLineNumber SalesOrderNumber",
)
declare(
    "salesentry/SalesEntries",
    like="purchaseentry/PurchaseEntries",
    without="PurchaseEntryLines Supplier SupplierName",
    key="EntryID",
    scope="Financial accounting",
    guid="Customer",
    text="CustomerName",
    double="WithholdingTaxAmountDC WithholdingTaxBaseAmount WithholdingTaxPercentage",
    boolean="IsExtraDuty",
    many="SalesEntryLines",
)
declare(
    "salesentry/SalesEntryLines",
    like="purchaseentry/PurchaseEntryLines",
    without=(
        "Expense ExpenseDescription PrivateUsePercentage VATNonDeductiblePercentage "
        "WithholdingAmountDC WithholdingTax"
    ),
    key="ID",
    scope="Financial accounting",
    guid="ProjectWBS TaxSchedule",
    text="ProjectWBSDescription",
    double="ExtraDutyAmountFC ExtraDutyPercentage",
)
declare(
    "purchaseorder/PurchaseOrders",
    key="PurchaseOrderID",
    scope="Purchase orders",
    guid=(
        "PurchaseOrderID Approver Creator DeliveryAccount DeliveryAddress DeliveryContact Document "
        "Modifier PurchaseAgent SalesOrder SelectionCode ShippingMethod Supplier SupplierContact "
        "Warehouse"
    ),
    text=(
        "ApprovalStatusDescription ApproverFullName CreatorFullName Currency DeliveryAccountCode "
        "DeliveryAccountName DeliveryContactPersonFullName Description DocumentSubject "
        "IncotermAddress IncotermCode ModifierFullName PaymentCondition PaymentConditionDescription "
        "PurchaseAgentFullName Remarks SelectionCodeCode SelectionCodeDescription ShippingMethodCode "
        "ShippingMethodDescription SupplierCode SupplierContactPersonFullName SupplierName "
        "WarehouseCode WarehouseDescription YourRef"
    ),
    time="Approved Created Modified OrderDate ReceiptDate",
    double=(
        "AmountDC AmountDiscount AmountDiscountExclVat AmountFC AmountFCExclVat Discount ExchangeRate "
        "VATAmount"
    ),
    boolean="DropShipment",
    int32=(
        "Division InvoiceStatus OrderNumber OrderStatus PurchaseOrderLineCount ReceiptStatus SalesOrderNumber"
    ),
    int16="ApprovalStatus IncotermVersion Source",
    many="PurchaseOrderLines",
)
declare(
    "salesorder/SalesOrders",
    key="OrderID",
    scope="Sales orders",
    guid=(
        "OrderID Approver Creator DeliverTo DeliverToContactPerson DeliveryAddress Document InvoiceTo "
        "InvoiceToContactPerson Modifier OrderedBy OrderedByContactPerson SalesChannel Salesperson "
        "SelectionCode ShippingMethod TaxSchedule WarehouseID"
    ),
    text=(
        "ApprovalStatusDescription ApproverFullName CreatorFullName Currency CustomField "
        "DeliverToContactPersonFullName DeliverToName DeliveryStatusDescription Description "
        "DocumentSubject IncotermAddress IncotermCode InvoiceStatusDescription "
        "InvoiceToContactPersonFullName InvoiceToName ModifierFullName OrderedByContactPersonFullName "
        "OrderedByName PaymentCondition PaymentConditionDescription PaymentReference Remarks "
        "SalesChannelCode SalesChannelDescription SalespersonFullName SelectionCodeCode "
        "SelectionCodeDescription ShippingMethodDescription StatusDescription TaxScheduleCode "
        "TaxScheduleDescription WarehouseCode WarehouseDescription YourRef"
    ),
    time="Approved Created DeliveryDate Modified OrderDate",
    double="AmountDC AmountDiscount AmountDiscountExclVat AmountFC AmountFCExclVat Discount",
    int32="Division DocumentNumber OrderNumber",
    int16="ApprovalStatus DeliveryStatus IncotermVersion InvoiceStatus Status",
    many="SalesOrderLines SalesOrderOrderChargeLines",
)
declare(
    "bulk/SalesInvoice/SalesInvoices",
    like="salesinvoice/SalesInvoices",
    without="SalesInvoiceOrderChargeLines",
    key="InvoiceID",
    page=1000,
)
declare(
    "bulk/SalesInvoice/SalesInvoiceLines",
    like="salesinvoice/SalesInvoiceLines",
    key="ID",
    page=1000,
    scope="Sales invoices",
)
declare(
    "sync/SalesInvoice/SalesInvoices",
    key="ID",
    page=1000,
    scope="Sales invoices",
    guid=(
        "Creator DeliverTo DeliverToAddress DeliverToContactPerson Document Employee GLAccount ID "
        "InvoiceID InvoiceTo InvoiceToContactPerson Item Modifier OrderedBy OrderedByContactPerson "
        "Pricelist Project ProjectWBS SalesChannel SalesOrder SalesOrderLine Salesperson Subscription "
        "TaxSchedule Warehouse"
    ),
    text=(
        "CostCenter CostCenterDescription CostUnit CostUnitDescription CreatorFullName Currency "
        "CustomerItemCode CustomField DeliverToContactPersonFullName DeliverToName Description "
        "DocumentSubject EmployeeFullName GLAccountDescription IncotermAddress IncotermCode "
        "InvoiceToContactPersonFullName InvoiceToName ItemCode ItemDescription Journal "
        "JournalDescription ModifierFullName Notes OrderedByContactPersonFullName OrderedByName "
        "PaymentCondition PaymentConditionDescription PaymentReference PricelistDescription "
        "ProjectDescription ProjectWBSDescription Remarks SalesChannelCode SalesChannelDescription "
        "SalespersonFullName StarterSalesInvoiceStatusDescription StatusDescription "
        "SubscriptionDescription TaxScheduleCode TaxScheduleDescription TypeDescription UnitCode "
        "UnitDescription VATCode VATCodeDescription YourRef"
    ),
    time="Created DeliveryDate DueDate EndTime InvoiceDate Modified OrderDate StartTime",
    double=(
        "AmountDC AmountDiscount AmountDiscountExclVat AmountFC AmountFCExclVat Discount "
        "ExtraDutyAmountFC ExtraDutyPercentage GAccountAmountFC NetPrice Quantity UnitPrice "
        "VATAmountDC VATAmountFC VATPercentage WithholdingTaxAmountFC WithholdingTaxBaseAmount "
        "WithholdingTaxPercentage"
    ),
    boolean="IsExtraDuty",
    int32=(
        "Division DocumentNumber InvoiceNumber LineNumber OrderNumber SalesOrderLineNumber "
        "SalesOrderNumber Type"
    ),
    int16="DiscountType IncotermVersion StarterSalesInvoiceStatus Status",
    int64="Timestamp",
)
declare(
    "sync/PurchaseOrder/PurchaseOrders",
    key="ID",
    page=1000,
    scope="Purchase orders",
    guid=(
        "Approver CostCenter CostUnit Creator DeliveryAccount DeliveryAddress DeliveryContact "
        "Document Expense ID Item Modifier Project PurchaseAgent PurchaseOrderID SalesOrder "
        "SalesOrderLine SelectionCode ShippingMethod Supplier SupplierContact Warehouse"
    ),
    text=(
        "ApprovalStatusDescription ApproverFullName CostCenterCode CostCenterDescription CostUnitCode "
        "CostUnitDescription CreatorFullName Currency CustomField DeliveryAccountCode "
        "DeliveryAccountName DeliveryContactPersonFullName Description DocumentSubject "
        "ExpenseDescription IncotermAddress IncotermCode ItemBarcode ItemCode ItemDescription "
        "ModifierFullName Notes PaymentCondition PaymentConditionDescription ProjectCode "
        "ProjectDescription PurchaseAgentFullName Remarks SelectionCodeCode SelectionCodeDescription "
        "ShippingMethodCode ShippingMethodDescription SupplierCode SupplierContactPersonFullName "
        "SupplierItemCode SupplierName Unit UnitDescription VATCode VATDescription WarehouseCode "
        "WarehouseDescription YourRef"
    ),
    time="Approved Created Modified OrderDate ReceiptDate",
    double=(
        "AmountDC AmountDiscount AmountDiscountExclVat AmountFC AmountFCExclVat Discount ExchangeRate "
        "InvoicedQuantity NetPrice Quantity QuantityInPurchaseUnits ReceivedQuantity UnitPrice "
        "VATAmount VATPercentage"
    ),
    boolean="DropShipment ItemDivisable Rebill",
    int32=(
        "Division DocumentNumber InvoiceStatus LineNumber OrderNumber OrderStatus ReceiptStatus "
        "SalesOrderLineNumber SalesOrderNumber SendingMethod"
    ),
    int16="ApprovalStatus IncotermVersion Source",
    byte="IsBatchNumberItem IsSerialNumberItem SupplierItemCopyRemarks",
    int64="Timestamp",
)
