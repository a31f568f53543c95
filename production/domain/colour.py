"""Colour in pure numpy: sRGB and CIE L*a*b* (D50, as ICC profiles count it) both ways, and CIEDE2000."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

D50 = np.array([0.9642, 1.0, 0.8249])  # ICC.1:2001-04, 5.3: the profile connection space illuminant

# linear sRGB (D65, IEC 61966-2-1) to XYZ adapted to D50 by the Bradford transform
_RGB_TO_XYZ_D50 = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
_DELTA = 6 / 29


def srgb_to_lab(rgb: NDArray[np.uint8]) -> FloatArray:
    """sRGB (..., 3) uint8 to CIE L*a*b* D50 (..., 3) float64 (IEC 61966-2-1; CIE 15:2004, 8.2.1).

    >>> (srgb_to_lab(np.array([255, 0, 0], np.uint8)).round(1)).tolist()
    [54.3, 80.8, 69.9]
    """
    value = np.asarray(rgb, np.float64) / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return xyz_to_lab(linear @ _RGB_TO_XYZ_D50.T) + 0.0


def lab_to_srgb(lab: FloatArray) -> NDArray[np.uint8]:
    """CIE L*a*b* D50 (..., 3) to the nearest sRGB (..., 3) uint8, clipped to what a screen shows."""
    linear = lab_to_xyz(lab) @ np.linalg.inv(_RGB_TO_XYZ_D50).T
    linear = np.clip(linear, 0.0, 1.0)
    value = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    rgb: NDArray[np.uint8] = np.rint(value * 255).astype(np.uint8)
    return rgb


def xyz_to_lab(xyz: FloatArray, white: FloatArray = D50) -> FloatArray:
    """XYZ (..., 3), Y of white 1, to L*a*b* (CIE 15:2004, 8.2.1)."""
    ratio = xyz / white
    f = np.where(ratio > _DELTA**3, np.cbrt(ratio), ratio / (3 * _DELTA**2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def lab_to_xyz(lab: FloatArray, white: FloatArray = D50) -> FloatArray:
    """L*a*b* (..., 3) to XYZ, Y of white 1 (CIE 15:2004, 8.2.1 inverted)."""
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    xyz: FloatArray = np.where(f > _DELTA, f**3, 3 * _DELTA**2 * (f - 4 / 29)) * white
    return xyz


def delta_e_2000(lab1: FloatArray, lab2: FloatArray) -> FloatArray:
    """CIEDE2000 difference of L*a*b* colours (..., 3), kL = kC = kH = 1.

    Source: G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000 Color-Difference Formula: Implementation Notes, Supplementary
    Test Data, and Mathematical Observations", Color Research and Application 30 (2005), equations 2 to 22.

    >>> a, b = np.array([50, 2.6772, -79.7751]), np.array([50, 0, -82.7485])
    >>> round(float(delta_e_2000(a, b)), 4)
    2.0425
    """
    lab1, lab2 = np.broadcast_arrays(np.asarray(lab1, np.float64), np.asarray(lab2, np.float64))
    mean_c = (np.hypot(lab1[..., 1], lab1[..., 2]) + np.hypot(lab2[..., 1], lab2[..., 2])) / 2
    g = 0.5 * (1 - np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)))
    a1, a2 = (1 + g) * lab1[..., 1], (1 + g) * lab2[..., 1]
    c1, c2 = np.hypot(a1, lab1[..., 2]), np.hypot(a2, lab2[..., 2])
    h1 = np.degrees(np.arctan2(lab1[..., 2], a1)) % 360
    h2 = np.degrees(np.arctan2(lab2[..., 2], a2)) % 360
    grey = c1 * c2 == 0

    turn = h2 - h1
    turn = np.where(turn > 180, turn - 360, np.where(turn < -180, turn + 360, turn))
    dl, dc = lab2[..., 0] - lab1[..., 0], c2 - c1
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(np.where(grey, 0.0, turn)) / 2)

    mean_l, mean_cp = (lab1[..., 0] + lab2[..., 0]) / 2, (c1 + c2) / 2
    both = h1 + h2
    apart = np.abs(h1 - h2) > 180
    mean_h = np.where(grey, both, np.where(~apart, both / 2, np.where(both < 360, both / 2 + 180, both / 2 - 180)))
    t = (
        1
        - 0.17 * np.cos(np.radians(mean_h - 30))
        + 0.24 * np.cos(np.radians(2 * mean_h))
        + 0.32 * np.cos(np.radians(3 * mean_h + 6))
        - 0.20 * np.cos(np.radians(4 * mean_h - 63))
    )
    sl = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    sc, sh = 1 + 0.045 * mean_cp, 1 + 0.015 * mean_cp * t
    rotation = 2 * np.sqrt(mean_cp**7 / (mean_cp**7 + 25.0**7))
    rt = -np.sin(np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2)))) * rotation
    lightness, chroma, hue = dl / sl, dc / sc, dh / sh
    difference: FloatArray = np.sqrt(np.maximum(lightness**2 + chroma**2 + hue**2 + rt * chroma * hue, 0.0))
    return difference
