"""What a user writes without us: Hugging Face's Trainer under torchrun, with its own resume.

The other side of `bench.recovery`; same size of model and batch as the TrainingRun there.
"""

import sys
import sysconfig
from pathlib import Path

import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

BLOCK = 64


class PrintStep(TrainerCallback):
    """One line for each step, so that the clock outside can see it."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        if args.process_index == 0:
            print(f"step {state.global_step}/{state.max_steps}", flush=True)


def main(folder: Path, steps: int) -> None:
    """Train bytes of the standard library; resume from the highest numbered checkpoint."""
    torch.manual_seed(0)
    text = b"".join(p.read_bytes() for p in Path(sysconfig.get_path("stdlib")).glob("json/*.py"))
    samples = [
        {"input_ids": torch.tensor(list(part)), "labels": torch.tensor(list(part))}
        for start in range(0, len(text) - BLOCK, BLOCK)
        if (part := text[start : start + BLOCK])
    ]
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=512,
            hidden_size=64,
            intermediate_size=256,
            num_hidden_layers=2,
            num_attention_heads=4,
        )
    )
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=8,
        save_steps=10,
        save_total_limit=2,
        logging_steps=10,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=samples, callbacks=[PrintStep()])
    last = None
    if folder.exists():
        last = get_last_checkpoint(str(folder))  # type: ignore[no-untyped-call]
    trainer.train(resume_from_checkpoint=last)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
