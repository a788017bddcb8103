"""Manifests as text for people: documents inside documents keep their lines."""

from __future__ import annotations

from typing import Any

import yaml


class _Readable(yaml.SafeDumper):
    """Safe YAML with block style for text of several lines."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Readable.add_representer(str, _text)


def manifest_text(manifest: dict[str, Any]) -> str:
    """One YAML document, with its `---`, that reads back as the same manifest."""
    return "---\n" + plain_yaml(manifest)


def plain_yaml(value: Any) -> str:
    """Any plain value as YAML."""
    return yaml.dump(value, Dumper=_Readable, sort_keys=False)
