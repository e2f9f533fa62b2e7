"""The target's settings as users set them: their names, defaults and documentation."""

from __future__ import annotations

from singer_sdk import typing as th

from target_tableau.setting_list_models import MODELS
from target_tableau.setting_list_tableau import TABLEAU

WEBHOOK_EVENTS = [
    "DatasourceRefreshFailed",
    "DatasourceRefreshSucceeded",
    "WorkbookRefreshFailed",
    "WorkbookRefreshSucceeded",
    "DatasourceDeleted",
]

SCHEMA = th.PropertiesList(
    th.Property(
        "output_dir",
        th.StringType,
        default="output",
        title="Output folder",
        description=(
            "Folder for the extracts ({output_dir}/{source}/{stream}.hyper), the journal of what arrived "
            "({output_dir}/journal) and the load ledger ({output_dir}/loads.db)."
        ),
    ),
    th.Property(
        "source",
        th.StringType,
        default="",
        title="Source",
        description=(
            "Name of where the records come from, usually the tap's name. It keeps the vendors of two ERPs apart: "
            "it is a folder under output_dir and part of the data source names."
        ),
    ),
    *TABLEAU,
    th.Property(
        "checkpoint_minutes",
        th.IntegerType(minimum=0),
        default=15,
        title="Minutes between checkpoints",
        description=(
            "A load that takes longer is made safe every so many minutes: what has arrived is verified, published and "
            "its STATE handed on, so that a run that is cut goes on from there. 0 does so at every STATE message."
        ),
    ),
    th.Property(
        "load_method",
        th.StringType,
        allowed_values=["upsert", "append-only", "overwrite"],
        title="Load method",
        description=(
            "upsert: one row per key, the last one wins (needs key properties). append-only: every record is a row of "
            "its own. overwrite: the extract holds what this run read, and nothing else. The default is upsert for "
            "streams with keys and append-only for streams without."
        ),
    ),
    th.Property(
        "hard_delete",
        th.BooleanType,
        default=True,
        title="Hard delete",
        description=(
            "Rows deleted in the source leave the extract, so that plain sums are right. If false they stay, with "
            "the time of deletion in _sdc_deleted_at. Lines that a document no longer has always leave it."
        ),
    ),
    th.Property(
        "max_shrink_percent",
        th.IntegerType(minimum=0, maximum=100),
        default=10,
        title="Largest shrink",
        description=(
            "A load that would remove more than this part of an extract stops instead: a permission that was lost "
            "looks like an ERP that is empty. Up to 25 rows may always go. 100 allows everything."
        ),
    ),
    th.Property(
        "trust_end_of_input",
        th.BooleanType,
        default=False,
        title="Trust the end of input",
        description=(
            "Take the end of the tap's output as proof that it read everything. Only needed for overwrite and for "
            "ACTIVATE_VERSION with taps whose STATE does not tell; a tap that dies then empties extracts."
        ),
    ),
    th.Property(
        "delete_match",
        th.ObjectType(additional_properties=th.StringType),
        default={},
        title="Delete match",
        description=(
            'Stream -> column by which a deletion without a key finds its row, for instance {"bills": "note_id"}. '
            "A name like tap-acumatica/bills holds for that source only; so it does in replace_within and references."
        ),
    ),
    th.Property(
        "replace_within",
        th.ObjectType(
            additional_properties=th.ObjectType(
                th.Property("parent", th.StringType, required=True),
                th.Property("columns", th.ObjectType(additional_properties=th.StringType), required=True),
            )
        ),
        default={},
        title="Replace within",
        description=(
            "Stream of lines -> its parent stream, and line column -> parent column. Whenever a document is read "
            "again, lines it no longer has are removed; a deleted document takes its lines along. Example: "
            '{"bill_lines": {"parent": "bills", "columns": {"parent_note_id": "note_id"}}}. A document '
            "must arrive before its lines."
        ),
    ),
    th.Property(
        "references",
        th.ArrayType(
            th.ObjectType(
                th.Property("from", th.StringType, required=True),
                th.Property("to", th.StringType, required=True),
                th.Property("on_unresolved", th.StringType, allowed_values=["warn", "fail"]),
            )
        ),
        default=[],
        title="References",
        description=(
            "Which values must be found where, checked across the extracts of a source after each load, for instance "
            '[{"from": "bill_lines.account", "to": "gl_accounts.account_cd"}]. Values that are not found are '
            'counted and named; with "on_unresolved": "fail" they stop the run before anything is published.'
        ),
    ),
    *MODELS,
    th.Property(
        "columns",
        th.ObjectType(additional_properties=th.ObjectType(additional_properties=th.StringType)),
        default={},
        title="Column names",
        description=(
            "Stream (or a pattern like *_lines) -> property -> name of its column, for instance "
            '{"bills": {"vendor": "Vendor code"}}. The last pattern that fits wins. '
            "Rows that are there follow a name that changes; the old column stays, empty."
        ),
    ),
    th.Property(
        "on_schema_change",
        th.StringType,
        allowed_values=["evolve", "fail"],
        default="evolve",
        title="On schema change",
        description=(
            "evolve: new columns are added and types made wider, dropped columns stay empty. fail: stop instead, "
            "and name the columns."
        ),
    ),
    th.Property(
        "on_bad_record",
        th.StringType,
        allowed_values=["fail", "quarantine"],
        default="fail",
        title="On a bad record",
        description=(
            "fail: stop at the first record that does not fit its schema. quarantine: keep such records with the "
            "reason in {output_dir}/rejected, count them, and load the others."
        ),
    ),
    th.Property(
        "hyper_version",
        th.IntegerType,
        allowed_values=[2, 3, 4],
        default=2,
        title="Hyper file version",
        description=(
            "Format of the extracts. 2 opens in Tableau 2020.4.15 and later; 3 (2022.4.1, Server 2023.1) allows "
            "numbers of up to 38 digits instead of 18; 4 needs 2024.3."
        ),
    ),
    th.Property(
        "hyper_memory_limit",
        th.StringType,
        default="1g",
        title="Hyper memory limit",
        description="How much memory the Hyper engine may use, for instance 400m or 2g.",
    ),
    th.Property(
        "summary",
        th.BooleanType,
        default=True,
        title="Summary",
        description="Print a table of what landed at the end of a run; target-tableau-loads report shows it again.",
    ),
    th.Property(
        "journal_retention_days",
        th.IntegerType,
        default=30,
        title="Journal retention",
        description="How many days the journal of what arrived is kept.",
    ),
    th.Property(
        "journal_only",
        th.BooleanType,
        default=False,
        title="Only the journal",
        description=(
            "Only keep what arrives in the journal and hand its STATE on; nothing is built and nothing published. For "
            "backfills whose parts are read side by side, each with an output_dir of its own: "
            "`target-tableau-loads deliver` makes one load of all of them."
        ),
    ),
    th.Property(
        "ledger_url",
        th.StringType,
        secret=True,
        title="Ledger database",
        description=(
            "SQLAlchemy URL of the load ledger, for instance postgresql+psycopg://user:password@host/db. The default "
            "is the SQLite file {output_dir}/loads.db."
        ),
    ),
    th.Property(
        "freshness_minutes",
        th.IntegerType(minimum=0),
        default=0,
        title="Promised freshness",
        description=(
            "How old the rows of a data source may become before target-tableau-loads health calls that an incident; "
            "0 promises nothing. Rules in datasources set it for some streams."
        ),
    ),
    th.Property(
        "expected_sources",
        th.ArrayType(th.StringType),
        default=[],
        title="Expected sources",
        description=(
            "Sources that target-tableau-loads health looks for even before anything of them has come, for instance "
            '["tap-acumatica"]: one that has never loaded anything is an incident.'
        ),
    ),
    th.Property(
        "source_token_days",
        th.ObjectType(additional_properties=th.IntegerType(minimum=1)),
        default={},
        title="Life of the sources' tokens",
        description=(
            "Source (or a pattern) -> after how many days without a run its sign-in ends, for instance "
            '{"tap-exact-online*": 30}. target-tableau-loads health tells when less than a third of that is left.'
        ),
    ),
    th.Property(
        "alert_urls",
        th.StringType,
        secret=True,
        title="Alert addresses",
        description=(
            "Where target-tableau-loads health sends alerts: Apprise URLs with spaces between them, for instance "
            "slack://... or mailto://... Needs the extra target-tableau[alerts]."
        ),
    ),
    th.Property(
        "heartbeat_url",
        th.StringType,
        secret=True,
        title="Heartbeat address",
        description=(
            "An address that target-tableau-loads health calls each time it has run, so that a watchdog elsewhere "
            "notices when the scheduler itself is dead."
        ),
    ),
    th.Property(
        "webhook_url",
        th.StringType,
        title="Webhook address",
        description=(
            "Public https address under which target-tableau-webhooks serve is reached, without the token; Tableau "
            "calls it with the token as its last part."
        ),
    ),
    th.Property(
        "webhook_token",
        th.StringType,
        secret=True,
        title="Webhook token",
        description=(
            "Secret at the end of the webhook's address, at least 32 letters and digits: events do not bear any other "
            "proof of where they come from."
        ),
    ),
    th.Property(
        "webhook_events",
        th.ArrayType(th.StringType),
        default=WEBHOOK_EVENTS,
        title="Webhook events",
        description="Events that target-tableau-webhooks register asks Tableau to tell of.",
    ),
)
