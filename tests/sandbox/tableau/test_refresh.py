from __future__ import annotations

import datetime as dt
import itertools
import json
from typing import TYPE_CHECKING

import pytest
import requests
import tableauserverclient as tsc
from tableauserverclient.server.endpoint.exceptions import ServerResponseError

from tests.sandbox import tableau
from tests.sandbox.tableau.conftest import Client, Files, Published, Reply, pat
from tests.sandbox.tableau.switches import Fate

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.tableau.app import TableauApp

    CodeOf = Callable[[Callable[[], object]], str]


def _refresh(client: Client, workbook: str) -> None:
    """Refresh a workbook through the client library and wait."""
    job = client.server.workbooks.refresh(client.server.workbooks.get_by_id(workbook))
    assert job is not None
    client.server.jobs.wait_for_job(job, timeout=5)


# -- refresh -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [409, 400])
def test_a_published_hyper_cannot_be_refreshed(
    client: Client, app: TableauApp, published: Published, status: int
) -> None:
    app.switches.not_refreshable_status = status
    refused = client.raw("POST", f"/datasources/{published.id}/refresh", data="<tsRequest/>")
    assert (refused.status, refused.code) == (status, "409090")
    assert "'AP Bills' is not allowed" in refused.detail


def test_an_extract_of_a_database_is_refreshed(client: Client, app: TableauApp) -> None:
    held = app.state.add_database_extract("From SQL")
    job = client.server.datasources.refresh(held.id)
    assert job is not None
    done = client.server.jobs.wait_for_job(job, timeout=5)
    assert (done.type, done.finish_code, done.datasource_id) == ("RefreshExtract", 0, held.id)
    assert [(write.kind, write.name) for write in app.state.writes] == [("refresh", "From SQL")]


def test_a_workbook_with_its_own_extract_sees_new_rows_only_after_a_refresh(
    client: Client, app: TableauApp, files: Files, published: Published
) -> None:
    book = app.state.add_workbook("Spend", extracts=[published.id])
    assert book.seen == {}
    _refresh(client, book.id)
    assert book.seen == {published.id: 2}
    client.publish(files.make(), mode="Append")
    assert book.seen == {published.id: 2}
    app.switches.fates.append(Fate("failed", notes="No."))
    failed = client.raw("POST", f"/workbooks/{book.id}/refresh", data="<tsRequest/>").find("job").get("id")
    assert client.raw("GET", f"/jobs/{failed}").find("job/extractRefreshJob/notes").text == "No."
    _refresh(client, book.id)
    assert book.seen == {published.id: 4}


def test_a_workbook_that_is_live_needs_no_refresh_and_gets_none(
    client: Client, app: TableauApp, published: Published
) -> None:
    book = app.state.add_workbook("Spend", live_on=[published.id])
    assert client.raw("POST", f"/workbooks/{book.id}/refresh", data="<tsRequest/>").code == "409090"
    assert client.raw("POST", "/workbooks/none/refresh", data="<tsRequest/>").code == "404006"


def test_a_workbook_whose_source_is_gone_fails_to_refresh(
    client: Client, app: TableauApp, published: Published
) -> None:
    book = app.state.add_workbook("Spend", extracts=[published.id])
    client.server.datasources.delete(published.id)
    job = client.raw("POST", f"/workbooks/{book.id}/refresh", data="<tsRequest/>").find("job").get("id")
    assert client.raw("GET", f"/jobs/{job}").find("job").get("finishCode") == "1"


def test_a_refresh_that_is_queued_is_not_queued_again(client: Client, app: TableauApp) -> None:
    held = app.state.add_database_extract("From SQL")
    app.switches.job_polls = 3
    first = client.server.datasources.refresh(held.id)
    assert first is not None
    assert client.raw("POST", f"/datasources/{held.id}/refresh", data="<tsRequest/>").code == "409093"
    assert client.server.datasources.refresh(held.id) is None
    other = app.state.add_database_extract("Other")
    assert client.server.datasources.refresh(other.id) is not None


def test_a_refresh_can_be_said_to_be_queued_and_then_go_through(client: Client, app: TableauApp) -> None:
    held = app.state.add_database_extract("From SQL")
    app.switches.refresh_queued = 1
    answers = [client.raw("POST", f"/datasources/{held.id}/refresh", data="<tsRequest/>") for _ in range(2)]
    assert [answered.status for answered in answers] == [409, 202]


