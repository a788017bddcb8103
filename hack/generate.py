"""Everything in the repository that is made from something else in it: `python -m hack.generate`.

With `--check` nothing is written; the exit status is 1, and the difference is printed, if a file is
not what it would be made.
"""

import argparse
import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from hack import api_reference, lifecycle_reference, validation_reference
from trainingrun_operator.api.crd import custom_resource_definition
from trainingrun_operator.api.v1alpha1 import KIND, TrainingRun
from trainingrun_operator.plan import Settings, launch_plan
from trainingrun_operator.render import claims, render

ROOT: Final = Path(__file__).resolve().parent.parent
CRD: Final = ROOT / "manifests" / "crds" / "trainingruns.yaml"
CHART_CRD: Final = ROOT / "charts" / "trainingrun-operator" / "files" / "trainingruns.yaml"
API_REFERENCE: Final = ROOT / "docs" / "api.md"
LIFECYCLE: Final = ROOT / "docs" / "lifecycle.md"
VALIDATION: Final = ROOT / "docs" / "validation.md"
GOLDEN: Final = ROOT / "tests" / "unit" / "operator" / "golden"
SAMPLES: Final = ROOT / "manifests" / "samples"
SAMPLE_UID: Final = "11111111-2222-3333-4444-555555555555"
"""Samples have none of their own: the API server gives it."""
EXAMPLE: Final = GOLDEN / "runs" / "everything.yaml"
SETTINGS: Final = Settings(
    image_cpu="registry.example.org/trainingrun/trainer:0.1.0",
    progress_url="https://trainingrun-operator.trainingrun-system.svc:8443",
    progress_ca="-----BEGIN CERTIFICATE-----\nexample\n-----END CERTIFICATE-----\n",
)
"""What the golden manifests are rendered with."""

HEADER: Final = "# Made by `python -m hack.generate` from the models; edit those.\n"


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 1 if `--check` found a difference."""
    parser = argparse.ArgumentParser(prog="python -m hack.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    check = parser.parse_args(arguments).check
    stale = [(path, text) for path, text in generated() if _content(path) != text]
    for path, text in stale:
        if check:
            sys.stdout.writelines(_difference(path, text))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        print(f"{'differs' if check else 'written'}: {path.relative_to(ROOT)}")
    if check and stale:
        print("run `make fmt` and commit what it wrote", file=sys.stderr)
    return int(check and bool(stale))


def generated() -> Iterator[tuple[Path, str]]:
    """Each generated file with the text it should have."""
    crd = HEADER + to_yaml(custom_resource_definition())
    yield CRD, crd
    yield CHART_CRD, crd
    yield API_REFERENCE, api_reference.markdown(_document(EXAMPLE))
    yield VALIDATION, validation_reference.markdown()
    yield LIFECYCLE, lifecycle_reference.markdown()
    for run in (*sorted(GOLDEN.glob("runs/*.yaml")), *sorted(SAMPLES.glob("*.yaml"))):
        plan = launch_plan(TrainingRun.parse(training_run(run)), SETTINGS)
        manifests = (*claims(plan), *render(plan))
        yield GOLDEN / run.name, HEADER + "---\n".join(map(to_yaml, manifests))


def to_yaml(document: Any) -> str:
    """One document, keys in the order in which the code gives them."""
    return yaml.safe_dump(document, sort_keys=False, width=100, allow_unicode=False)


def _document(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def training_run(path: Path) -> Any:
    """The TrainingRun among a file's documents, as if the API server had taken it."""
    documents = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    run = next(document for document in documents if document["kind"] == KIND)
    return run | {"metadata": {"namespace": "default", "uid": SAMPLE_UID} | run["metadata"]}


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _difference(path: Path, text: str) -> Iterator[str]:
    name = str(path.relative_to(ROOT))
    old = (_content(path) or "").splitlines(keepends=True)
    yield from difflib.unified_diff(old, text.splitlines(keepends=True), name, f"{name} (made)")


if __name__ == "__main__":
    sys.exit(main())
