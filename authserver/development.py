"""The application for Flask's command line. It is not served, and starts no thread.

`flask --app authserver.development db revision --autogenerate -m "…"` writes the next migration; `flask … shell` offers
a database session.
"""

from authserver import app
from authserver.assembly import SYSTEM_ENTROPY
from authserver.clock import SystemClock
from authserver.config import load_settings
from authserver.web.application import Application
from authserver.web.migrating import add_migrate_commands


def create_app() -> Application:
    """Create the application of the installation that the settings name, with Flask-Migrate's commands."""
    application = app.create_app(load_settings(), clock=SystemClock(), entropy=SYSTEM_ENTROPY)
    add_migrate_commands(application)
    return application
