"""Background work: Celery's app and tasks of three lines. The work itself lives in ew_app.services."""
