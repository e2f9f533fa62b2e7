"""What the server holds, as records that are written to disk as JSON."""

from __future__ import annotations

import msgspec


class User(msgspec.Struct):
    """A user of the site; `role` is Tableau's site role (`Creator`, `Viewer`, ...)."""

    id: str
    name: str
    full_name: str
    role: str
    password: str

    @property
    def is_admin(self) -> bool:
        """Whether the user administers the site."""
        return self.role.startswith(("SiteAdministrator", "ServerAdministrator"))

    @property
    def may_publish(self) -> bool:
        """Whether the site role allows publishing at all."""
        return self.is_admin or self.role in {"Creator", "ExplorerCanPublish"}


class Project(msgspec.Struct):
    """A project; `writers` are the user ids that may save into it (None: all users)."""

    id: str
    name: str
    owner: str
    parent: str | None = None
    description: str = ""
    content_permissions: str = "ManagedByOwner"
    writers: list[str] | None = None
    created_at: str = ""
    updated_at: str = ""


class Revision(msgspec.Struct):
    """One published state; `file` and `package` are names in the data source's folder, None once pruned."""

    number: int
    published_at: str
    publisher: str
    size: int
    file: str | None = None
    package: str | None = None
    patched: bool = False


class Datasource(msgspec.Struct):
    """A published data source.

    Attributes:
        kind: How it was published: `hyper`, `tdsx`, or `database` for a seeded extract of some database.
        live: Live to Hyper: can be updated, cannot be refreshed.
        overwriters: User ids that may overwrite it besides owner and administrators (None: all who may save).
        hidden_calls: How many list calls still do not see it (the search index lags).
    """

    id: str
    name: str
    project: str
    owner: str
    content_url: str
    created_at: str
    updated_at: str
    kind: str
    connection: str
    live: bool = True
    description: str = ""
    certified: bool = False
    certification_note: str | None = None
    overwriters: list[str] | None = None
    tags: list[str] = []
    revisions: list[Revision] = []
    rows: int = 0
    columns: list[str] = []
    multi_table: bool = False
    size: int = 0
    hidden_calls: int = 0

    @property
    def current(self) -> Revision:
        """The revision that readers see."""
        return self.revisions[-1]


class Workbook(msgspec.Struct):
    """A workbook: ids of the data sources it is live on, and of those it has an extract of its own of.

    `seen` maps a data source's id to the number of rows its own extract took at the last refresh.
    """

    id: str
    name: str
    project: str
    owner: str
    content_url: str
    created_at: str
    updated_at: str
    live_on: list[str] = []
    extracts: list[str] = []
    seen: dict[str, int] = {}
    tags: list[str] = []

    @property
    def upstream(self) -> list[str]:
        """All data sources it reads."""
        return [*self.live_on, *self.extracts]


class Task(msgspec.Struct):
    """An extract refresh task on a schedule; exactly one of `datasource` and `workbook` is set."""

    id: str
    datasource: str | None = None
    workbook: str | None = None
    priority: int = 50
    failed_count: int = 0
    last_run_at: str | None = None


class Job(msgspec.Struct):
    """An asynchronous job; its life is driven by the questions asked about it."""

    id: str
    kind: str
    creator: str
    created_at: str
    title: str
    outcome: str
    polls_left: int
    missing_polls: int = 0
    datasource: str | None = None
    workbook: str | None = None
    connection: str | None = None
    notes: str | None = None
    finish_code: str | None = None
    started_at: str | None = None
    completed_at: str | None = None

    @property
    def status(self) -> str:
        """The word that the list of jobs uses."""
        if self.completed_at is None:
            return "InProgress" if self.started_at else "Pending"
        return {"success": "Success", "failed": "Failed"}.get(self.outcome, "Cancelled")


class Webhook(msgspec.Struct):
    """A webhook; `event` is spelt as in `DatasourceUpdated`."""

    id: str
    name: str
    event: str
    url: str
    owner: str
    enabled: bool = True
    reason: str = ""


class Write(msgspec.Struct):
    """Something that a client changed.

    Attributes:
        kind: publish, patch, refresh, tag, update, delete or project.
        name: Name of the data source, workbook or project.
        size: Bytes of data that came with it.
    """

    kind: str
    name: str
    size: int = 0


class Request(msgspec.Struct):
    """A RequestID that was seen, and the job it made."""

    job: str
    at: str


class Index(msgspec.Struct):
    """Everything but the data files, as it stands in `index.json`."""

    site: str
    users: dict[str, User] = {}
    projects: dict[str, Project] = {}
    datasources: dict[str, Datasource] = {}
    workbooks: dict[str, Workbook] = {}
    tasks: dict[str, Task] = {}
    jobs: dict[str, Job] = {}
    webhooks: dict[str, Webhook] = {}
    requests: dict[str, Request] = {}
    writes: list[Write] = []
