"""A Sage Intacct company behind the XML gateway that shows the sandbox company: sessions, query, lookup, audit.

The first call goes to `PATH`; the session it opens is bound to `SESSION_PATH`. All that can be signed in with is
below; these secrets are public.
"""

from __future__ import annotations

PATH = "/ia/xml/xmlgw.phtml"
SESSION_PATH = "/na12/ia/xml/xmlgw.phtml"

SENDER_ID = "SandboxSender"
SENDER_PASSWORD = "sender & <Pa55>"  # has to be escaped in a request
COMPANY_ID = "Meridian"
USER_ID = "xml_gateway"
USER_PASSWORD = "User & Pa55"
USER_RECORDNO = 7

PRIVATE_ENTITY = "EAST"  # a branch of the company whose records are private
OPEN_ENTITY = "HQ"

ACCRUAL_BOOK = "ACCRUAL"
CASH_BOOK = "CASH"  # repeats the postings that touch a bank account
BOOKS = (ACCRUAL_BOOK, CASH_BOOK)
