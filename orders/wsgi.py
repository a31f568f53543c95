"""The WSGI entry point."""

import gc
import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orders.settings")
application = get_wsgi_application()
# All that pages need is loaded now, not while the first person waits.
_ = get_resolver().url_patterns
for _folder in settings.TEMPLATES[0]["DIRS"]:
    for _page in Path(_folder).rglob("*.html"):
        get_template(str(_page.relative_to(_folder)))
# What is loaded stays: looking through it for garbage again and again would hold up one visit in a hundred by 0.2 s.
# A visit makes some ten thousand things, nearly all of which go when it is answered; so it is looked for what is left
# of them every ten thousand, and among all that is there after some five million instead of seventy thousand.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 10, 50)
