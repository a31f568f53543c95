"""The tickets that machines read: XJDF against its schema, the hot-folder dialects against the manifest."""

import json
import os
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured
from lxml import etree
from production_samples import job_for, print_spec, raster_for, weave_spec

from generation.domain.pattern import Layout, layout_tiling
from orders import environment as env
from production.colour_profiles import PROFILES
from production.domain.finding import Severity
from production.domain.spec import Ink, Profile
from production.errors import LayoutNotInTicket, TicketForPrintOnly, TicketNeedsFile
from production.files import sha256_of
from production.formats.tickets import xjdf
from production.formats.tickets.ticket import PLACES, text
from production.papers import PAPERS
from production.ports import LotUse, WrittenFile
from production.separation import ink_tile
from production.services import manifest_of

TICKETS = tuple(PLACES)
SCHEMA = Path(os.environ.get("XJDF_SCHEMA") or Path(__file__).resolve().parents[3] / "shared" / "xjdf" / "xjdf.xsd")
ODD = 'Ünï "quoted" <&> \t\n二 🧵 \x00\x07 \ud800 --> ]]> é'
NS = {"j": xjdf.NAMESPACE, "w": xjdf.OURS}


@pytest.fixture
def schema(settings):
    """CIP4's schema, which its licence keeps out of the repository."""
    if not SCHEMA.is_file():
        pytest.skip(f"no xjdf.xsd at {SCHEMA}: tickets are compared with the manifest only, not with CIP4's schema")
    settings.WEFTLINE = {**settings.WEFTLINE, "xjdf_schema": SCHEMA}


@pytest.fixture
def no_schema(settings):
    settings.WEFTLINE = {**settings.WEFTLINE, "xjdf_schema": None}


def case(folder, *, layout=Layout.HALF_DROP, formats=("tile",), spec=None, rip_folder="", **changes):
    """A job with the files written before its tickets (their bytes don't matter to them), and its manifest."""
    spec = spec or print_spec(layout=layout, quantity_m=0.5)
    maker = replace(spec.makers[0], sidecar="xjdf", rip_folder=rip_folder)
    operations = tuple(tuple(maker if m.code == maker.code else m for m in step) for step in spec.operations)
    spec = replace(spec, operations=operations)
    raster = raster_for(spec)
    job = job_for(spec, raster, **changes)
    names = {"tile": [".tif"], "spot": ["-spot.tif"], "inks": ["_(Cyan).tif", "_(Light Magenta).tif"], "pdfx": [".pdf"]}
    files = [
        WrittenFile(folder / f"{job.name}{suffix}", f"{k:02x}" * 32, code, 1000 + k)
        for k, (code, suffix) in enumerate((code, suffix) for code in formats for suffix in names[code])
    ]
    master = ink_tile(raster, spec.inks, job.assessment.separation) if spec.inks else job.assessment.draft
    manifest = manifest_of(job, master)
    manifest["files"] = [
        {"name": file.path.name, "format": file.format, "sha256": file.sha256, "bytes": file.size_bytes}
        for file in files
    ]
    return SimpleNamespace(
        job=job, raster=raster, files=files, manifest=json.loads(json.dumps(manifest)), folder=folder
    )


def written(made, code):
    path = made.folder / f"{made.job.name}{PAPERS[code].suffix}"
    path.write_bytes(PAPERS[code].write(made.job, made.raster, made.files))
    return path


def wrong(code, path, manifest):
    return [finding.where for finding in PAPERS[code].verify(path, manifest) if finding.severity is Severity.ERROR]


def six_inks(spec):
    """The same line with two more inks, under names that no ticket's lists can hold."""
    inks = spec.inks
    path = PROFILES / "reactive-cmykov-cotton-synthetic.icc"
    profile = Profile("Six inks, SYNTHETIC", sha256_of(path), path, synthetic=True)
    more = (Ink("O", "Light Orange", "INK-O", 10.0), Ink("V", "Light_Orange", "INK-V", 10.0))
    return replace(spec, inks=replace(inks, code="RE 6", inks=(*inks.inks, *more), profile=profile))


# ------------------------------------------------------------------------------------------------ XJDF