def test_a_refresh_needs_a_body_and_the_right(client: Client, viewer: Client, app: TableauApp) -> None:
    held, book = app.state.add_database_extract("From SQL"), app.state.add_workbook("Spend", extracts=["x"])
    assert client.raw("POST", f"/datasources/{held.id}/refresh").code == "400000"
    for path in (f"/datasources/{held.id}/refresh", f"/workbooks/{book.id}/refresh"):
        assert viewer.raw("POST", path, data="<tsRequest/>").code == "403032"


def test_tasks_are_listed_and_run(
    client: Client, viewer: Client, app: TableauApp, published: Published
) -> None:
    book = app.state.add_workbook("Spend", extracts=[published.id])
    by_book = app.state.add_task(workbook=book.id)
    by_source = app.state.add_task(datasource=app.state.add_database_extract("From SQL").id)
    tasks, _ = client.server.tasks.get()
    assert [(task.id, task.target.type) for task in tasks if task.target] == [
        (by_book.id, "workbook"),
        (by_source.id, "datasource"),
    ]
    target = client.server.tasks.get_by_id(by_book.id).target
    assert target is not None
    assert target.id == book.id
    for task in tasks:
        answered = client.raw("POST", f"/tasks/extractRefreshes/{task.id}/runNow", data="<tsRequest/>")
        job = answered.find("job")
        assert (answered.status, job.get("type")) == (200, "RefreshExtract")
        assert client.raw("GET", f"/jobs/{job.get('id')}").find("job").get("finishCode") == "0"
    assert book.seen == {published.id: 2}
    assert client.server.tasks.get_by_id(by_book.id).last_run_at is not None
    assert client.raw("POST", "/tasks/extractRefreshes/none/runNow", data="<tsRequest/>").code == "404026"
    assert (
        viewer.raw("POST", f"/tasks/extractRefreshes/{by_book.id}/runNow", data="<tsRequest/>").code
        == "403032"
    )


def test_cloud_caps_refreshes_and_says_how_long_to_wait(client: Client, app: TableauApp) -> None:
    held = app.state.add_database_extract("From SQL")
    app.switches.refreshes_per_hour = 1
    path = f"/datasources/{held.id}/refresh"
    assert client.raw("POST", path, data="<tsRequest/>").status == 202
    refused = client.raw("POST", path, data="<tsRequest/>")
    assert (refused.status, refused.code) == (429, "429000")
    assert "retry after 60 minutes" in refused.detail
    assert 3500 < int(refused.response.headers["Retry-After"]) <= 3601
    app.switches.retry_after = False
    assert "Retry-After" not in client.raw("POST", path, data="<tsRequest/>").response.headers
    now = app.switches.clock()
    app.switches.clock = lambda: now + dt.timedelta(minutes=61)
    assert client.raw("POST", path, data="<tsRequest/>").code != "429000"


def test_workbooks_are_listed_with_their_sources(
    client: Client, app: TableauApp, published: Published
) -> None:
    app.state.add_workbook("Spend", live_on=[published.id])
    (book,) = client.server.workbooks.filter(name="Spend")
    client.server.workbooks.populate_connections(book)
    assert [(c.connection_type, c.datasource_id) for c in book.connections] == [("sqlproxy", published.id)]
    assert (
        client.raw("GET", "/workbooks?filter=projectName:eq:Default").xml.find("workbooks/workbook") is None
    )


# -- what depends on a data source ---------------------------------------------------------------------------

QUERY = (
    'query x { publishedDatasources(filter: {luid: "%s"}) { name books: downstreamWorkbooks { luid name } } }'
)


def test_the_metadata_api_tells_the_workbooks_downstream(
    client: Client, app: TableauApp, published: Published
) -> None:
    book = app.state.add_workbook("Spend", extracts=[published.id])
    app.state.add_workbook("Unrelated")
    answered = client.server.metadata.query(QUERY % published.id)
    wanted = [{"name": "AP Bills", "books": [{"luid": book.id, "name": "Spend"}]}]
    assert answered == {"data": {"publishedDatasources": wanted}}
    by_variable = """query of($ids: [String!]) { publishedDatasources(filter: {luidWithin: $ids}) {
        luid projectName downstreamWorkbooks { projectName embeddedDatasources { hasExtracts } } } }"""
    answered = client.server.metadata.query(by_variable, variables={"ids": [published.id]})
    (found,) = answered["data"]["publishedDatasources"]
    assert found["downstreamWorkbooks"] == [
        {"projectName": "ERP", "embeddedDatasources": [{"hasExtracts": True}]}
    ]


