"""The settings about Tableau: where it is, how to sign in, what becomes of an extract there."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

_REFRESH = th.ObjectType(
    th.Property("workbooks", th.ArrayType(th.StringType)),
    th.Property("datasources", th.ArrayType(th.StringType)),
    th.Property("tasks", th.ArrayType(th.StringType)),
    th.Property("dependents", th.BooleanType),
)

TABLEAU: tuple[th.Property[Any], ...] = (
    th.Property(
        "server_url",
        th.StringType,
        title="Tableau address",
        description=(
            "Address of Tableau Server or Cloud, for instance https://10ax.online.tableau.com. An address copied from "
            "the browser is understood. Leave it out to make extracts only."
        ),
    ),
    th.Property(
        "site",
        th.StringType,
        title="Site",
        description=(
            "The part of the Tableau address after /site/. Leave it empty for the default site of Tableau Server."
        ),
    ),
    th.Property(
        "project",
        th.StringType,
        title="Project",
        description=(
            "Project to publish to: its name, its path (Finance/Close) or its id. Required with server_url."
        ),
    ),
    th.Property(
        "token_name",
        th.StringType,
        title="Token name",
        description="Name of the personal access token to sign in with. Give every pipeline a token of its own.",
    ),
    th.Property(
        "token_value",
        th.StringType,
        secret=True,
        title="Token value",
        description="Value of the personal access token.",
    ),
    th.Property(
        "connected_app_client_id",
        th.StringType,
        title="Connected app, client id",
        description="Instead of a token: client id of a connected app with direct trust.",
    ),
    th.Property(
        "connected_app_secret_id",
        th.StringType,
        title="Connected app, secret id",
        description="Id of the connected app's secret.",
    ),
    th.Property(
        "connected_app_secret_value",
        th.StringType,
        secret=True,
        title="Connected app, secret value",
        description="Value of the connected app's secret.",
    ),
    th.Property(
        "connected_app_user",
        th.StringType,
        title="Connected app, user",
        description="User to sign in as through the connected app; on Tableau Cloud the mail address.",
    ),
    th.Property(
        "username",
        th.StringType,
        title="User name",
        description="Instead of a token: user name. Tableau Cloud with multi-factor sign-in refuses it.",
    ),
    th.Property(
        "password",
        th.StringType,
        secret=True,
        title="Password",
        description="Password of the user.",
    ),
    th.Property(
        "datasource_name",
        th.StringType,
        title="Data source name",
        description=(
            "Template for the names of data sources. {source} and {stream} are filled in; the default is "
            "'{source} {stream}', or '{stream}' without a source."
        ),
    ),
    th.Property(
        "datasources",
        th.ArrayType(
            th.ObjectType(
                th.Property("stream", th.StringType, required=True),
                th.Property("name", th.StringType),
                th.Property("project", th.StringType),
                th.Property("publish_mode", th.StringType, allowed_values=["auto", "overwrite", "update"]),
                th.Property("refresh", _REFRESH),
                th.Property("tags", th.ArrayType(th.StringType)),
                th.Property("description", th.StringType),
                th.Property("freshness_minutes", th.IntegerType),
            )
        ),
        default=[],
        title="Data source rules",
        description=(
            "How the data sources of some streams differ: a list of rules with stream (a name or a pattern like gl_*) "
            "and any of name, project, publish_mode, refresh, tags, description, freshness_minutes. Of several rules "
            'that fit, the last wins. Example: [{"stream": "gl_*", "project": "Finance/Close", "name": "General ledger '
            '{stream}"}].'
        ),
    ),
    th.Property(
        "create_project",
        th.BooleanType,
        default=False,
        title="Create project",
        description="Make the project, and those above it, if it is not there.",
    ),
    th.Property(
        "publish_mode",
        th.StringType,
        allowed_values=["auto", "overwrite", "update"],
        default="auto",
        title="Publish mode",
        description=(
            "auto: send only what has changed where Tableau can take that (a data source of ours with the same "
            "columns, a change of up to 95 MB), else the whole extract. overwrite: always the whole extract. update: "
            "as auto, and an extract that is not on this machine is not fetched for it. What authors have added to a "
            "data source in Tableau is kept by all three."
        ),
    ),
    th.Property(
        "base_currencies",
        th.ObjectType(additional_properties=th.StringType(pattern="^[A-Z]{3}$")),
        default={},
        title="Currencies of the books",
        description=(
            'Source -> ISO code of the one currency that its books are kept in, "*" for all other sources: amounts in '
            "it are then shown with its symbol and decimals. Leave out a source whose companies keep books in several. "
            'Example: {"tap-acumatica": "USD", "tap-exact-online": "EUR"}.'
        ),
    ),
    th.Property(
        "semantic_layer",
        th.BooleanType,
        default=True,
        title="Semantic layer",
        description=(
            "Publish new data sources with captions, roles, formats, folders and descriptions, made from the tap's "
            "schema (a .tdsx), and describe columns that come later. What authors have changed is kept. false "
            "publishes the bare extract."
        ),
    ),
    th.Property(
        "refresh",
        _REFRESH,
        default={},
        title="Refresh",
        description=(
            "What keeps copies of published data and is refreshed when it has changed: workbooks and datasources "
            "(names, paths like Finance/Close/AP bills, or ids), tasks (ids of extract refresh tasks), dependents "
            "(true: every workbook with an extract of the data source, found by the Metadata API). The default is "
            "nothing: what is connected to a published data source sees new rows at once, and Tableau refuses to "
            "refresh it."
        ),
    ),
    th.Property(
        "adopt",
        th.BooleanType,
        default=False,
        title="Adopt data sources",
        description=(
            "Overwrite data sources of the same name that this loader did not make. Without it, such a data source "
            "stops the run before anything is published."
        ),
    ),
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        title="Dry run",
        description=(
            "Read, build and verify, tell what would be published, then leave extracts, Tableau and state as they were."
        ),
    ),
    th.Property(
        "job_timeout_seconds",
        th.IntegerType,
        default=3600,
        title="Job time-out",
        description="How many seconds to wait for a job of Tableau's: publishing, updating or refreshing.",
    ),
)