@pytest.mark.parametrize("quantity_m", [0.2, 2.0, 400.0], ids=["short", "some metres", "long"])
@pytest.mark.parametrize("layout", list(Layout))
def test_a_ticket_is_valid_by_the_schema_and_says_what_the_manifest_says(schema, layout, quantity_m, tmp_path):
    made = case(tmp_path, spec=print_spec(layout=layout, quantity_m=quantity_m))
    path = written(made, "xjdf")
    assert wrong("xjdf", path, made.manifest) == []
    root = etree.parse(str(path)).getroot()
    placed = root.findall(".//j:PlacedObject", NS)
    everything = sum(1 for _ in made.job.sheet.placements())
    said = root.find(".//w:StepRepeat", NS)
    if everything <= xjdf.MOST_PLACEMENTS:
        assert (len(placed), said.get("Placed")) == (everything, "all")
    else:
        assert (len(placed) < 100, said.get("Placed")) == (True, "period")
    assert (said.get("Drop"), said.get("Shift")) == (str(layout.drop), str(layout.shift))


def test_every_text_field_may_hold_anything(schema, tmp_path):
    spec = print_spec(quantity_m=0.3)
    profile = replace(spec.inks.profile, name=ODD)
    inks = tuple(replace(ink, name=f"{ODD}{k}") for k, ink in enumerate(spec.inks.inks))
    inks = replace(spec.inks, name=ODD, code=ODD, ink_class=ODD, profile=profile, inks=inks)
    made = case(
        tmp_path,
        spec=replace(spec, sku=ODD, name=ODD, fibre=ODD, inks=inks, snapped=(ODD,)),
        reference=ODD,
        shop=ODD,
        customer=ODD,
        order=ODD,
        words=ODD,
        url=f"https://mill.example/{ODD}",
        lots=(LotUse(ODD, ODD, ODD, Decimal(1), "m"),),
    )
    path = written(made, "xjdf")
    assert wrong("xjdf", path, made.manifest) == []
    root = etree.parse(str(path)).getroot()
    assert root.find(".//j:Company", NS).get("OrganizationName") == text(ODD)
    assert "🧵" in root.findtext("j:Comment", namespaces=NS)
    for code in ("ergosoft", "printfactory"):
        assert wrong(code, written(made, code), made.manifest) == []


def test_six_inks_are_listed_under_names_of_their_own(schema, tmp_path):
    made = case(tmp_path, spec=six_inks(print_spec(quantity_m=0.5)))
    path = written(made, "xjdf")
    assert wrong("xjdf", path, made.manifest) == []
    root = etree.parse(str(path)).getroot()
    control = root.find(".//j:ColorantControl", NS)
    assert control.get("ProcessColorModel") == "DeviceN"
    assert control.get("ColorantOrder") == "Cyan Magenta Yellow Black Light_Orange Light_Orange-2"
    named = [each.get("ActualColorName") for each in root.findall(".//j:Color", NS)]
    assert named[-2:] == ["Light Orange", "Light_Orange"]
    amounts = [float(each.get("Amount")) for each in root.findall(".//j:ResourceSet[@Name='Ink']//j:PartAmount", NS)]
    assert amounts == pytest.approx(list(made.job.assessment.usage.ink_ml.values()), abs=1e-4)
    assert len(amounts) == 6


def test_a_profile_beside_the_file_is_named_as_it_lies_there(schema, tmp_path):
    made = case(tmp_path)
    sha256 = made.job.spec.inks.profile.sha256
    made.files.append(WrittenFile(tmp_path / "beside it.icc", sha256, "tile", 5))
    made.manifest["files"].append({"name": "beside it.icc", "format": "tile", "sha256": sha256, "bytes": 5})
    path = written(made, "xjdf")
    assert wrong("xjdf", path, made.manifest) == []
    data = path.read_bytes()
    assert b'URL="beside%20it.icc"' in data
    path.write_bytes(data.replace(b"beside%20it", b"another"))
    assert wrong("xjdf", path, made.manifest) == ["profile"]


def test_spot_channels_keep_their_exact_names(schema, tmp_path):
    spots = ("Ecru", "Navy", "Light Blue", "Old gold")
    made = case(tmp_path, formats=("spot",), spots=spots)
    made.manifest["spots"]["channels"]  # what the verifier goes by
    path = written(made, "xjdf")
    assert wrong("xjdf", path, made.manifest) == []
    colours = etree.parse(str(path)).getroot().findall(".//j:Color", NS)
    assert tuple(each.get("ActualColorName") for each in colours) == spots
    made.manifest["spots"]["channels"][2]["name"] = "Light  Blue"
    assert "name of an ink" in wrong("xjdf", path, made.manifest)


