"""A simulated scan says of itself that it is one, in every kind of file, and whoever reads it knows."""

import numpy as np
import pytest

from production.inspection.capture import NotInspectable, read_scan, says_synthetic
from production.inspection.simulate import FILES, write_scan

SCAN = np.random.default_rng(3).integers(30, 220, (300, 200, 3)).astype(np.uint8)


@pytest.mark.parametrize("suffix", sorted(FILES))
def test_a_file_of_a_simulated_scan_says_so_and_at_which_resolution_it_is(tmp_path, suffix):
    path = tmp_path / f"roll{suffix}"
    write_scan(path, SCAN, of="WL-000001-1 r1")
    assert says_synthetic(path)
    read = read_scan(path)
    assert read.synthetic
    assert read.dpi == pytest.approx(100, abs=0.6)
    assert read.rgb.shape == SCAN.shape
    if suffix not in {".jpg", ".jpeg"}:
        assert np.array_equal(read.rgb, SCAN)


def test_a_scan_of_another_kind_of_file_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="PNG, TIFF or JPEG"):
        write_scan(tmp_path / "roll.webp", SCAN)


def test_what_says_nothing_and_what_is_no_picture_is_not_called_synthetic(tmp_path):
    path = tmp_path / "roll.png"
    path.write_bytes(b"SYNTHETIC")
    assert not says_synthetic(path)
    assert not says_synthetic(tmp_path / "gone.png")
    with pytest.raises(NotInspectable):
        read_scan(path)
