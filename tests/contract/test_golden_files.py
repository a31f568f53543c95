"""The golden files: what is written today is what was looked at and kept, byte for byte."""

from pathlib import Path

import pytest

from production import services as production
from tests.golden.make import HERE, make


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    make(folder)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("WL-*"))


def test_the_same_files_are_written_as_were_kept(today):
    assert names(today) == names(HERE)


@pytest.mark.parametrize("name", names(HERE))
def test_every_kind_of_file_is_byte_for_byte_what_was_kept(today, name):
    assert (today / name).read_bytes() == (HERE / name).read_bytes(), "made otherwise: python -m tests.golden.make"


@pytest.mark.parametrize("manifest", [name for name in names(HERE) if name.endswith("-manifest.json")])
def test_what_was_kept_reads_back(manifest):
    assert production.verify_files(HERE / manifest) == []
