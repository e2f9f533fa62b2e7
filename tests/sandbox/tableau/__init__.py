"""The sandbox's Tableau Server: one site, a few users, and a Hyper engine behind the REST API.

Written from Tableau's REST API reference and from what is known of real servers, never from the target that
it is the opponent of. What a real server refuses, it refuses with the documented code.
"""

from __future__ import annotations

SITE = "finance"
"""The site's content URL, which is what sign-in wants; its display name differs on purpose."""

SITE_NAME = "Finance Department"

PROJECT = "ERP"
NESTED_PROJECT = "Finance/Close"
DEFAULT_PROJECT = "Default"

USERNAME = "publisher"
"""A Creator who owns the projects `ERP` and `Finance`, and is no administrator."""

PASSWORD = "sandbox-publisher-password"
TOKEN_NAME = "meltano"
TOKEN_VALUE = "sandbox-pat-secret"
SECOND_TOKEN_NAME = "meltano-second"
SECOND_TOKEN_VALUE = "sandbox-second-pat-secret"

VIEWER_USERNAME = "viewer"
VIEWER_PASSWORD = "sandbox-viewer-password"
VIEWER_TOKEN_NAME = "viewer"
VIEWER_TOKEN_VALUE = "sandbox-viewer-pat-secret"

ADMIN_USERNAME = "admin"
"""A site administrator: may list jobs, keep webhooks and create top-level projects."""

ADMIN_PASSWORD = "sandbox-admin-password"
ADMIN_TOKEN_NAME = "admin"
ADMIN_TOKEN_VALUE = "sandbox-admin-pat-secret"

CONNECTED_APP_CLIENT_ID = "7c1b5a2e-0d64-4f7c-9a35-1f0f3f0c9e11"
CONNECTED_APP_SECRET_ID = "b1d5a0f3-57a3-4f0b-8d0e-6b7f6f7f2c42"
CONNECTED_APP_SECRET_VALUE = "sandbox-connected-app-secret-value-of-44-chars"
