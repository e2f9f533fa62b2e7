"""The receiver of webhooks, with the extra `webhooks`: an event starts a run early, nothing depends on it."""
