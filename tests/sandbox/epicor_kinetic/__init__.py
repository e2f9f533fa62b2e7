"""An Epicor Kinetic server (REST v2) that shows the sandbox company: OData business objects, BAQs, sign-in.

The instance is `kinetic`. The two branches of the company are two Epicor companies on one database: master
records stand in both under the same keys, documents in the one that wrote them. All that can be signed in with
is below; these secrets are public.
"""

from __future__ import annotations

INSTANCE = "kinetic"
COMPANIES = {"EPIC06": "HQ", "EPIC07": "EAST"}  # Epicor company to branch
COMPANY = "EPIC06"
OTHER_COMPANY = "EPIC07"

API_KEY = "sandbox-api-key-all-companies"
EXPIRED_API_KEY = "sandbox-api-key-expired"
# Its access scope lists the services of `SCOPED_SERVICES`; everything else is denied.
SCOPED_API_KEY = "sandbox-api-key-scoped"
SCOPED_SERVICES = frozenset({"Erp.BO.VendorSvc", "Erp.BO.APInvoiceSvc", "Erp.BO.GLAccountSvc"})

USER_NAME = "tap"
PASSWORD = "Sandbox-Pa55"
# May sign in like the other one, but has no rights to OTHER_COMPANY.
LIMITED_USER_NAME = "clerk"
LIMITED_PASSWORD = "Clerk-Pa55"

# Epicor Identity Provider, served at /connect/token
IDP_CLIENT_ID = "sandbox-idp-client"
IDP_CLIENT_SECRET = "sandbox-idp-secret"
IDP_SCOPE = "epicor_erp"

# Entra, served at /{ENTRA_TENANT}/oauth2/v2.0/token
ENTRA_TENANT = "00000000-5a6b-4d0e-9a6e-00000000e0a1"
ENTRA_CLIENT_ID = "sandbox-entra-client"
ENTRA_CLIENT_SECRET = "sandbox-entra-secret"
ENTRA_SCOPE = "api://sandbox-epicor/.default"

BOOK = "MAIN"
SECOND_BOOK = "STAT"
CHART_OF_ACCOUNTS = "CHART"
FISCAL_CALENDAR = "CAL"
SITE = "MfgSys"
WEB_SERVICE_LICENSE = "00000003-9439-4B30-A6F4-6D2FD4B9FD0F"