def test_one_file_per_ink_is_one_list_of_files(schema, tmp_path):
    made = case(tmp_path, formats=("inks",))
    path = written(made, "xjdf")
    assert wrong("xjdf", path, made.manifest) == []
    specs = etree.parse(str(path)).getroot().findall(".//j:ResourceSet[@Name='RunList']//j:FileSpec", NS)
    assert [each.get("URL") for each in specs] == [
        "WL-000001-1-r1_%28Cyan%29.tif",
        "WL-000001-1-r1_%28Light%20Magenta%29.tif",
    ]


def test_a_file_of_the_whole_length_is_placed_once(schema, tmp_path):
    made = case(tmp_path, formats=("pdfx",))
    path = written(made, "xjdf")
    assert wrong("xjdf", path, made.manifest) == []
    root = etree.parse(str(path)).getroot()
    assert len(root.findall(".//j:PlacedObject", NS)) == 1
    assert root.find(".//w:StepRepeat", NS).get("Placed") == "file"
    assert root.find(".//j:StripMark", NS) is None


def test_a_repeat_is_placed_before_the_whole_length(tmp_path, no_schema):
    made = case(tmp_path, formats=("pdfx", "tile"))
    assert b'URL="WL-000001-1-r1.tif"' in written(made, "xjdf").read_bytes()


