"""An Exact Online site that shows the sandbox company: OAuth, the REST API with its quotas, and webhooks.

The two branches of the company are two divisions of one licence. A second licence of the same user holds an
empty division, an archived one belongs to the first; one more exists that the user may not open. All that can be
signed in with is below; these secrets are public.
"""

from __future__ import annotations

CLIENT_ID = "5b1f7a0c-0000-4000-8000-000000000614"
CLIENT_SECRET = "sandbox-client-secret"
REDIRECT_URI = "https://bi.meridian.example/exact/callback"
WEBHOOK_SECRET = "sandbox-webhook-secret"

# The first refresh token: good once, on a site that has granted nothing yet.
SEED_REFRESH_TOKEN = "stampNL002.sandbox-first-refresh-token"

DIVISIONS = {"EAST": 3_411_016, "HQ": 3_411_017}  # branch of the company -> code of its division
ARCHIVED_DIVISION = 3_400_900  # same licence, archived
SECOND_LICENCE_DIVISION = 2_815_501  # of another licence of the same user; it is empty
FORBIDDEN_DIVISION = 3_411_099  # exists, but this user may not open it
