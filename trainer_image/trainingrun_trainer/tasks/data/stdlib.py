"""Examples for each task, drawn from the source text of Python's standard library.

Real words that people wrote, on every machine, the same for one version of Python: no hub and no
download. What is asked of them can be answered from the text, so that a small model learns it in
minutes and one that learnt nothing cannot guess it.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from trainingrun_trainer.config import TaskType
from trainingrun_trainer.tasks.text_files import TextFile

Located = tuple[str, dict[str, Any]]
Function = ast.FunctionDef | ast.AsyncFunctionDef

_LONGEST_DOCUMENTATION: Final = 240
"""Characters of a docstring's first paragraph: what fits into a small model's window."""
_MOST_PARAMETERS: Final = 8
"""In an instruction, for the same reason."""


def examples(task: TaskType, file: TextFile) -> Iterator[Located]:
    """The examples that a source file gives for a task, with where each comes from."""
    draw = _DRAWN.get(task)
    tree = _tree(file.path) if draw is not None else None
    if draw is None or tree is None:
        return
    module = file.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for node in ast.walk(tree):
        if isinstance(node, Function):
            for values in draw(module, node):
                yield f"{file.name}:{node.lineno}", values


@cache
def _tree(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return None  # broken on purpose, such as lib2to3's data


def _documentation(node: Function) -> str | None:
    """The first paragraph of a docstring, on one line."""
    text = ast.get_docstring(node)
    if not text:
        return None
    paragraph = " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
    return paragraph if 16 <= len(paragraph) <= _LONGEST_DOCUMENTATION else None


def _parameters(node: Function) -> list[str]:
    named = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return [argument.arg for argument in named if argument.arg not in ("self", "cls")]


def _questions(module: str, node: Function) -> Iterator[dict[str, Any]]:
    """Where a function lives, what it takes and what it does; one question in four has no answer,
    because the context leaves that part out."""
    documentation, parameters = _documentation(node), _parameters(node)
    if documentation is None or not parameters:
        return
    first = parameters[0]
    facts = [
        ("where", f"It is defined in {module}.", module),
        ("takes", f"It takes {first} first.", first),
        ("does", f"It is said to {documentation}", documentation),
    ]
    asked = {
        "where": f"In which module is {node.name} defined?",
        "takes": f"What does {node.name} take first?",
        "does": f"What is {node.name} said to do?",
    }
    turn = len(node.name) % 3
    told = [*facts[turn:], *facts[:turn]]
    missing = told[-1][0] if node.lineno % 2 else None
    context = f"{node.name} is a function. " + " ".join(
        sentence for kind, sentence, _ in told if kind != missing
    )
    for kind, sentence, answer in told[:2] if missing is None else [told[0], told[-1]]:
        absent = kind == missing
        start = -1 if absent else context.index(sentence) + sentence.index(answer)
        yield {
            "id": f"{module}.{node.name}.{node.lineno}.{kind}",
            "question": asked[kind],
            "context": context,
            "answers": {
                "text": [] if absent else [answer],
                "answer_start": [] if absent else [start],
            },
        }


_TOPICS: Final = ("asyncio", "ctypes", "email", "http", "logging", "tkinter", "unittest", "xml")


def _topic(module: str, node: Function) -> Iterator[dict[str, Any]]:
    """Which package a function belongs to, by its own words."""
    package = module.split(".", maxsplit=1)[0]
    if package in _TOPICS:
        lines = ast.unparse(node).splitlines()[:12]
        yield {"text": "\n".join(lines), "label": package}


def _entities(module: str, node: Function) -> Iterator[dict[str, Any]]:
    """The names, parameters and defaults in a function's first line."""
    bare = ast.unparse(
        ast.FunctionDef(
            name=node.name,
            args=node.args,
            body=[ast.Pass()],
            decorator_list=[],
            returns=node.returns,
            lineno=1,
            col_offset=0,
        )
    ).splitlines()[0]
    words = re.findall(r"\w+|[^\w\s]", bare)
    if not 6 <= len(words) <= 48:
        return
    yield {"tokens": words, "tags": list(_tags(words, set(_parameters(node)) | {"self", "cls"}))}


def _tags(words: list[str], parameters: set[str]) -> Iterator[str]:
    """A tag for each word of `def name(parameter: type=default) -> type:`."""
    depth, default = 0, ""
    for place, word in enumerate(words):
        depth += (word in "([{") - (word in ")]}")
        if depth < 1 or (depth == 1 and word in ",:"):
            default = ""
        if place == 1:
            yield "B-FUNCTION"
        elif default:
            yield f"{default}-DEFAULT"
            default = "I"
        else:
            yield "B-PARAMETER" if depth == 1 and word in parameters else "O"
        if depth == 1 and word == "=":
            default = "B"


def _spelled(module: str, node: Function) -> Iterator[dict[str, Any]]:
    """A name as an option of a command line: `get_default_encoding` is `--get-default-encoding`."""
    words = node.name.strip("_").split("_")
    if 2 <= len(words) <= 4 and all(word.isalpha() and word.islower() for word in words):
        yield {"source": node.name, "target": f"--{'-'.join(words)}"}


def _instructions(module: str, node: Function) -> Iterator[dict[str, Any]]:
    """A function's first line, and what its documentation says."""
    documentation = _documentation(node)
    if documentation is not None and len(_parameters(node)) <= _MOST_PARAMETERS:
        head = f"def {node.name}({', '.join(_parameters(node))}):"
        yield {"prompt": f"Describe {head}\n", "completion": documentation}


_DRAWN: Final[dict[TaskType, Callable[[str, Function], Iterator[dict[str, Any]]]]] = {
    TaskType.QUESTION_ANSWERING: _questions,
    TaskType.TEXT_CLASSIFICATION: _topic,
    TaskType.TOKEN_CLASSIFICATION: _entities,
    TaskType.SEQ2SEQ: _spelled,
    TaskType.CAUSAL_LM: _instructions,
}
