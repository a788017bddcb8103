"""runc, asked only for what this machine's capability bounding set can give.

Installed as the engine's runtime where CAP_SYS_RESOURCE is missing from the bounding set: there
runc refuses every privileged container ("unable to apply caps"), and kind's nodes are
privileged. Without the capability an OOM score below the parent's cannot be set either.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

MISSING: Final = "CAP_SYS_RESOURCE"


def bounded(process: dict[str, Any]) -> dict[str, Any]:
    """An OCI process description without the missing capability and what needs it."""
    result = dict(process)
    if capabilities := process.get("capabilities"):
        result["capabilities"] = {
            name: [capability for capability in held if capability != MISSING]
            for name, held in capabilities.items()
        }
    if process.get("oomScoreAdj", 0) < 0:
        result["oomScoreAdj"] = 0
    return result


def option(arguments: Sequence[str], *names: str) -> str | None:
    """The value of a command-line option in either spelling (`--name value`, `--name=value`)."""
    for index, argument in enumerate(arguments):
        if argument in names and index + 1 < len(arguments):
            return arguments[index + 1]
        for name in names:
            if argument.startswith(f"{name}="):
                return argument.removeprefix(f"{name}=")
    return None


def main(arguments: Sequence[str]) -> None:
    """Edit the description that `create` or `exec` is about to read, then become runc."""
    if "create" in arguments:
        config = Path(option(arguments, "--bundle", "-b") or ".") / "config.json"
        whole = json.loads(config.read_text())
        whole["process"] = bounded(whole["process"])
        config.write_text(json.dumps(whole))
    elif "exec" in arguments and (name := option(arguments, "--process", "-p")) is not None:
        process = Path(name)
        process.write_text(json.dumps(bounded(json.loads(process.read_text()))))
    os.execvp("runc", ["runc", *arguments])  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    main(sys.argv[1:])
