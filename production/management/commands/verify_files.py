"""Read every production file of a folder back, by other code than wrote it, and compare it with the manifest."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import Progress

from production import services as production
from production.domain.finding import Severity
from production.errors import ManifestDamaged

BAD_INPUT, WRONG = 2, 3


class Command(BaseCommand):
    """`manage.py verify_files DIR [--json]`."""

    help = "Read the files of a folder back. Status 0: all as released; 2: no manifest; 3: a file is not what it was."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path, help="a folder with a manifest, or the manifest itself")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        manifests = [folder] if folder.is_file() else sorted(folder.glob("*-manifest.json"))
        if not manifests:
            self.stderr.write(f"There is no manifest in {folder}: name a folder that files were made in.")
            sys.exit(BAD_INPUT)
        found = {}
        with Progress(console=Console(stderr=True), transient=True, disable=options["json"]) as bars:
            task = bars.add_task("Reading back")
            for manifest in manifests:
                try:
                    found[manifest.name] = production.verify_files(
                        manifest,
                        lambda what, done, of: bars.update(task, description=what, completed=done, total=of),
                    )
                except ManifestDamaged as error:
                    self.stderr.write(str(error))
                    sys.exit(WRONG)
                except (ValueError, KeyError, TypeError, AttributeError):  # one that says what no job can be
                    self.stderr.write(f"{manifest.name} is damaged: release the job again.")
                    sys.exit(WRONG)
        wrong = any(finding.severity is Severity.ERROR for each in found.values() for finding in each)
        if options["json"]:
            self.stdout.write(json.dumps({name: [f.as_dict() for f in each] for name, each in found.items()}, indent=1))
        else:
            for name, each in found.items():
                self.stdout.write(f"{name}: " + ("every file is as it was released." if not each else ""))
                for finding in each:
                    self.stdout.write(f"  {finding.sentence} {finding.measured}, not {finding.limit}. {finding.remedy}")
        sys.exit(WRONG if wrong else 0)
