"""Rendered manifests as text."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_trainingrun.manifest_text import manifest_text


def test_a_document_inside_a_document_keeps_its_lines() -> None:
    assert "\n    {\n" in manifest_text({"data": {"run.json": '{\n "a": 1\n}\n'}})


@pytest.mark.timeout(60)
@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text()))
def test_what_is_printed_reads_back_as_the_same(data: dict[str, str]) -> None:
    assert yaml.safe_load(manifest_text({"data": data})) == {"data": data}
