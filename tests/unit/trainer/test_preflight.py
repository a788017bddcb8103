"""What is wrong with a user's data is said before a rank trains, with the field and the row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks import prepared, recipes
from trainingrun_trainer.tasks.data import tables

QA = {"type": "question-answering", "blockSize": 64, "stride": 8}
ONE = {"type": "text-classification", "blockSize": 32}
MANY = {**ONE, "problem": "multi-label"}
NUMBER = {**ONE, "problem": "regression"}
TAGS = {"type": "token-classification", "blockSize": 32}
WRITE = {"type": "seq2seq", "blockSize": 32}
TOLD = {"type": "causal-lm", "packing": "separate", "lossOn": "completion", "blockSize": 32}

ARCHITECTURES = {"seq2seq": "bart", "causal-lm": "llama"}


def answered(context: str = "one two", text: str = "two", start: int = 4) -> dict[str, Any]:
    answers = {"text": [text], "answer_start": [start]}
    return {"question": "which?", "context": context, "answers": answers}


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


LABELLED = ({"text": "a b", "label": "x"}, {"text": "b c", "label": "y"})


def built(folder: Path, task: dict[str, Any], name: str, content: str | bytes, **data: Any) -> Path:
    """The samples of a run whose training data is one file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    config = RunConfig.model_validate(
        {
            "run": {"name": "test"},
            "folder": str(folder),
            "task": task,
            "model": {
                "fromScratch": {"modelType": ARCHITECTURES.get(task["type"], "bert")},
                "tokenizer": {"train": {"vocabSize": 300}},
            },
            "data": {"train": str(path), **data},
            "training": {"maxSteps": 1},
        }
    )
    target = folder / "samples"
    prepared.build(config, recipes.recipe(config.task), *tables.split(config), target)
    return target