@pytest.mark.parametrize(
    "query",
    [
        "{ workbooks { luid } }",
        "{ publishedDatasources { luid downstreamWorkbooks } }",
        "{ publishedDatasources { nonsense } }",
        "{ publishedDatasources { name downstreamWorkbooks { nonsense } } }",
        '{ publishedDatasources(filter: {vizportalUrlId: "1"}) { luid } }',
        "{ publishedDatasources { luid }",
        "",
    ],
)
def test_a_query_that_is_not_understood_is_answered_with_errors(
    client: Client, app: TableauApp, published: Published, query: str
) -> None:
    app.state.add_workbook("Spend", extracts=[published.id])
    assert client.server.metadata.query(query)["errors"]


def test_the_metadata_api_wants_a_session_and_can_be_disabled(
    url: str, client: Client, app: TableauApp
) -> None:
    address = f"{url}/api/metadata/graphql"
    assert Reply(requests.post(address, json={"query": "{}"}, timeout=10)).code == "401000"
    headers = {"X-Tableau-Auth": client.server.auth_token}
    assert "errors" in requests.post(address, data="x", headers=headers, timeout=10).json()
    assert "errors" in requests.post(address, json=[], headers=headers, timeout=10).json()
    app.switches.metadata_enabled = False
    assert requests.post(address, json={"query": "{}"}, headers=headers, timeout=10).status_code == 404


# -- webhooks ------------------------------------------------------------------------------------------------


DESTINATION = (
    '<webhook-destination><webhook-destination-http method="POST" url="https://listener.example/"/>'
    "</webhook-destination>"
)
OTHER_EVENT = "<webhook-source><webhook-source-event-workbook-created/></webhook-source>"


def _webhook(
    event: str = "datasource-updated", url: str = "https://listener.example/hook"
) -> tsc.WebhookItem:
    item = tsc.WebhookItem()
    item.name, item.event, item.url = "listener", event, url
    return item


def test_webhooks_are_kept_and_told_what_happens(
    client: Client, admin: Client, app: TableauApp, files: Files
) -> None:
    told: list[tuple[str, bytes]] = []
    answers = iter([500, 200, 200, 204])

    def deliver(url: str, body: bytes) -> int:
        told.append((url, body))
        return next(answers)

    app.switches.deliver = deliver
    made = admin.server.webhooks.create(_webhook())
    assert (made.event, made.url) == ("datasource-updated", "https://listener.example/hook")
    published = client.publish(files.make())
    assert app.deliver() == 0
    client.publish(files.make())
    assert [app.deliver(), app.deliver()] == [0, 0]
    app.switches.clock = lambda: (
        dt.datetime.now(dt.UTC) + dt.timedelta(seconds=app.switches.webhook_gap_seconds)
    )
    assert app.deliver() == 1
    assert len(told) == 2
    assert told[0] == told[1]
    payload = json.loads(told[0][1])
    assert payload.pop("created_at").endswith("Z")
    assert payload == {
        "resource": "DATASOURCE",
        "event_type": "DatasourceUpdated",
        "resource_name": "AP Bills",
        "site_luid": app.state.index.site,
        "resource_luid": published.id,
    }
    assert admin.server.webhooks.test(made.id or "").status_code == 200
    assert told[-1][1] == b"{}"
    listed, _ = admin.server.webhooks.get()
    assert [hook.id for hook in listed] == [made.id]
    admin.server.webhooks.delete(made.id or "")
    client.publish(files.make())
    assert len(told) == 3
    assert [event for event, _ in app.state.events] == [
        "DatasourceCreated",
        "DatasourceUpdated",
        "DatasourceUpdated",
    ]


