"""The examples in production's docstrings hold."""

import doctest

import pytest

from production.documents import page
from production.domain import colour, costing, floats, inklimit, snap, spec, usage
from production.formats.pdf import file as pdf_file


@pytest.mark.parametrize("module", [colour, costing, floats, inklimit, snap, spec, usage, page, pdf_file])
def test_examples_in_docstrings_hold(module):
    failed, tried = doctest.testmod(module)
    assert failed == 0
    assert tried > 0
