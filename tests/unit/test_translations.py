"""The pages in other languages: all that is said in English has its translation, with the same blanks to fill."""

import ast
import re
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation import templatize

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = ROOT / "orders" / "locale"
OTHERS = [code for code, _ in settings.LANGUAGES if not code.startswith("en")]
SAYS = {"gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "_"}
BLANKS = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}")


def said_in_templates():
    word = r"u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    call = re.compile(rf"\bn?(?:gettext\(|pgettext\({word},\s*)(?P<said>{word})")
    for path in sorted((ROOT / "templates").rglob("*.html")):
        for found in call.finditer(templatize(path.read_text(encoding="utf-8"), origin=path.name)):
            yield ast.literal_eval(found["said"])


def said_in_modules():
    for path in sorted((ROOT / "orders").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if name in SAYS and node.args and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


@pytest.fixture(params=OTHERS)
def catalogue(request):
    return polib.pofile(str(CATALOGUES / request.param / "LC_MESSAGES" / "django.po"))


def test_what_the_pages_say_is_found():
    assert "Log in" in set(said_in_templates())
    assert "%(number)s yd" in set(said_in_modules())


def test_every_sentence_of_the_pages_is_in_the_catalogue(catalogue):
    known = {entry.msgid for entry in catalogue}
    missing = {*said_in_templates(), *said_in_modules()} - known
    assert not missing, f"run `make messages`: {sorted(missing)[:10]}"


def test_every_sentence_is_translated(catalogue):
    assert not [entry.msgid for entry in catalogue if not entry.translated()]


def test_a_translation_has_the_same_blanks_to_fill(catalogue):
    for entry in catalogue:
        pairs = [(entry.msgid, entry.msgstr)] if entry.msgstr else []
        # The singular may say "one" in words; the plural counts.
        pairs += [(entry.msgid_plural, said) for number, said in entry.msgstr_plural.items() if number]
        for english, other in pairs:
            assert sorted(BLANKS.findall(english)) == sorted(BLANKS.findall(other)), (english, other)


def test_what_is_served_was_compiled_from_the_catalogue(catalogue):
    compiled = polib.mofile(str(Path(catalogue.fpath).with_suffix(".mo")))
    read = {(entry.msgctxt, entry.msgid): entry.msgstr or entry.msgstr_plural for entry in compiled}
    written = {(e.msgctxt, e.msgid): e.msgstr or e.msgstr_plural for e in catalogue if e.translated()}
    assert read == written, "run `make messages`"
