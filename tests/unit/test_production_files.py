"""Files that are there whole or not at all, whoever else writes them and whatever goes wrong."""

import errno
import hashlib
import os

import pytest

from production.errors import DiskFull
from production.files import sha256_of, write_bytes_whole, write_together, write_whole


def test_two_who_write_one_file_at_once_never_mix_their_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 7)  # two containers, one volume
    target = tmp_path / "tile.tif"

    def interrupted(path):
        path.write_bytes(b"ours, first half, ")
        write_bytes_whole(target, b"theirs")
        assert target.read_bytes() == b"theirs"
        with path.open("ab") as file:
            file.write(b"second half")

    write_whole(target, interrupted)
    assert target.read_bytes() == b"ours, first half, second half"
    assert list(tmp_path.iterdir()) == [target]


def test_files_that_belong_together_take_their_places_together(tmp_path):
    tile, profile = tmp_path / "tile.tif", tmp_path / "tile.icc"
    tile.write_bytes(b"before")

    def fail(path):
        path.write_bytes(b"half")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_together({tile: lambda path: path.write_bytes(b"after") and None, profile: fail})
    assert tile.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [tile]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_is_said_so_and_other_trouble_is_not_called_that(number, tmp_path):
    def fail(path, number=number):
        path.write_bytes(b"half")
        raise OSError(number, "no room")

    with pytest.raises(DiskFull) as refused:
        write_whole(tmp_path / "tile.tif", fail)
    assert refused.value.fields == {"path": "tile.tif"}
    with pytest.raises(OSError, match="no room") as other:
        write_whole(tmp_path / "tile.tif", lambda path: fail(path, errno.EIO))
    assert other.value.errno == errno.EIO
    assert list(tmp_path.iterdir()) == []


def test_a_checksum_is_that_of_the_whole_file(tmp_path):
    data = bytes(range(256)) * 8200  # more than one piece
    (tmp_path / "file").write_bytes(data)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(data).hexdigest()
