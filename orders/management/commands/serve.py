"""The server and the worker together: one command, one Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.environment import is_loopback


class Command(BaseCommand):
    """`manage.py serve [--port 8000]`."""

    help = "Run the web server and the worker together until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--threads", type=int, default=8)

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_loopback(options["host"]) and all(map(is_loopback, settings.ALLOWED_HOSTS)):
            raise CommandError(
                f"--host {options['host']} opens this server to other machines, but ALLOWED_HOSTS names only this one: "
                "set ALLOWED_HOSTS to the names by which people will reach it, or leave --host out.",
                returncode=2,
            )
        address = f"{options['host']}:{options['port']}"
        web = [sys.executable, "-m", "gunicorn", "orders.wsgi:application", "--bind", address]
        web += ["--worker-class", "gthread", "--threads", str(options["threads"]), "--log-level", "warning"]
        web += ["--graceful-timeout", "5"]  # whoever watches designs being drawn need not be waited for
        worker = [sys.executable, "-m", "django", "work"]
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orders.settings")
        children = [subprocess.Popen(command, start_new_session=True) for command in (web, worker)]  # noqa: S603
        stopping = False

        def stop(*_: Any) -> None:
            nonlocal stopping
            stopping = True

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        self.stdout.write(f"Weftline on http://{options['host']}:{options['port']}/  (Ctrl-C stops server and worker)")
        while not stopping and all(child.poll() is None for child in children):
            time.sleep(0.3)
        ended = [child.args for child in children if child.poll() is not None]
        for child in children:
            if child.poll() is None:
                child.terminate()
        for child in children:
            child.wait()
        if ended and not stopping:
            self.stderr.write(f"{ended[0][2]} ended by itself, so everything was stopped.")
            sys.exit(1)
