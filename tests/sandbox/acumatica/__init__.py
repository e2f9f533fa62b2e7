"""An Acumatica ERP site that shows the sandbox company: contract-based REST, DAC-based OData, sign-in and seats.

The instance is `acme` on a site with two tenants: `MeridianLive` holds the company, `Test` is empty. All that
can be signed in with is below; these secrets are public.
"""

from __future__ import annotations

INSTANCE = "acme"
TENANT = "MeridianLive"
EMPTY_TENANT = "Test"
TENANTS = (TENANT, EMPTY_TENANT)

_APPLICATION = "4B6E3C5C-0000-4000-8000-000000000001"
CLIENT_ID = f"{_APPLICATION}@{TENANT}"
EMPTY_TENANT_CLIENT_ID = f"{_APPLICATION}@{EMPTY_TENANT}"
CLIENT_SECRET = "sandbox-client-secret"

USER_NAME = "api"
PASSWORD = "Sandbox-Pa55"
# Signs in like the other one, but may not open these forms.
LIMITED_USER_NAME = "clerk"
LIMITED_PASSWORD = "Clerk-Pa55"
LIMITED_USER_FORBIDDEN_FORMS = frozenset({"GL301000", "GL202500", "GL401000"})

DEFAULT_BRANCH = "HQ"
LEDGER = "ACTUAL"
LEDGER_ID = 1