WRONG: list[tuple[str, dict[str, Any], str, str | bytes, str, str]] = [
    # What, task, file, its content, the field that is named, words of the message
    ("an empty file", ONE, "a.jsonl", "", "spec.data.train", "has no rows"),
    ("no table", ONE, "a.txt", "text", "spec.data.files", "is no table"),
    ("half a line", ONE, "a.jsonl", lines(LABELLED[0]) + '{"te', "spec.data.train",
     ":2 is no JSON"),
    ("a list for a row", ONE, "a.jsonl", "[1]", "spec.data.train", ":1 is no JSON object"),
    ("another encoding", ONE, "a.jsonl", b'{"text": "\xff"}', "spec.data.train", "not UTF-8"),
    ("a damaged document", ONE, "a.json", '[{"text": 1},', "spec.data.train", "is no JSON"),
    ("a number for a document", ONE, "a.json", "{\n}", "spec.data.train", "neither a list of rows"),
    ("cells too many", ONE, "a.csv", "text,label\na,x\nb,y,z\n", "spec.data.train",
     ":3 has 3 cells, the header 2"),
    ("a column twice", ONE, "a.csv", "text,text\na,b\n", "spec.data.train", "names a column twice"),
    ("a quote that never ends", ONE, "a.csv", 'text,label\n"a,x\n', "spec.data.train", "damaged"),
    ("no Parquet", ONE, "a.parquet", "text", "spec.data.train", "damaged or no parquet file"),
    ("no Arrow", ONE, "a.arrow", "text", "spec.data.train", "damaged or no arrow file"),
    ("another column", ONE, "a.jsonl", lines({"body": "a", "label": "x"}),
     "spec.data.columns.text", ":1 has no column 'text', only body, label"),
    ("nothing in a column", ONE, "a.jsonl", lines({"text": None, "label": "x"}),
     "spec.data.columns.text", ":1 has nothing in the column 'text'"),
    ("a number for a text", ONE, "a.jsonl", lines({"text": 1, "label": "x"}),
     "spec.data.columns.text", ":1 has a number for text"),
    ("a blank text", ONE, "a.jsonl", lines(LABELLED[0], {"text": " ", "label": "x"}),
     "spec.data.columns.text", ":2 has a blank text"),
    ("an object for a label", ONE, "a.jsonl", lines({"text": "a", "label": {}}),
     "spec.data.columns.label", "a name or a whole number"),
    ("one label for all", ONE, "a.jsonl", lines(LABELLED[0], LABELLED[0]),
     "spec.data.columns.label", "nothing to learn"),
    ("an unknown label", {**ONE, "labels": ["x", "z"]}, "a.jsonl", lines(*LABELLED),
     "spec.task.labels", ":2 has the label 'y', which is not one of x, z"),
    ("one label where a list belongs", MANY, "a.jsonl", lines(*LABELLED),
     "spec.data.columns.label", "needs a list of labels"),
    ("a word for a number", NUMBER, "a.jsonl", lines(*LABELLED), "spec.data.columns.label",
     "'x' for label; a finite number"),
    ("no number", NUMBER, "a.csv", "text,label\na,nan\n", "spec.data.columns.label", "finite"),
    ("a text for words", TAGS, "a.csv", "tokens,tags\na,O\n", "spec.data.columns.tokens",
     "a list of texts belongs there"),
    ("no word at all", TAGS, "a.jsonl", lines({"tokens": [], "tags": []}),
     "spec.data.columns.tokens", "empty list"),
    ("a tag too few", TAGS, "a.jsonl", lines({"tokens": ["a", "b"], "tags": ["O"]}),
     "spec.data.columns.tags", ":1 has 2 tokens and 1 tags"),
    ("two kinds of tags", TAGS, "a.jsonl",
     lines({"tokens": ["a", "b"], "tags": ["B-X", "NOUN"]}), "spec.data.columns.tags",
     "'NOUN' does not"),
    ("an answer elsewhere", QA, "a.jsonl", lines(answered(), answered(start=0)),
     "spec.data.columns.answers", ":2 has the answer 'two' at character 0"),
    ("an answer of another shape", QA, "a.jsonl", lines({**answered(), "answers": "two"}),
     "spec.data.columns.answers", "not {text"),
    ("a place too many", QA, "a.jsonl",
     lines({**answered(), "answers": {"text": ["two"], "answer_start": [4, 5]}}),
     "spec.data.columns.answers", "1 texts of answers and 2 places"),
    ("no answer", QA, "a.jsonl",
     lines({**answered(), "answers": {"text": [], "answer_start": []}}),
     "spec.data.columns.answers", "task.unanswerable: true"),
    ("a question that fills the window", QA, "a.jsonl",
     lines({**answered(), "question": "why " * 200}), "spec.task.blockSize",
     "raise task.blockSize or lower task.stride"),
    ("half of SQuAD", QA, "a.json", '{"data": [{"paragraphs": [{"qas": [{}]}]}]}',
     "spec.data.train", "article 1 is not SQuAD's"),
    ("no target", WRITE, "a.jsonl", lines({"source": "a"}), "spec.data.columns.target",
     "no column 'target'"),
    ("a text alone", TOLD, "a.jsonl", lines({"text": "a"}), "spec.data.columns.completion",
     "neither prompt and completion nor messages"),
    ("a prompt that fills the sample", TOLD, "a.jsonl",
     lines({"prompt": "why " * 200, "completion": "so"}), "spec.task.blockSize",
     "nothing to learn in its first 32 tokens"),
    ("a conversation without a template", TOLD, "a.jsonl",
     lines({"messages": [{"role": "assistant", "content": "so"}]}), "spec.task.chatTemplate",
     "no template"),
    ("a template that is not there", {**TOLD, "chatTemplate": "/no/such/file"}, "a.jsonl",
     lines({"prompt": "a", "completion": "b"}), "spec.task.chatTemplate", "cannot be read"),
    ("a turn without a role", TOLD, "a.jsonl", lines({"messages": [{"content": "a"}]}),
     "spec.data.columns.messages", "message 1 without role"),
    ("nobody answers", TOLD, "a.jsonl", lines({"messages": [{"role": "user", "content": "a"}]}),
     "spec.data.columns.messages", "no message of the assistant"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("task", "name", "content", "field", "words"),
    [case[1:] for case in WRONG],
    ids=[case[0] for case in WRONG],
)
def test_wrong_data_is_told_by_field_and_row(
    task: dict[str, Any], name: str, content: str | bytes, field: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as caught:
        built(tmp_path, task, name, content)
    assert caught.value.field == field, caught.value.message
    assert words in caught.value.message


def test_a_label_that_is_only_held_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "held.jsonl").write_text(lines({"text": "c", "label": "new"}))
    with pytest.raises(UserError, match=r"held.jsonl:1 has the label 'new'") as caught:
        built(tmp_path, ONE, "a.jsonl", lines(*LABELLED), evaluation=str(tmp_path / "held.jsonl"))
    assert caught.value.field == "spec.data.evaluation"


def test_too_few_rows_to_hold_any_out_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="too few rows") as caught:
        built(tmp_path, ONE, "a.jsonl", lines(*LABELLED), evaluationPercent=1)
    assert caught.value.field == "spec.data.evaluationPercent"


def test_what_was_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        built(tmp_path, ONE, "a.jsonl", lines(LABELLED[0]))
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", lines(*LABELLED)),
        ("a.json", json.dumps(LABELLED)),
        ("b.json", json.dumps({"data": LABELLED}, indent=1)),
        ("a.csv", "text,label\na b,x\nb c,y\n"),
        ("a.tsv", "text\tlabel\na b\tx\nb c\ty\n"),
    ],
)
def test_every_format_gives_the_same_samples(name: str, content: str, tmp_path: Path) -> None:
    loaded = prepared.load(built(tmp_path, ONE, name, content))
    assert loaded.labels == ("x", "y")
    assert [int(sample["labels"]) for sample in loaded.train] == [0, 1]
    assert loaded.train[0]["input_ids"].shape == (32,)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_class_labels_of_a_data_set_are_read_by_their_names(kind: str, tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, Value  # noqa: PLC0415 - seconds to load

    features = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})
    written = Dataset.from_dict({"text": ["a b", "b c"], "label": [1, 0]}, features=features)
    path = tmp_path / f"made.{kind}"
    if kind == "parquet":
        written.to_parquet(path)
    else:
        written.save_to_disk(tmp_path / "saved")
        path = next((tmp_path / "saved").glob("*.arrow"))
    loaded = prepared.load(built(tmp_path, ONE, f"a.{kind}", path.read_bytes()))
    assert loaded.labels == ("no", "yes")
    assert [int(sample["labels"]) for sample in loaded.train] == [1, 0]
