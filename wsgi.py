"""The WSGI entry point: `gunicorn wsgi:app`, `granian --interface wsgi wsgi:app`."""

from gapsvc.app import create_app

app = create_app()
