"""What people type into sales orders, and into the invoices for them."""

from __future__ import annotations

from decimal import Decimal

from tests.sandbox.company.drafts import Drafter
from tests.sandbox.company.model import SalesInvoiceLine, SalesOrder, SalesOrderLine
from tests.sandbox.company.money import ZERO
from tests.sandbox.company.receivables import InvoiceDraft
from tests.sandbox.company.selling import SalesOrderDraft, price_line


class SalesDrafter(Drafter):
    """Draws the contents of sales orders besides all else."""

    def invoice_for_order(self, order: SalesOrder, lines: list[SalesInvoiceLine]) -> InvoiceDraft:
        """An invoice for what was shipped of a sales order."""
        return InvoiceDraft(
            customer=order.customer,
            branch=order.branch,
            currency=order.currency,
            lines=lines,
            tax_amount=self.tax(order.currency, lines),
            customer_order=order.customer_order,
            description=order.description,
        )

    def sales_order(self) -> SalesOrderDraft:
        """A sales order of 1 to 12 lines."""
        of = self.customer()
        return SalesOrderDraft(
            customer=of.code,
            branch=self.branch(),
            currency=of.currency,
            lines=[self.sales_order_line(number) for number in range(1, self._line_count() + 1)],
            requested_in_days=self.rng.choice((None, 3, 10, 21)),
            customer_order=self.reference(),
            description=self._document_text(),
            project=self.rng.choice((None, None, *self._company.projects)),
        )

    def sales_order_line(self, line_nbr: int) -> SalesOrderLine:
        """One line of a sales order, nothing shipped yet."""
        sold = self._invoice_line(line_nbr)
        item = self._company.items.get(sold.item or "")
        line = SalesOrderLine(
            line_nbr=line_nbr,
            item=sold.item,
            description=sold.description,
            quantity=sold.quantity,
            quantity_shipped=Decimal(0),
            unit=sold.unit,
            unit_price=sold.unit_price,
            discount_percent=self.rng.choice((Decimal(0), Decimal(0), Decimal("2.5"), Decimal(10))),
            discount_amount=ZERO,
            amount=ZERO,
            account=sold.account,
            cost_center=sold.cost_center,
            warehouse=self.warehouse() if item is not None and item.is_stock else None,
        )
        price_line(line)
        return line
