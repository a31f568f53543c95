"""What a loom finds in its package."""

import json
import zipfile

import numpy as np
import pytest
from PIL import Image
from production_samples import job_for, raster_for, weave_spec

from generation.domain.pattern import Layout
from production.formats.loom_package import LoomPackage


def package_of(tmp_path, **line):
    spec = weave_spec(**line)
    raster = raster_for(spec)
    job = job_for(spec, raster)
    return raster, LoomPackage().write(job.assessment.draft, job, tmp_path, lambda done, of: None)[0]


def test_the_loom_package_holds_one_pixel_per_crossing(tmp_path):
    raster, path = package_of(tmp_path, layout=Layout.HALF_DROP)
    with zipfile.ZipFile(path) as package:
        specification, weaves = (json.loads(package.read(f"{name}.json")) for name in ("spec", "weaves"))
        with package.open("pointpaper.png") as file, Image.open(file) as paper:
            assert (paper.mode, paper.size) == ("P", (384, 192))
            assert paper.info["dpi"] == pytest.approx((32 * 2.54, 24 * 2.54), abs=0.1)
            pixels = np.asarray(paper)
        with package.open("lift.tif") as file, Image.open(file) as lift:
            assert (lift.mode, lift.size) == ("1", (384, 192))
    assert specification["repeat"]["ends"] == 384
    assert specification["repeat"]["design_repeats"] == [2, 1]
    half = pixels.shape[0] // 2
    assert np.array_equal(pixels[:, 192:], np.roll(pixels[:, :192], half, axis=0))
    assert [weave["colour"] for weave in weaves] == list(raster.palette.colours)


def test_black_in_the_lift_plan_is_warp_up(tmp_path):
    raster, path = package_of(tmp_path)
    with zipfile.ZipFile(path) as package, package.open("lift.tif") as file, Image.open(file) as lift:
        up = ~np.asarray(lift)
    ground = up[raster.indices == 0].mean()  # the light ground is warp-faced satin: seven ends of eight on top
    assert ground == pytest.approx(7 / 8, abs=0.02)
