"""What every machine format keeps, run against each that is registered.

A format joins by one row in CASES. What is special about each kind of file stands in its own module of tests.
"""

import json
import resource
import signal
import tracemalloc
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from django.conf import settings
from production_samples import flipped, job_for, print_spec, raster_for, weave_spec

from generation.domain.pattern import Layout
from production.assessment import assess
from production.domain.finding import Severity
from production.domain.spec import LineSpec
from production.errors import ProductionError
from production.separation import ink_tile
from production.services import machine_format, manifest_of


def anywhere(path: Path, part: float) -> int:
    """A byte of the file, whatever it holds."""
    return int(path.stat().st_size * part)


def in_the_picture(path: Path, part: float) -> int:
    """A byte in the middle of a strip of a TIFF: no reader can tell a changed tag that it does not know."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        strips = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    offset, count = strips[int(part * len(strips))]
    return offset + count // 2


@dataclass(frozen=True)
class Case:
    """How a format is tried: on which line, with which changes to its job, and where a flipped bit must be found."""

    spec: Callable[..., LineSpec]
    job: dict[str, Any] = field(default_factory=dict)
    byte: Callable[[Path, float], int] = anywhere
    grows: bool = False  # with the length of the cloth: then its memory must not


def short(**line):
    """A print of little cloth: 120 mm wide with two repeats and a piece of a third, 120 mm long."""
    return replace(print_spec(**{"quantity_m": 0.12, **line}), width_mm=120.0, usable_width_mm=95.0)


CASES = {
    "tile": Case(print_spec, byte=in_the_picture),
    "inks": Case(print_spec, byte=in_the_picture),
    "spot": Case(print_spec, job={"spots": ("Ivory", "Ink blue", "Mist", "Ochre")}, byte=in_the_picture),
    "bigtiff": Case(short, byte=in_the_picture, grows=True),
    "bigtiff_raw": Case(short, byte=in_the_picture, grows=True),
    "pdfx": Case(short),
    "pdfx_pages": Case(short),
    "loom": Case(weave_spec),
}
CODES = sorted(settings.WEFTLINE["formats"])
LINES = [code for code in CODES if CASES[code].grows]


def master_of(job, raster):
    """What the files of `job` are written from."""
    assessment = job.assessment
    if job.spec.inks is not None:
        return ink_tile(raster, job.spec.inks, assessment.separation)
    return assessment.draft


def case(code, layout=None, **line):
    """(format, design, job) of a small line that this format can be written for."""
    spec = CASES[code].spec(**({"layout": layout} if layout else {}), **line)
    raster = raster_for(spec)
    return machine_format(code), raster, job_for(spec, raster, **CASES[code].job)


def said_of(job, raster):
    """The manifest as it comes back from its file."""
    return json.loads(json.dumps(manifest_of(job, master_of(job, raster)), allow_nan=False))


def written(form, raster, job, folder):
    return form.write(master_of(job, raster), job, folder, lambda done, of: None)


def errors(findings):
    return [finding for finding in findings if finding.severity is Severity.ERROR]


@contextmanager
def no_file_over(size):
    """The disk of this process is full after `size` bytes of each file."""
    limits, before = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def test_every_registered_format_is_tested_here():
    assert set(CODES) == set(CASES)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("layout", list(Layout))
def test_what_was_written_reads_back_in_every_layout(code, layout, tmp_path):
    form, raster, job = case(code, layout)
    paths = written(form, raster, job, tmp_path)
    assert form.code == code
    said = said_of(job, raster)
    assert [error for path in paths for error in errors(form.verify(path, said))] == []
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert all(path.name.startswith(job.name) for path in paths)


@pytest.mark.parametrize("code", CODES)
def test_the_same_job_gives_the_same_bytes(code, tmp_path):
    form, raster, job = case(code)
    once, again = written(form, raster, job, tmp_path / "a"), written(form, raster, job, tmp_path / "b")
    assert [path.name for path in once] == [path.name for path in again]
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("part", [0.03, 0.3, 0.6, 0.9])
def test_a_flipped_bit_is_found(code, part, tmp_path):
    form, raster, job = case(code)
    paths = written(form, raster, job, tmp_path)
    said = said_of(job, raster)
    for path in paths:
        position = CASES[code].byte(path, part) if path.suffix in (".tif", ".zip", ".pdf") else anywhere(path, part)
        damaged = flipped(path, position).rename(tmp_path / "damaged")  # a format may tell its files by their names
        whole = path.rename(tmp_path / "whole")
        damaged.rename(path)
        assert errors(form.verify(path, said)), path.name
        whole.rename(path)
        assert not errors(form.verify(path, said)), path.name


@pytest.mark.parametrize("code", CODES)
def test_half_a_file_is_found(code, tmp_path):
    form, raster, job = case(code)
    paths = written(form, raster, job, tmp_path)
    said = said_of(job, raster)
    for path in paths:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert errors(form.verify(path, said)), path.name


@pytest.mark.parametrize("code", CODES)
def test_another_design_under_this_name_is_found(code, tmp_path):
    form, raster, job = case(code)
    paths = written(form, raster, job, tmp_path)
    indices = raster.indices.copy()
    indices[5, 5] = (indices[5, 5] + 1) % 4
    other = replace(raster, indices=indices)
    said = said_of(replace(job, assessment=assess(other, spec=job.spec)), other)
    assert [error for path in paths for error in errors(form.verify(path, said))]


@pytest.mark.parametrize("code", CODES)
def test_a_full_disk_leaves_no_half_file(code, tmp_path):
    form, raster, job = case(code)
    with no_file_over(3000), pytest.raises(ProductionError) as refused:
        written(form, raster, job, tmp_path)
    assert refused.value.retryable
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", CODES)
def test_the_files_before_stay_whole_when_writing_them_again_fails(code, tmp_path):
    form, raster, job = case(code)
    before = {path: path.read_bytes() for path in written(form, raster, job, tmp_path)}
    with no_file_over(3000), pytest.raises(ProductionError):
        written(form, raster, job, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("code", CODES)
def test_writing_tells_how_far_it_is(code, tmp_path):
    form, raster, job = case(code)
    told = []
    form.write(master_of(job, raster), job, tmp_path, lambda done, of: told.append((done, of)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]
    assert len({of for _, of in told}) == 1


@pytest.mark.parametrize("code", LINES)
def test_memory_does_not_grow_with_the_length_of_the_cloth(code, tmp_path):
    peaks = []
    for metres in (0.5, 3.0):
        form, raster, job = case(code, quantity_m=metres)
        master, said = master_of(job, raster), said_of(job, raster)
        tracemalloc.start()
        for path in form.write(master, job, tmp_path, lambda done, of: None):
            assert not errors(form.verify(path, said))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 3_000_000


def test_the_full_disk_of_these_tests_is_one(tmp_path):
    with no_file_over(3000), pytest.raises(OSError, match="File too large"):
        (tmp_path / "whole").write_bytes(np.zeros(4000, np.uint8).tobytes())