def test_events_that_nobody_takes_are_given_up_after_three_more_tries(admin: Client, app: TableauApp) -> None:
    tries: list[dt.datetime] = []
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def deliver(_url: str, _body: bytes) -> int:
        tries.append(now)
        return 503

    app.switches.deliver, app.switches.webhook_failures = deliver, 2
    app.switches.clock = lambda: now
    admin.server.auth.sign_in(pat(tableau.ADMIN_TOKEN_NAME, tableau.ADMIN_TOKEN_VALUE))
    made = admin.server.webhooks.create(_webhook("workbook-refresh-failed"))
    for number in range(1, 3):
        app.service.announce("WorkbookRefreshFailed", "some", "Spend")
        for _ in range(100):
            app.deliver()
            now += dt.timedelta(seconds=1)
        assert len(app.service.deliveries.given_up) == number
    gaps = [(after - before).seconds for before, after in itertools.pairwise(tries[:4])]
    assert gaps == [10, 20, 40]
    assert (len(tries), app.service.deliveries.waiting) == (8, 0)
    shown = admin.raw("GET", f"/webhooks/{made.id}").find("webhook")
    assert shown.get("isEnabled") == "false"
    assert shown.get("statusChangeReason")
    app.service.announce("WorkbookRefreshFailed", "some", "Spend")
    assert app.service.deliveries.waiting == 0


def test_a_refresh_that_ends_is_told_by_how_it_ended(client: Client, app: TableauApp) -> None:
    held = app.state.add_database_extract("From SQL")
    for fate in (Fate("failed"), Fate("success"), Fate("cancelled")):
        app.switches.fates = [fate]
        client.server.datasources.refresh(held.id)
        app.run_out()
    assert app.state.events == [
        ("DatasourceRefreshStarted", held.id),
        ("DatasourceRefreshFailed", held.id),
        ("DatasourceRefreshStarted", held.id),
        ("DatasourceRefreshSucceeded", held.id),
        ("DatasourceRefreshStarted", held.id),
    ]


def test_a_webhook_may_only_go_to_this_machine_where_that_is_allowed(admin: Client, app: TableauApp) -> None:
    near = _webhook(url="http://127.0.0.1:9/hook")
    with pytest.raises(ServerResponseError, match="400000"):
        admin.server.webhooks.create(near)
    app.switches.loopback_webhooks = True
    assert admin.server.webhooks.create(near).url == near.url
    with pytest.raises(ServerResponseError, match="400000"):
        admin.server.webhooks.create(_webhook(url="http://listener.example/hook"))


def test_a_webhook_can_be_switched_off_with_a_reason(admin: Client) -> None:
    made = admin.server.webhooks.create(_webhook())
    path = f"/webhooks/{made.id}"
    off = '<tsRequest><webhook isEnabled="false" statusChangeReason="holiday"/></tsRequest>'
    shown = admin.raw("PUT", path, data=off).find("webhook")
    assert (shown.get("isEnabled"), shown.get("statusChangeReason")) == ("false", "holiday")
    on = '<tsRequest><webhook isEnabled="true" statusChangeReason="why"/></tsRequest>'
    assert admin.raw("PUT", path, data=on).code == "400127"
    assert admin.raw("GET", path).find("webhook").get("isEnabled") == "false"
    assert admin.raw("GET", "/webhooks/none/test").code == "400113"


@pytest.mark.parametrize(
    "body",
    [
        '<webhook name="n" event="Nonsense"/>',
        '<webhook name="n" event="DatasourceUpdated"/>',
        f'<webhook name="n" event="DatasourceUpdated">{DESTINATION.replace("https", "http")}</webhook>',
        f'<webhook name="n" event="DatasourceUpdated">{OTHER_EVENT}{DESTINATION}</webhook>',
        f'<webhook event="DatasourceUpdated">{DESTINATION}</webhook>',
    ],
)
def test_a_webhook_needs_a_known_event_and_an_https_destination(admin: Client, body: str) -> None:
    assert admin.raw("POST", "/webhooks", data=f"<tsRequest>{body}</tsRequest>").code == "400000"


def test_webhooks_are_for_administrators(client: Client, code_of: CodeOf) -> None:
    assert code_of(lambda: client.server.webhooks.create(_webhook())) == "403004"
    assert client.raw("GET", "/webhooks").code == "403004"


def test_a_session_that_is_renewed_amid_a_wait_goes_on(
    client: Client, app: TableauApp, published: Published
) -> None:
    book = app.state.add_workbook("Spend", extracts=[published.id])
    job = client.raw("POST", f"/workbooks/{book.id}/refresh", data="<tsRequest/>").find("job").get("id")
    app.service.sessions.end_all()
    assert client.raw("GET", f"/jobs/{job}").code == "401002"
    client.server.auth.sign_in(pat())
    assert client.raw("GET", f"/jobs/{job}").find("job").get("finishCode") == "0"
