"""The Jinja2 environment of the manifests."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from trainingrun_operator.api.v1alpha1 import (
    API_VERSION,
    ATTEMPT_ANNOTATION,
    KIND,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    RENDEZVOUS_ANNOTATION,
    RUN_LABEL,
    SPEC_HASH_ANNOTATION,
)
from trainingrun_operator.plan.rendezvous import PORT

_OUTSIDE_ASCII: Final = re.compile(r"[^\x20-\x7e]")


def yaml_scalar(value: object, **options: Any) -> str:
    """JSON that every YAML 1.1 reader reads back as the same value.

    JSON's own two escapes for a character beyond U+FFFF are two broken characters in YAML, and
    YAML folds U+0085 and U+2028 even inside quotes: both are written as YAML's own escapes.
    """
    text = json.dumps(value, ensure_ascii=False, **options)
    return _OUTSIDE_ASCII.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _environment() -> Environment:
    # Manifests are no HTML, and every value passes `tojson`: escaping would only corrupt them.
    made = Environment(
        loader=PackageLoader("trainingrun_operator.render"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )
    made.policies["json.dumps_function"] = yaml_scalar
    made.globals.update(
        api_version=API_VERSION,
        attempt_annotation=ATTEMPT_ANNOTATION,
        kind=KIND,
        rendezvous_annotation=RENDEZVOUS_ANNOTATION,
        rendezvous_port=PORT,
        managed_by=MANAGED_BY,
        managed_by_label=MANAGED_BY_LABEL,
        run_label=RUN_LABEL,
        spec_hash_annotation=SPEC_HASH_ANNOTATION,
    )
    return made


TEMPLATES: Final = _environment()