def test_placements_stand_where_the_cloth_is_built(tmp_path, no_schema):
    for layout in Layout:
        made = case(tmp_path, spec=print_spec(layout=layout, quantity_m=0.15, usable_width_mm=170.0))
        root = etree.parse(str(written(made, "xjdf"))).getroot()
        sheet = made.job.sheet
        scale = sheet.dpi / 72
        tile = np.arange(sheet.tile_px[0] * sheet.tile_px[1], dtype=np.int32).reshape(sheet.tile_px[::-1])
        cloth = np.full((sheet.length_px, sheet.width_px), -1, np.int32)
        for each in root.findall(".//j:PlacedObject", NS):
            a, _, _, d, x, y = (float(value) for value in each.get("CTM").split())
            left, bottom, right, top = (round(float(value) * scale) for value in each.get("ClipBox").split())
            turned = tile[:: int(d), :: int(a)]
            x0 = round(x * scale) - (sheet.tile_px[0] if a < 0 else 0)
            foot = round(y * scale) - (sheet.tile_px[1] if d < 0 else 0)
            y0 = sheet.length_px - foot - sheet.tile_px[1]
            rows, columns = slice(sheet.length_px - top, sheet.length_px - bottom), slice(left, right)
            assert (cloth[rows, columns] == -1).all(), "two repeats on one place"
            cloth[rows, columns] = turned[rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0]
        across = -(-sheet.pattern_width_px // sheet.tile_px[0]) + 1
        along = -(-sheet.pattern_length_px // sheet.tile_px[1]) + 1
        built = layout_tiling(tile, layout, across + across % 6, along + along % 6)
        pattern = cloth[sheet.y_px :, sheet.x_px :][: sheet.pattern_length_px, : sheet.pattern_width_px]
        assert (pattern == built[: sheet.pattern_length_px, : sheet.pattern_width_px]).all(), layout
        cloth[sheet.y_px :, sheet.x_px :][: sheet.pattern_length_px, : sheet.pattern_width_px] = -1
        assert (cloth == -1).all(), "printed beside the pattern"


CHANGES = {
    "file to print": ("CheckSum", "ab", "RunList", "FileSpec"),
    "length of cloth": ("Amount", "7", "Media", "PartAmount"),
    "quantity": ("Amount", "7", "Component", "PartAmount"),
    "ink in ml": ("Amount", "7", "Ink", "PartAmount"),
    "resolution": ("Resolution", "72 72", "RenderingParams", "ObjectResolution"),
    "placement of the repeats": ("CTM", "1 0 0 1 0 0", "Layout", "PlacedObject"),
    "size of the cloth": ("SurfaceContentsBox", "0 0 1 1", "Layout", "Layout"),
    "width of the roll": ("Dimension", "12 0", "Media", "Media"),
    "name of an ink": ("ActualColorName", "Cyanide", "Color", "Color"),
    "colour of an ink": ("Lab", "0 0 0", "Color", "Color"),
    "list of separations": ("Separation", "Red", "Color", "Part"),
    "profile": ("CheckSum", "ab", "ColorSpaceConversionParams", "FileSpec"),
    "list of inks": ("Separation", "Magenta", "Ink", "Part"),
    "colour model": ("ProcessColorModel", "DeviceN", "ColorantControl", "ColorantControl"),
    "size of the file": ("SourceTrimBox", "0 0 1 1", "RunList", "RunList"),
    "size of a repeat": ("TrimSize", "1 1", "Layout", "PlacedObject"),
    "job": ("Value", "WL-000002-1-r1", "Layout", "IdentificationField"),
    "printer": ("DeviceID", "PRT9", "Device", "Device"),
    "fabric": ("ExternalID", "SILK", "Media", "Resource"),
    "Scaling": ("Scaling", "2 2", "InterpretingParams", "InterpretingParams"),
    "Operation": ("Operation", "Convert", "ColorSpaceConversionParams", "ColorSpaceConversionOp"),
    "NPage": ("NPage", "2", "RunList", "RunList"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_else_a_ticket_says_is_found(what, tmp_path, no_schema):
    made = case(tmp_path)
    path = written(made, "xjdf")
    name, value, group, element = CHANGES[what]
    root = etree.parse(str(path)).getroot()
    root.find(f".//j:ResourceSet[@Name='{group}']//j:{element}", NS).set(name, value)
    path.write_bytes(etree.tostring(root))
    assert what in wrong("xjdf", path, made.manifest)


@pytest.mark.parametrize("code", TICKETS)
def test_a_number_that_is_none_is_never_the_right_one(code, tmp_path, no_schema):
    made = case(tmp_path, formats=("tile", "pdfx"))
    path = written(made, code)
    whole = etree.parse(str(path)).getroot()
    numbers = {  # what a machine measures by
        "xjdf": [("PartAmount", "Amount"), ("Media", "Dimension"), ("PlacedObject", "TrimSize")],
        "ergosoft": [("SizeFactorHorz", None), ("SizeFactorVert", None)],
        "printfactory": [("SourceArea", "Right"), ("SourceArea", "Bottom"), ("Design", "Width"), ("Design", "Height")],
        "durst": [("PrintItem", "width"), ("PrintItem", "height")],
    }[code]
    for name, attribute in numbers:
        root = deepcopy(whole)
        node = next(each for each in root.iter(etree.Element) if etree.QName(each).localname == name)
        if attribute is None:
            node.text = "nan"
        else:
            node.set(attribute, " ".join("nan" for _ in node.get(attribute).split()))
        path.write_bytes(etree.tostring(root))
        assert wrong(code, path, made.manifest), (name, attribute)


@pytest.mark.parametrize("code", TICKETS)
def test_a_ticket_that_lacks_a_part_is_found_whichever_it_is(code, tmp_path, no_schema):
    made = case(tmp_path, formats=("tile", "pdfx"), customer="", order="", words="", shop="")
    path = written(made, code)
    whole = etree.parse(str(path)).getroot()
    # What a machine does well without: words for people, times, and what the mill measures.
    needless = {"Comment", "Intent", "NodeInfo", "QualityControlParams", "ColorMeasurement", "ContentObject"}
    needless |= {"ColorMeasurementConditions", "StripMark", "IdentificationField", "TIFFFormatParams", "Ink", "User"}
    needless |= {"MediaIntent", "ColorIntent", "SurfaceColor", "LayoutIntent", "ProductionIntent", "Contact", "Company"}
    for k, each in enumerate(whole.iter()):
        name = etree.QName(each).localname if isinstance(each.tag, str) else ""
        within = {etree.QName(parent).localname for parent in each.iterancestors()}
        group = each.get("Name") or next((up.get("Name") for up in each.iterancestors() if up.get("Name")), "")
        if k == 0 or name in needless or within & {"Product"} or group in needless or each.get("IDUsage") == "Link":
            continue
        root = deepcopy(whole)
        lacking = list(root.iter())[k]
        lacking.getparent().remove(lacking)
        path.write_bytes(etree.tostring(root))
        assert wrong(code, path, made.manifest), (name, group)


@pytest.mark.parametrize("code", TICKETS)
def test_a_ticket_of_another_job_is_found(code, tmp_path, no_schema):
    made = case(tmp_path, formats=("tile", "pdfx"))
    path = written(made, code)
    path.write_bytes(path.read_bytes().replace(b'WL-000001-1-r1"', b'WL-000002-1-r1"').replace(b"-r1</", b"-r2</"))
    assert "job" in wrong(code, path, made.manifest)


@pytest.mark.parametrize("code", TICKETS)
def test_a_manifest_that_names_nothing_to_place_is_found(code, tmp_path, no_schema):
    made = case(tmp_path, formats=("tile", "pdfx"))
    path = written(made, code)
    made.manifest["files"] = []
    assert wrong(code, path, made.manifest) == ["structure"]


@pytest.mark.parametrize(
    "key", ["Drop", "TilePixels", "OriginPixels", "PatternPixels", "ClothPixels", "Resolution", "Placed"]
)
def test_the_step_and_repeat_in_pixels_is_read_too(key, tmp_path, no_schema):
    made = case(tmp_path)
    path = written(made, "xjdf")
    root = etree.parse(str(path)).getroot()
    root.find(".//w:StepRepeat", NS).set(key, "1 1")
    path.write_bytes(etree.tostring(root))
    assert "step and repeat" in wrong("xjdf", path, made.manifest)


def test_the_schema_finds_what_it_does_not_allow(schema, tmp_path):
    made = case(tmp_path)
    path = written(made, "xjdf")
    root = etree.parse(str(path)).getroot()
    root.find(".//j:ColorantControl", NS).set("ColorantOrder", "Light Cyan,Magenta")
    root.find(".//j:Media", NS).set("MediaType", "Cloth")
    path.write_bytes(etree.tostring(root))
    assert "schema" in wrong("xjdf", path, made.manifest)


def test_a_schema_that_is_not_there_stops_the_start(monkeypatch, tmp_path):
    monkeypatch.setenv("XJDF_SCHEMA", str(tmp_path / "none.xsd"))
    with pytest.raises(ImproperlyConfigured, match="XJDF_SCHEMA names"):
        env.file("XJDF_SCHEMA")
    (tmp_path / "none.xsd").write_bytes(b"")
    assert env.file("XJDF_SCHEMA") == (tmp_path / "none.xsd").resolve()
    monkeypatch.delenv("XJDF_SCHEMA")
    assert env.file("XJDF_SCHEMA") is None


# ------------------------------------------------------------------------------------------------ all of them


@pytest.mark.parametrize("code", TICKETS)
def test_the_same_job_gives_the_same_ticket(code, tmp_path):
    one, other = (case(tmp_path, formats=("tile", "pdfx")) for _ in range(2))
    assert PAPERS[code].write(one.job, one.raster, one.files) == PAPERS[code].write(
        other.job, other.raster, other.files
    )


@pytest.mark.parametrize("code", TICKETS)
def test_a_ticket_cut_short_or_made_to_grow_is_found(code, tmp_path, no_schema):
    made = case(tmp_path, formats=("tile", "pdfx"))
    path = written(made, code)
    assert wrong(code, path, made.manifest) == []
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert wrong(code, path, made.manifest) == ["form"]
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    path.write_bytes(whole.replace(b"?>\n", b"?>\n" + bomb, 1))
    assert wrong(code, path, made.manifest) == ["form"]
    path.write_bytes(b"<other/>")
    assert wrong(code, path, made.manifest)


@pytest.mark.parametrize("code", TICKETS)
def test_a_woven_job_has_no_printer_s_ticket(code, tmp_path):
    made = case(tmp_path, spec=weave_spec())
    with pytest.raises(TicketForPrintOnly, match="is woven: its loom package says everything"):
        PAPERS[code].write(made.job, made.raster, made.files)


@pytest.mark.parametrize("code", TICKETS)
def test_a_ticket_without_a_file_to_place_says_which_it_needs(code, tmp_path):
    made = case(tmp_path)
    with pytest.raises(TicketNeedsFile, match="ask for one of them") as refused:
        PAPERS[code].write(made.job, made.raster, ())
    assert refused.value.fields["limit"] == PLACES[code]


@pytest.mark.parametrize("code", ["ergosoft", "printfactory", "durst"])
@pytest.mark.parametrize("layout", list(Layout))
def test_each_layout_is_said_in_a_dialect_or_refused_by_name(code, layout, tmp_path):
    made = case(tmp_path, layout=layout, formats=("tile", "pdfx"))
    if (code, layout) in {
        ("ergosoft", Layout.HALF_BRICK),
        ("ergosoft", Layout.THIRD_DROP),
        ("printfactory", Layout.THIRD_DROP),
    }:
        with pytest.raises(LayoutNotInTicket, match=layout.value.replace("_", " ")) as refused:
            PAPERS[code].write(made.job, made.raster, made.files)
        assert refused.value.fields["field"] == "layout"
        return
    path = written(made, code)
    assert wrong(code, path, made.manifest) == []
    other = json.loads(json.dumps(made.manifest))
    other["sheet"]["layout"] = "straight" if layout is not Layout.STRAIGHT else "mirror"
    assert code == "durst" or wrong(code, path, other) == ["layout"]


def test_ergosoft_s_words_are_those_of_its_documentation(tmp_path):
    made = case(tmp_path, layout=Layout.MIRROR, rip_folder="C:\\hot")
    root = etree.fromstring(written(made, "ergosoft").read_bytes())
    image = root.find("Job/StepAndRepeatImage")
    sheet = made.job.sheet
    assert image.get("FileName") == "C:\\hot\\WL-000001-1-r1.tif"
    assert {each.tag: float(each.text) for each in image} == pytest.approx(
        {
            "SizeFactorHorz": sheet.pattern_width_px / sheet.tile_px[0],
            "SizeFactorVert": sheet.pattern_length_px / sheet.tile_px[1],
            "SelectedOffset": 0,
            "MirrorHorzX": 1,
            "MirrorHorzY": 0,
            "MirrorVertX": 0,
            "MirrorVertY": 1,
        },
        abs=1e-7,
    )


def test_printfactory_counts_eighteen_units_to_the_inch(tmp_path):
    made = case(tmp_path, layout=Layout.HALF_BRICK)
    root = etree.fromstring(written(made, "printfactory").read_bytes())
    design, sheet = root.find(".//Design"), made.job.sheet
    inches = [float(design.get(side)) / 18 for side in ("Width", "Height")]
    assert inches == pytest.approx([px / sheet.dpi for px in sheet.tile_px], abs=1e-6)
    assert (root.findtext(".//Type"), root.find(".//Drop").get("Denominator")) == ("1", "2")


@pytest.mark.parametrize(
    ("folder", "url"),
    [
        ("", "WL-000001-1-r1.pdf"),
        ("/jobs in", "file:/jobs%20in/WL-000001-1-r1.pdf"),
        ("smb://rip/hot/", "smb://rip/hot/WL-000001-1-r1.pdf"),
        ("D:\\hot", "file:///D:/hot/WL-000001-1-r1.pdf"),
    ],
)
def test_durst_s_item_is_the_whole_length_once_wherever_its_folder_is(folder, url, tmp_path):
    made = case(tmp_path, formats=("tile", "pdfx"), rip_folder=folder)
    path = written(made, "durst")
    item = etree.fromstring(path.read_bytes()).find("ProductionJob/PrintItem")
    assert (item.get("url"), item.get("unit"), item.get("numberOfCopies")) == (url, "mm", "1")
    assert float(item.get("height")) == pytest.approx(made.job.sheet.mm(made.job.sheet.length_px), abs=1e-3)
    assert wrong("durst", path, made.manifest) == []


DIALECT_CHANGES = [
    ("ergosoft", b"<SizeFactorVert>", b"<SizeFactorVert>1", "number of repeats"),
    ("ergosoft", b"<SelectedOffset>1", b"<SelectedOffset>2", "layout"),
    ("ergosoft", b"r1.tif", b"r2.tif", "file to print"),
    ("ergosoft", b"sha256 00", b"sha256 11", "checksum"),
    ("printfactory", b'Denominator="2"', b'Denominator="3"', "layout"),
    ("printfactory", b'Right="', b'Right="1', "size"),
    ("printfactory", b'<Scale X="1"', b'<Scale X="2"', "place or scale"),
    ("printfactory", b'Copies="1"', b'Copies="3"', "number of copies"),
    ("printfactory", b"<Print>true", b"<Print>false", "kind of job"),
    ("printfactory", b"r1.tif", b"r2.tif", "file to print"),
    ("durst", b'unit="mm"', b'unit="inch"', "unit"),
    ("durst", b'numberOfCopies="1"', b'numberOfCopies="2"', "number of copies"),
    ("durst", b'height="', b'height="1', "height in mm"),
    ("durst", b"bytes 1001", b"bytes 1002", "checksum"),
]


@pytest.mark.parametrize(("code", "before", "after", "what"), DIALECT_CHANGES)
def test_whatever_a_dialect_s_ticket_says_otherwise_is_found(code, before, after, what, tmp_path):
    made = case(tmp_path, formats=("tile", "pdfx"))
    path = written(made, code)
    data = path.read_bytes()
    assert before in data
    path.write_bytes(data.replace(before, after, 1))
    assert wrong(code, path, made.manifest) == [what]
