"""Look whether PDFs are PDF/X-4 that can be printed on cloth, rule by rule."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import Progress

from production.domain.finding import passed
from production.formats.pdf.preflight import preflight

BAD_INPUT, WRONG = 2, 3


class Command(BaseCommand):
    """`manage.py preflight FILE … [--json]`."""

    help = "Preflight PDF/X-4 files. Status 0: nothing against them; 2: no such file; 3: a rule is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", metavar="FILE", type=Path, nargs="+")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        for path in files:
            if not path.is_file():
                self.stderr.write(f"There is no file {path}.")
                sys.exit(BAD_INPUT)
        found = {}
        with Progress(console=Console(stderr=True), transient=True, disable=options["json"]) as bars:
            for path in bars.track(files, description="Preflight"):
                found[path] = preflight(path)
        if options["json"]:
            answer = {str(path): [finding.as_dict() for finding in each] for path, each in found.items()}
            self.stdout.write(json.dumps(answer, indent=1))
        else:
            for path, each in found.items():
                self.stdout.write(f"{path.name}: " + ("PDF/X-4, nothing against it." if not each else ""))
                for finding in each:
                    self.stdout.write(f"  {finding.sentence} Found: {finding.measured}; asked for: {finding.limit}.")
        sys.exit(0 if all(passed(each) for each in found.values()) else WRONG)
