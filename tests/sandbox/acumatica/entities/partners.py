"""Vendors and customers with their contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.shapes import (
    Entity,
    Field,
    Link,
    Shape,
    attr,
    blanks,
    by_name,
    const,
    of_kind,
    switched_off,
    text,
)
from tests.sandbox.acumatica.wire import Kind
from tests.sandbox.company import chart

if TYPE_CHECKING:
    from tests.sandbox.company.model import Address, Customer, Vendor

ADDRESS: Shape[Address] = Shape(
    type_name="Address",
    fields=[
        text("AddressLine1", "line1"),
        text("AddressLine2", "line2"),
        text("City", "city"),
        text("Country", "country"),
        text("PostalCode", "postal_code"),
        text("State", "state"),
        of_kind(Kind.BOOLEAN, "Validated", const(value=False)),
    ],
)
CONTACT: Shape[Any] = Shape(
    type_name="Contact",
    fields=by_name(
        [
            text("CompanyName", "name"),
            text("DisplayName", "name"),
            text("Email", "email"),
            text("Phone1", "phone"),
            text("Phone1Type", lambda partner, _: "Business 1" if partner.phone else None),
            of_kind(Kind.BOOLEAN, "Active", "active"),
            of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
            *blanks(
                Kind.STRING,
                "Attention BusinessAccount ContactClass ContactMethod Fax FaxType FirstName FullName JobTitle "
                "LanguageOrLocale LastName MiddleName Owner Phone2 Phone2Type Phone3 Phone3Type Status Title Type "
                "WebSite Workgroup",
            ),
            *blanks(Kind.INT, "ContactID"),
            *blanks(Kind.GUID, "NoteID"),
            *switched_off(
                "AddressValidated DoNotCall DoNotEmail DoNotFax DoNotMail NoMarketing NoMassMail OverrideAccountAddress"
            ),
        ]
    ),
    links=[Link("Address", ADDRESS, lambda partner, _: partner.address)],
)


def _status(partner: Vendor | Customer, _: object) -> str:
    return "A" if partner.active else "I"


def _contacts(names: str) -> list[Link[Any]]:
    return [Link(name, CONTACT, lambda partner, _: partner) for name in names.split()]


VENDOR: Entity[Vendor] = Entity(
    screen="AP303000",
    title="Vendor",
    keys=("VendorID",),
    rows=lambda view: sorted(view.company.vendors.values(), key=lambda vendor: vendor.code.casefold()),
    note_id=lambda vendor: vendor.note_id,
    modified_at=lambda vendor: vendor.modified_at,
    shape=Shape(
        type_name="Vendor",
        fields=by_name(
            [
                text("VendorID", "code"),
                text("VendorName", "name"),
                text("LegalName", "name"),
                text("VendorClass", "vendor_class"),
                text("CurrencyID", "currency"),
                text("Terms", "terms"),
                text("Status", _status, labels.PARTNER_STATUS),
                text("TaxRegistrationID", "tax_id"),
                text("APAccount", const(chart.ACCOUNTS_PAYABLE)),
                text("APSubaccount", const(chart.NO_COST_CENTER)),
                text("LocationName", const("Primary Location")),
                of_kind(Kind.STAMP, "CreatedDateTime", "created_at"),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
                of_kind(Kind.BOOLEAN, "EnableCurrencyOverride", const(value=True)),
                *blanks(
                    Kind.STRING,
                    "AccountRef CashAccount CurrencyRateType F1099Box FOBPoint ParentAccount PaymentBy PaymentMethod "
                    "ReceiptAction ReceivingBranch ShippingTerms ShipVia TaxCalculationMode TaxZone Warehouse",
                ),
                *blanks(Kind.SHORT, "LeadTimedays PaymentLeadTimedays"),
                *blanks(Kind.DECIMAL, "MaxReceipt MinReceipt ThresholdReceipt"),
                *switched_off(
                    "EnableRateOverride F1099Vendor FATCA ForeignEntity LandedCostVendor PaySeparately PrintOrders "
                    "RemittanceAddressOverride RemittanceContactOverride SendOrdersbyEmail ShippingAddressOverride "
                    "ShippingContactOverride VendorIsLaborUnion VendorIsTaxAgency"
                ),
            ]
        ),
        links=_contacts("MainContact PrimaryContact RemittanceContact ShippingContact"),
    ),
)
CUSTOMER: Entity[Customer] = Entity(
    screen="AR303000",
    title="Customers",
    keys=("CustomerID",),
    rows=lambda view: sorted(view.company.customers.values(), key=lambda each: each.code.casefold()),
    note_id=lambda customer: customer.note_id,
    modified_at=lambda customer: customer.modified_at,
    shape=Shape(
        type_name="Customer",
        fields=by_name(
            [
                text("CustomerID", "code"),
                text("CustomerName", "name"),
                text("CustomerClass", "customer_class"),
                text("CurrencyID", "currency"),
                text("Terms", "terms"),
                text("Status", _status, labels.PARTNER_STATUS),
                text("TaxRegistrationID", "tax_id"),
                text("LocationName", const("Primary Location")),
                of_kind(Kind.DECIMAL, "CreditLimit", "credit_limit"),
                of_kind(Kind.INT, "BAccountID", "customer_id"),
                of_kind(Kind.GUID, "NoteID", "note_id"),
                of_kind(Kind.STAMP, "CreatedDateTime", "created_at"),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
                Field(name="Email", kind=Kind.STRING, read=attr("email"), since="23.200.001"),
                Field(name="PrimaryContactID", kind=Kind.INT, since="23.200.001"),
                Field(name="CustomerCategory", kind=Kind.STRING, since="23.200.001"),
                *blanks(
                    Kind.STRING,
                    "AccountRef CurrencyRateType EntityUsageType FOBPoint ParentRecord PriceClassID "
                    "RestrictVisibilityTo ShipVia ShippingBranch ShippingRule ShippingTerms ShippingZoneID "
                    "StatementCycleID StatementType TaxExemptionNumber TaxZone WarehouseID",
                ),
                *blanks(Kind.SHORT, "LeadTimedays OrderPriority"),
                *blanks(Kind.DECIMAL, "WriteOffLimit"),
                *switched_off(
                    "ApplyOverdueCharges AutoApplyPayments BillingAddressOverride BillingContactOverride "
                    "EnableCurrencyOverride EnableRateOverride EnableWriteOffs IsGuestCustomer "
                    "MultiCurrencyStatements PrintDunningLetters PrintInvoices PrintStatements ResidentialDelivery "
                    "SaturdayDelivery SendDunningLettersbyEmail SendInvoicesbyEmail SendStatementsbyEmail "
                    "ShippingAddressOverride ShippingContactOverride"
                ),
            ]
        ),
        links=_contacts("BillingContact MainContact PrimaryContact ShippingContact"),
    ),
)
