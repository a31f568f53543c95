"""The cloth on the canvas: it is set as the mill sets it, pixel by pixel, and says in words what it shows."""

import base64

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from generation.domain.pattern import Layout, Palette, Raster, Repeat
from generation.services import picture_png

WIDTH, HEIGHT = 256, 384  # of the repeat, in pixels; four to the millimetre
PX_PER_MM = 4
MAKE = """async ([src, attributes, size]) => {
  document.querySelector("main").replaceChildren();
  await customElements.whenDefined("weft-canvas");
  const cloth = document.createElement("weft-canvas");
  for (const [name, value] of Object.entries(attributes)) cloth.setAttribute(name, value);
  if (src) cloth.setAttribute("src", src);
  document.querySelector("main").append(cloth);
  const {style} = cloth.querySelector(".stage");
  if (size) Object.assign(style, {width: `${size[0]}px`, height: `${size[1]}px`, border: 0});
  while (cloth.state === "loading") await new Promise((done) => setTimeout(done, 10));
  await new Promise(requestAnimationFrame);
}"""
READ = """async (px) => {
  const cloth = document.querySelector("weft-canvas");
  cloth.show({px_per_mm: px, x_mm: 0, y_mm: 0});
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return cloth.querySelector("canvas").toDataURL("image/png");
}"""


@pytest.fixture
def page(faces):
    """An empty page of the product that knows the canvas."""
    page = faces.open(None, width=1600).goto("/login/")
    page.add_script_tag(url="/static/orders/canvas.js")
    page.evaluate(
        "() => document.head.append(Object.assign(document.createElement('link'),"
        " {rel: 'stylesheet', href: '/static/orders/canvas.css'}))"
    )
    return page


def drawn(layout):
    """A repeat without any symmetry, so that every turn and shift of it shows."""
    blocks = np.random.default_rng(7).integers(0, 4, (HEIGHT // 8, WIDTH // 8), np.uint8)
    indices = np.kron(blocks, np.ones((8, 8), np.uint8))
    palette = Palette(("#f6ecd9", "#1f2a4d", "#a3322a", "#2f6b4f"))
    return Raster(indices, palette, Repeat(WIDTH / PX_PER_MM, HEIGHT / PX_PER_MM, layout), seed=1)


def address(png):
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def pixels(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).astype(int)


def shown(page, layout):
    """What the canvas shows of two by two repeats, a pixel for a pixel."""
    raster = drawn(layout)
    size = {"repeat-width-mm": str(raster.repeat.width_mm), "repeat-height-mm": str(raster.repeat.height_mm)}
    page.evaluate(
        MAKE,
        [
            address(picture_png(raster, size_px=HEIGHT)),
            {**size, "layout": layout.value, "view": "three"},
            [2 * WIDTH, 2 * HEIGHT],
        ],
    )
    return pixels(base64.b64decode(page.evaluate(READ, PX_PER_MM).partition(",")[2]))


def apart(seen, layout):
    """The share of pixels that differ from two by two repeats as the mill sets them; the drawn edge left out."""
    meant = pixels(picture_png(drawn(layout), size_px=2 * HEIGHT, columns=2, rows=2))
    assert seen.shape == meant.shape
    return float((np.abs(seen - meant).max(axis=2) > 2)[2:, 2:].mean())


def test_the_canvas_sets_repeats_as_the_mill_does(page):
    seen = {layout: shown(page, layout) for layout in Layout}
    assert {layout: apart(each, layout) for layout, each in seen.items()} == dict.fromkeys(Layout, 0.0)
    for layout, each in seen.items():
        for other in set(Layout) - {layout}:
            assert apart(each, other) > 0.1, f"{layout} can't be told from {other}"


def test_the_canvas_says_in_words_what_it_shows(page):
    def said(**attributes):
        asked = {name.replace("_", "-"): str(value) for name, value in attributes.items()}
        page.evaluate(MAKE, ["", {"layout": "half_drop", "view": "width", "repeat-height-mm": "320", **asked}, None])
        return page.locator("weft-canvas .caption").inner_text()

    assert "4.5 repeats across: the motif is cut at the edge" in said(repeat_width_mm=320, cloth_width_mm=1440)
    assert "5 repeats across exactly" in said(repeat_width_mm=280, cloth_width_mm=1400)
    assert "3.98 repeats across: the motif is cut" in said(repeat_width_mm=362, cloth_width_mm=1440)
    assert "wider than the cloth" in said(repeat_width_mm=1500, cloth_width_mm=1440)
    assert "55.12 in usable width" in said(repeat_width_mm=320, cloth_width_mm=1400, units="imperial")
    picture = page.get_by_role("img", name="4.4 repeats across")
    page.evaluate("() => document.querySelector('weft-canvas').setAttribute('label', 'Design 1.2')")
    words = (
        "Design 1.2. On the cloth's width. 4.4 repeats across: the motif is cut at the edge · 55.12 in usable width. "
        "Repeat 12.6 in × 12.6 in, half drop. Nothing drawn yet: this is how repeats of this size stand."
    )
    expect(picture).to_have_attribute("aria-label", words)
    page.evaluate(MAKE, ["data:image/png;base64,AAAA", {"layout": "straight"}, None])
    expect(page.get_by_role("button", name="Load it again")).to_be_visible()


def test_a_place_is_pointed_at_by_mouse_and_by_keyboard_within_the_repeat_it_lies_in(page):
    attributes = {"repeat-width-mm": "100", "repeat-height-mm": "100", "layout": "half_drop", "view": "three"}
    page.evaluate(MAKE, ["", attributes, [600, 600]])
    page.evaluate(
        "() => { window.told = []; document.querySelector('weft-canvas').addEventListener('weft-point',"
        " ({detail}) => window.told.push([Math.round(detail.x_mm), Math.round(detail.y_mm)])); }"
    )
    stage = page.locator("weft-canvas .stage")
    stage.click(position={"x": 60, "y": 60})  # two pixels are a millimetre: the first repeat, at 30, 30
    stage.click(position={"x": 260, "y": 60})  # the column beside it stands half a repeat lower
    stage.press("Enter")  # the cross in the middle: 150, 150
    assert page.evaluate("window.told") == [[30, 30], [30, 80], [50, 0]]
    stage.press("+")
    stage.press("ArrowRight")
    stage.press("Enter")
    assert page.evaluate("window.told").pop() == [66, 0]  # 40 pixels to the right, now 2.5 to the millimetre
