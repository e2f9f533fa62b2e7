"""A SYSPRO site that shows the sandbox company on both read interfaces: SYSPRO OData and e.net Solutions (REST).

Each branch of the company is a SYSPRO company with a database of its own. All that can be signed in with is
below; these secrets are public.
"""

from __future__ import annotations

# company id (opaque, case matters) -> branch of the sandbox company whose documents it holds
COMPANIES = {"EDU1": "HQ", "EDU2": "EAST"}
# warehouse -> the company that keeps its stock; one opened later belongs to the first company
WAREHOUSE_COMPANIES = {"MAIN": "EDU1", "OST": "EDU2"}

ODATA_APPLICATION = "SYSPRO8Odata"
ODATA_PREFIX = "SYSPROOData"
ODATA_USER_NAME = "BIREAD"
ODATA_PASSWORD = "Sandbox-OData-Pa55"

ENET_PATH = "/SYSPROWCFService/Rest"
OPERATOR = "BIENET"
OPERATOR_PASSWORD = "Sandbox Enet/Pa55"  # with a blank and a slash: it travels in the query string
