"""Projects and cost codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.acumatica import labels
from tests.sandbox.acumatica.entities.customs import attributes
from tests.sandbox.acumatica.shapes import Entity, Shape, blanks, by_name, const, of_kind, text
from tests.sandbox.acumatica.wire import Kind

if TYPE_CHECKING:
    from tests.sandbox.company.model import CostCode, Project

PROJECT: Entity[Project] = Entity(
    screen="PM301000",
    title="Projects",
    keys=("ProjectID",),
    rows=lambda view: sorted(view.company.projects.values(), key=lambda each: each.code.casefold()),
    note_id=lambda project: project.note_id,
    modified_at=lambda project: project.modified_at,
    shape=Shape(
        type_name="Project",
        fields=by_name(
            [
                text("ProjectID", "code"),
                text("Description", "name"),
                text("Customer", "customer"),
                text("Status", lambda each, _: "A" if each.active else "F", labels.PROJECT_STATUS),
                of_kind(Kind.BOOLEAN, "Hold", const(value=False)),
                of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
                *blanks(Kind.STRING, "ExternalRefNbr ProjectTemplateID"),
                *blanks(Kind.DECIMAL, "Assets Expenses Income Liabilities"),
            ]
        ),
        collections=[attributes()],
    ),
)
COST_CODE: Entity[CostCode] = Entity(
    screen="PM209500",
    title="Cost Codes",
    keys=("CostCodeID",),
    rows=lambda view: sorted(view.company.cost_codes.values(), key=lambda each: each.code.casefold()),
    note_id=lambda cost_code: cost_code.note_id,
    modified_at=lambda cost_code: cost_code.modified_at,
    shape=Shape(
        type_name="CostCode",
        fields=[
            text("CostCodeID", "code"),
            text("Description", "name"),
            of_kind(Kind.STAMP, "LastModifiedDateTime", "modified_at"),
        ],
    ),
)
