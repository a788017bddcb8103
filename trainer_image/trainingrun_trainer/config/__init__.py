"""RunConfig: what the operator tells the trainer, in one versioned JSON document.

The groups a user writes that reach the trainer unchanged (task, model, data, training, checkpoints,
evaluation) are defined here once; the operator's API reuses them, so that a field means the same in
the TrainingRun and in the pod. Nothing here imports a training library.
"""

from trainingrun_trainer.config.arguments import DECIDED, Arguments
from trainingrun_trainer.config.checkpoints import Checkpoints, OnStorageFull
from trainingrun_trainer.config.columns import Columns
from trainingrun_trainer.config.communication import BackendName, Communication
from trainingrun_trainer.config.cpu import (
    DEFAULT_ALLOCATOR,
    Affinity,
    Allocator,
    Cpu,
    HugePages,
    Ipex,
    OpenMP,
)
from trainingrun_trainer.config.data import Data, DataFormat
from trainingrun_trainer.config.evaluation import Evaluation
from trainingrun_trainer.config.model import (
    Attention,
    DataType,
    FromScratch,
    Model,
    Tokenizer,
    TrainTokenizer,
)
from trainingrun_trainer.config.optimizer import Optimizer, OptimizerName
from trainingrun_trainer.config.processes import Processes, RendezvousPlace, RunIdentity
from trainingrun_trainer.config.resume import Resume, ResumeFrom
from trainingrun_trainer.config.run_config import (
    RUN_CONFIG_VERSION,
    AnyConfig,
    LaunchConfig,
    RunConfig,
    ScriptConfig,
    any_config,
)
from trainingrun_trainer.config.schedule import Schedule, ScheduleType
from trainingrun_trainer.config.sources import (
    BUILTIN_PYTHON_STDLIB,
    DataSource,
    LocalPath,
    ModelName,
)
from trainingrun_trainer.config.task import LossOn, Packing, Problem, Task, TaskType
from trainingrun_trainer.config.task_rules import TASK_RULES
from trainingrun_trainer.config.training import Precision, Training

__all__ = [
    "BUILTIN_PYTHON_STDLIB",
    "DECIDED",
    "DEFAULT_ALLOCATOR",
    "RUN_CONFIG_VERSION",
    "TASK_RULES",
    "Affinity",
    "Allocator",
    "AnyConfig",
    "Arguments",
    "Attention",
    "BackendName",
    "Checkpoints",
    "Columns",
    "Communication",
    "Cpu",
    "Data",
    "DataFormat",
    "DataSource",
    "DataType",
    "Evaluation",
    "FromScratch",
    "HugePages",
    "Ipex",
    "LaunchConfig",
    "LocalPath",
    "LossOn",
    "Model",
    "ModelName",
    "OnStorageFull",
    "OpenMP",
    "Optimizer",
    "OptimizerName",
    "Packing",
    "Precision",
    "Problem",
    "Processes",
    "RendezvousPlace",
    "Resume",
    "ResumeFrom",
    "RunConfig",
    "RunIdentity",
    "Schedule",
    "ScheduleType",
    "ScriptConfig",
    "Task",
    "TaskType",
    "Tokenizer",
    "TrainTokenizer",
    "Training",
    "any_config",
]
