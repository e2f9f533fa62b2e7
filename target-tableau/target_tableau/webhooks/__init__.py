"""The receiver of Tableau's webhooks, with the extra `webhooks`: an event is a hint, checked before it counts."""
