"""A person and a worker of an installation in one process, for as long as a test lasts: to start one takes seconds.

Each line in is Python to run, as JSON; each line out is what it printed.
"""

import contextlib
import io
import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orders.settings")
django.setup()

from django.conf import settings  # noqa: E402

settings.WEFTLINE["generators"]["quick"] = "tests.quick_generator.QuickGenerator"

for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(json.loads(line), {})
    print(json.dumps(said.getvalue()), flush=True)
