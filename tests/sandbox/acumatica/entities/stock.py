"""Stock and non-stock items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.entities.customs import attributes
from tests.sandbox.acumatica.shapes import (
    Collection,
    Entity,
    Field,
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
    from tests.sandbox.acumatica.view import View
    from tests.sandbox.company.model import Item, StockLevel


def _status(item: Item, _: View) -> str:
    return "AC" if item.active else "IN"


def _items(view: View, *, is_stock: bool) -> list[Item]:
    found = (item for item in view.company.items.values() if item.is_stock is is_stock)
    return sorted(found, key=lambda item: item.code.casefold())


def _common(unit_names: str) -> list[Field[Item]]:
    return [
        text("InventoryID", "code"),
        text("Description", "description"),
        text("ItemStatus", _status, labels.ITEM_STATUS),
        text("TaxCategory", const("TAXABLE")),
        *(text(name, "unit") for name in unit_names.split()),
        of_kind(Kind.DECIMAL, "DefaultPrice", "unit_price"),
        of_kind(Kind.DECIMAL, "LastCost", "unit_cost"),
        of_kind(Kind.GUID, "NoteID", "note_id"),
    ]


_WAREHOUSE: Shape[StockLevel] = Shape(
    type_name="StockItemWarehouseDetail",
    fields=by_name(
        [
            of_kind(Kind.DECIMAL, "QtyOnHand", "quantity"),
            text("WarehouseID", "warehouse"),
            text("Status", const("AC"), labels.ITEM_STATUS),
            text("InventoryAccount", const(chart.INVENTORY)),
            of_kind(Kind.BOOLEAN, "IsDefault", lambda level, _: level.warehouse == "MAIN"),
            *switched_off(
                "Override OverridePreferredVendor OverrideReplenishmentSettings OverrideStdCost PriceOverride"
            ),
            *blanks(
                Kind.STRING,
                "DefaultIssueLocationID DefaultReceiptLocationID InventorySubaccount PreferredVendor ProductManager "
                "ProductWorkgroup ReplenishmentSource ReplenishmentWarehouse Seasonality",
            ),
            *blanks(Kind.DECIMAL, "DailyDemandForecast DailyDemandForecastErrorSTDEV ServiceLevel"),
            *blanks(Kind.STAMP, "LastForecastDate"),
        ]
    ),
)
STOCK_ITEM: Entity[Item] = Entity(
    screen="IN202500",
    title="Stock Items",
    keys=("InventoryID",),
    rows=lambda view: _items(view, is_stock=True),
    note_id=lambda item: item.note_id,
    modified_at=lambda item: item.modified_at,
    shape=Shape(
        type_name="StockItem",
        fields=by_name(
            [
                *_common("BaseUOM PurchaseUOM SalesUOM"),
                of_kind(Kind.DECIMAL, "AverageCost", "unit_cost"),
                text("ItemType", const("Finished Good")),
                text("ItemClass", const("STOCK")),
                text("ValuationMethod", const("Average")),
                text("InventoryAccount", const(chart.INVENTORY)),
                of_kind(Kind.STAMP, "LastModified", "modified_at"),
                Field(
                    name="LastModifiedDateTime",
                    kind=Kind.STAMP,
                    read=attr("modified_at"),
                    since="24.200.001",
                ),
                *blanks(
                    Kind.STRING,
                    "ABCCode AutoIncrementalValue Availability COGSAccount COGSSubaccount Content CountryOfOrigin "
                    "CustomURL DefaultIssueLocationID DefaultReceiptLocationID DefaultSubitem DefaultWarehouseID "
                    "DeferralAccount DeferralSubaccount DiscountAccount DiscountSubaccount ImageUrl "
                    "InventorySubaccount LandedCostVarianceAccount LandedCostVarianceSubaccount LotSerialClass "
                    "MetaDescription MetaKeywords NotAvailable PackagingOption PageTitle POAccrualAccount "
                    "POAccrualSubaccount PostingClass PriceClass PriceManager PriceWorkgroup ProductManager "
                    "ProductWorkgroup PurchasePriceVarianceAccount PurchasePriceVarianceSubaccount "
                    "ReasonCodeSubaccount SalesAccount SalesSubaccount SearchKeywords StandardCostRevaluationAccount "
                    "StandardCostRevaluationSubaccount StandardCostVarianceAccount StandardCostVarianceSubaccount "
                    "TariffCode TemplateItemID Visibility VolumeUOM WeightUOM",
                ),
                *blanks(
                    Kind.DECIMAL,
                    "CurrentStdCost CurySpecificMSRP CurySpecificPrice DimensionVolume DimensionWeight LastStdCost "
                    "Markup MaxCost MinCost MinMarkup MSRP PendingStdCost",
                ),
                *switched_off("ExportToExternal IsAKit PackSeparately SubjectToCommission UseOnEntry"),
            ]
        ),
        collections=[
            attributes("items"),
            Collection(
                "WarehouseDetails",
                _WAREHOUSE,
                lambda item, view: view.stock.get(item.code, []),
            ),
        ],
    ),
)
NON_STOCK_ITEM: Entity[Item] = Entity(
    screen="IN202000",
    title="Non-Stock Items",
    keys=("InventoryID",),
    rows=lambda view: _items(view, is_stock=False),
    note_id=lambda item: item.note_id,
    modified_at=lambda item: item.modified_at,
    shape=Shape(
        type_name="NonStockItem",
        fields=by_name(
            [
                *_common("BaseUnit PurchaseUnit SalesUnit"),
                of_kind(Kind.DECIMAL, "CurrentCost", "unit_cost"),
                text("ItemType", const("Service")),
                text("ItemClass", const("SERVICE")),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
                *blanks(
                    Kind.STRING,
                    "Availability Content CustomURL DeferralAccount DeferralSubaccount ExpenseAccount "
                    "ExpenseAccrualAccount ExpenseAccrualSubaccount ExpenseSubaccount MetaDescription MetaKeywords "
                    "PageTitle POAccrualAccount POAccrualSubaccount PostingClass PriceClass "
                    "PurchasePriceVarianceAccount PurchasePriceVarianceSubaccount ReasonCodeSubaccount SalesAccount "
                    "SalesSubaccount SearchKeywords TemplateItemID Visibility VolumeUOM WeightUOM",
                ),
                *blanks(
                    Kind.DECIMAL,
                    "CurrentStdCost CurySpecificMSRP CurySpecificPrice DimensionWeight MSRP PendingCost Volume Weight",
                ),
                *blanks(Kind.STAMP, "EffectiveDate PendingCostDate"),
                *switched_off("ExportToExternal IsAKit IsKit RequireReceipt RequireShipment"),
            ]
        ),
        collections=[attributes("items")],
    ),
)
