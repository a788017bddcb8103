"""Text packed into blocks of tokens, one after another: what language models are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks import text_files, token_cache
from trainingrun_trainer.tasks.token_cache import Blocks, TokenIds
from trainingrun_trainer.worker.distributed import Group


@dataclass(frozen=True)
class Packed:
    """The token ids of a run, mapped on every rank."""

    tokenizer: PreTrainedTokenizerBase
    samples: Blocks
    held_out: TokenIds


def packed(config: RunConfig, group: Group, cache: Path, needs: Sequence[str]) -> Packed:
    """Has rank 0 make tokenizer and token ids if they are not there yet; a collective. `needs` are
    special tokens of the tokenizer.

    Raises:
        UserError: data or tokenizer are not what the config says.
    """

    def made() -> str:
        files = text_files.split(config.data)
        folder = cache / token_cache.fingerprint(config, files)
        if not folder.is_dir():
            print(f"preparing {len(files.train)} files of text", flush=True)
            token_cache.build(config, files, needs, folder)
        return folder.name

    folder = cache / group.from_leader("token-cache", made)
    if not group.everyone(folder.is_dir()):
        raise UserError(
            f"not all workers see {folder}; they need a claim that they share",
            "spec.storage.claimName",
        )
    tokenizer, train, held_out = token_cache.load(folder)
    samples = Blocks(train, config.task.tokens, config.data.max_samples)
    if not samples:
        raise UserError(
            f"the training text has {len(train)} tokens, less than one block of "
            f"{config.task.tokens}; give more text or a smaller block",
            "spec.data.train",
        )
    return Packed(tokenizer, samples, held_out)
