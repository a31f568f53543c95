"""The arrows of the house: who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("orders", "generation", "production", "inventory_sync")
MAY_IMPORT = {
    "orders": {"orders", "generation", "production", "inventory_sync"},
    "production": {"production", "generation.domain", "inventory_sync"},
    "generation": {"generation"},
    "inventory_sync": {"inventory_sync"},
}
# module -> where alone it may be imported
ONLY_IN = {
    "torch": ("generation/", "production/inspection/"),
    "diffusers": ("generation/",),
    "transformers": ("generation/",),
    "odoorpc": ("inventory_sync/connectors/",),
    "django_q": ("orders/tasks.py",),
    "reportlab": ("production/documents/",),
}
LATE = {"torch", "diffusers", "transformers", "generation"}


def sources():
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree):
    """Yield (module, is_inside_a_function) for every import of a file."""
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, id(node) in inside
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room is meant"
            for name in node.names:
                yield f"{node.module}.{name.name}", id(node) in inside


def broken_rules(path, tree):
    app = path.split("/")[0]
    for module, late in imports(tree):
        top = module.split(".")[0]
        if top in APPS and not any(f"{module}.".startswith(f"{allowed}.") for allowed in MAY_IMPORT[app]):
            yield f"{path} imports {module}, against the arrows"
        if "/domain/" in path and top == "django":
            yield f"{path} is domain and imports {module}"
        if path.startswith("production/planning/") and top == "django":
            yield f"{path} is pure planning and imports {module}"
        if top in ONLY_IN and not path.startswith(ONLY_IN[top]):
            yield f"{path} imports {module}, which belongs in {ONLY_IN[top]}"
        if late and top not in LATE:
            yield f"{path} imports {module} inside a function"


def test_every_import_follows_the_arrows():
    broken = [rule for path, tree in sources() for rule in broken_rules(path, tree)]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("generation/services.py", "import production.services"),
        ("production/services.py", "from generation import services"),
        ("production/services.py", "from generation.services import draw"),
        ("inventory_sync/ports.py", "from orders.models import Shop"),
        ("production/domain/usage.py", "from django.db import models"),
        ("production/planning/promise.py", "import django"),
        ("orders/flow.py", "import torch"),
        ("orders/flow.py", "import odoorpc"),
        ("production/services.py", "from django_q.tasks import async_task"),
        ("orders/services.py", "def late():\n    import json"),
    ],
)
def test_a_forbidden_import_is_found(path, line):
    assert list(broken_rules(path, ast.parse(line)))


def test_the_top_level_holds_only_what_the_owner_fixed():
    fixed = {"manage.py", "pyproject.toml", "README.md", "templates", "tests", "Makefile", "requirements.lock", *APPS}
    allowed_to_be_made = {"var"}
    there = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert there - allowed_to_be_made - {"weftline.egg-info", "__pycache__"} <= fixed


def test_every_error_code_is_unique_and_stands_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    codes = {}
    for path, tree in sources():
        if not path.endswith("errors.py"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for item in node.body:
                    name = getattr(item, "target", None) or (getattr(item, "targets", [None])[0])
                    if getattr(name, "id", "") == "code" and isinstance(getattr(item, "value", None), ast.Constant):
                        assert item.value.value not in codes, f"{item.value.value} is used twice"
                        codes[item.value.value] = path
    assert codes
    missing = [code for code in codes if f"`{code}`" not in readme]
    assert not missing, f"not in the README's table of errors: {missing}"
