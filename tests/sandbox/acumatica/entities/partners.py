"""Vendors and customers with their contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.entities.customs import attributes, user_fields
from tests.sandbox.acumatica.shapes import (
    Collection,
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
from tests.sandbox.company.money import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.sandbox.acumatica.view import View
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


def _none(_partner: object, _view: View) -> list[Any]:
    return []


def _open_orders(customer: Customer, view: View) -> Decimal:
    return view.open_orders.get(customer.code, ZERO)


def _credit_left(customer: Customer, view: View) -> Decimal:
    owed = view.receivable.get(customer.code, ZERO)
    return customer.credit_limit - owed - _open_orders(customer, view)


_CREDIT_RULES: Shape[Customer] = Shape(
    type_name="CreditVerificationRules",
    fields=by_name(
        [
            of_kind(Kind.DECIMAL, "CreditLimit", "credit_limit"),
            of_kind(Kind.DECIMAL, "OpenOrdersBalance", _open_orders),
            of_kind(Kind.DECIMAL, "RemainingCreditLimit", _credit_left),
            *blanks(Kind.SHORT, "CreditDaysPastDue"),
            *blanks(Kind.STRING, "CreditVerification"),
            *blanks(Kind.DECIMAL, "UnreleasedBalance"),
            *blanks(Kind.STAMP, "FirstDueDate"),
        ]
    ),
)
_SALESPERSON: Shape[Any] = Shape(
    type_name="CustomerSalesPerson",
    fields=by_name(
        [
            *blanks(Kind.DECIMAL, "Commission"),
            *blanks(Kind.BOOLEAN, "Default"),
            *blanks(Kind.STRING, "LocationID LocationName Name SalespersonID"),
        ]
    ),
)
_INSTRUCTION: Shape[Any] = Shape(
    type_name="BusinessAccountPaymentInstructionDetail",
    fields=by_name(
        [
            *blanks(Kind.INT, "LocationID"),
            *blanks(Kind.STRING, "Description PaymentInstructionsID PaymentMethod Value"),
        ]
    ),
)
_PARTNER_CONTACT: Shape[Any] = Shape(
    type_name="CustomerContact",
    fields=by_name(
        [of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"), *blanks(Kind.INT, "ContactID")]
    ),
    links=[Link("Contact", CONTACT, lambda partner, _: partner)],
)
_DETAILS: list[Collection[Any]] = [
    Collection("Contacts", _PARTNER_CONTACT, lambda partner, _: [partner] if partner.email else []),
    Collection("PaymentInstructions", _INSTRUCTION, _none),
]
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
        collections=[attributes("vendors"), *_DETAILS],
        custom=user_fields("BAccount"),
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
        links=[
            *_contacts("BillingContact MainContact PrimaryContact ShippingContact"),
            Link("CreditVerificationRules", _CREDIT_RULES, lambda customer, _: customer),
        ],
        collections=[attributes("customers"), *_DETAILS, Collection("Salespersons", _SALESPERSON, _none)],
    ),
)
