"""Look after the line once: for a cron job, or a person in doubt."""

from typing import Any

from django.core.management.base import BaseCommand

from orders import clocks, flow, following, health


class Command(BaseCommand):
    """`manage.py sweep`."""

    help = "Block lines whose worker died on its last try, ring for every step that is due, and follow the ERPs."

    def handle(self, *args: Any, **options: Any) -> None:
        rang = flow.sweep()
        following.follow_due()
        clocks.keep_all_up()
        health.beat("sweeper")
        self.stdout.write(f"{rang} step(s) due; the workers were rung for each.")
