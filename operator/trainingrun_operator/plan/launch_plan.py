"""Everything that is decided about a run before anything is written to the cluster."""

from __future__ import annotations

from dataclasses import dataclass

from trainingrun_operator.api.affinity import EVENLY_OVER_NODES, Affinity, Spread
from trainingrun_operator.api.quantities import cpus, size_bytes
from trainingrun_operator.api.status import PlanChoice
from trainingrun_operator.api.tolerations import Toleration
from trainingrun_operator.api.v1alpha1 import TrainingRun, TrainingRunSpec
from trainingrun_operator.api.variables import EnvFrom
from trainingrun_operator.plan.backend import Backend, choose_backend
from trainingrun_operator.plan.elasticity import WorkerRange, worker_range
from trainingrun_operator.plan.environment import Variable, environment, notices
from trainingrun_operator.plan.identity import spec_hash
from trainingrun_operator.plan.ipex import Extension, choose_ipex
from trainingrun_operator.plan.processes import Division, divide_cpus
from trainingrun_operator.plan.refusal import Refusals
from trainingrun_operator.plan.rendezvous import DedicatedRendezvous, dedicated_rendezvous
from trainingrun_operator.plan.settings import Settings
from trainingrun_operator.plan.tuning import openmp, tuning
from trainingrun_operator.plan.volumes import Volume, claim_name, run_folder, volumes
from trainingrun_trainer.config import (
    AnyConfig,
    Checkpoints,
    Communication,
    Cpu,
    Evaluation,
    LaunchConfig,
    Processes,
    RendezvousPlace,
    Resume,
    RunConfig,
    RunIdentity,
    ScriptConfig,
)
from trainingrun_trainer.image_manifest import Runtime


@dataclass(frozen=True)
class PlannedClaim:
    """The claim to make where there is none of its name."""

    size: str
    access_mode: str
    storage_class_names: tuple[str, ...]
    """One name, or none: the empty name means no class at all."""


@dataclass(frozen=True, kw_only=True)
class LaunchPlan:
    """What is to be run, where, and how it is divided. `render` turns it into manifests."""

    namespace: str
    name: str
    uid: str
    image: str
    pull_policy: str
    pull_secrets: tuple[str, ...]
    workers: int
    min_workers: int
    max_workers: int
    max_restarts: int
    processes_per_worker: int
    suspend: bool
    grace_period_seconds: int
    cpu: str
    memory: str
    ephemeral_storage: str | None
    priority_class_name: str | None
    node_selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Toleration, ...]
    affinity: Affinity
    topology_spread: tuple[Spread, ...]
    claim: str | None
    new_claim: PlannedClaim | None
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    env_from: tuple[EnvFrom, ...]
    environment: tuple[Variable, ...]
    volumes: tuple[Volume, ...]
    config: AnyConfig
    progress_ca: str
    spec_hash: str
    choices: tuple[PlanChoice, ...]
    notices: tuple[str, ...]
    """What the user should know of how the spec was read."""
    reports: bool
    """Whether the workers can report progress."""
    fallback: str
    """What was asked for and is not had, in words; "" if all is as asked."""
    attempt: int = 0
    """How often the run was retried before."""

    @property
    def rendezvous(self) -> DedicatedRendezvous | None:
        """The rendezvous with a pod of its own; None if worker 0 holds it."""
        if self.config.processes.rendezvous is RendezvousPlace.WORKER:
            return None
        return dedicated_rendezvous(self.name, self.spec_hash, self.attempt)

    @property
    def config_map(self) -> str:
        """The name of the run's ConfigMap."""
        return config_map_name(self.name)

    @property
    def network_policy(self) -> str:
        """The name of the run's NetworkPolicy."""
        return f"{self.name}-workers"


def config_map_name(run: str) -> str:
    """The name of a run's ConfigMap."""
    return f"{run}-config"


def launch_plan(run: TrainingRun, settings: Settings) -> LaunchPlan:
    """The plan for a run. The same run and settings always give the same plan.

    Raises:
        PlanError: the run is valid, yet what it asks for does not fit together; with every reason.
    """
    refusals = Refusals()
    spec = run.spec
    runtime = Runtime(spec.runtime)
    _check_memory(run, refusals)
    _check_script(spec, refusals)
    backend = choose_backend(spec.communication, runtime, refusals)
    extension = choose_ipex(spec, runtime, refusals)
    image = _image(spec, runtime, settings, refusals)
    division = divide_cpus(spec, backend.name, refusals)
    tuned = tuning(spec, division, runtime, refusals)
    workers = worker_range(spec, division.processes, refusals)
    refusals.raise_any()
    return LaunchPlan(
        namespace=run.metadata.namespace,
        name=run.metadata.name,
        uid=run.metadata.uid,
        image=image,
        pull_policy=spec.image.pull_policy,
        pull_secrets=spec.image.pull_secrets,
        workers=workers.count,
        min_workers=workers.minimum,
        max_workers=workers.maximum,
        max_restarts=workers.max_restarts,
        processes_per_worker=division.processes,
        suspend=spec.policy.suspend,
        grace_period_seconds=spec.policy.termination_grace_period_seconds,
        cpu=spec.workers.resources.cpu,
        memory=spec.workers.resources.memory,
        ephemeral_storage=spec.workers.resources.ephemeral_storage,
        priority_class_name=spec.workers.priority_class_name,
        node_selector=tuple(sorted(spec.workers.node_selector.items())),
        tolerations=spec.workers.tolerations,
        affinity=spec.workers.affinity,
        topology_spread=_spread(run),
        claim=claim_name(run),
        new_claim=_new_claim(run, workers),
        labels=tuple(sorted(spec.workers.labels.items())),
        annotations=tuple(sorted(spec.workers.annotations.items())),
        env_from=spec.workers.env_from,
        environment=environment(run, settings, tuned.variables),
        volumes=volumes(run, settings, config_map_name(run.metadata.name)),
        config=_config(run, division, workers, backend, extension, runtime),
        notices=notices(run),
        reports=bool(settings.progress_url),
        progress_ca=settings.progress_ca if settings.progress_url else "",
        spec_hash=spec_hash(run),
        choices=(
            *division.choices,
            *workers.choices,
            backend.choice,
            *tuned.choices,
            extension.choice,
            _folder(run),
        ),
        fallback=backend.fallback,
    )


def _config(
    run: TrainingRun,
    division: Division,
    workers: WorkerRange,
    backend: Backend,
    extension: Extension,
    runtime: Runtime,
) -> AnyConfig:
    spec = run.spec
    launch = LaunchConfig(
        run=RunIdentity(
            namespace=run.metadata.namespace, name=run.metadata.name, uid=run.metadata.uid
        ),
        folder=run_folder(run),
        task=spec.task,
        processes=Processes(
            workers=workers.count,
            min_workers=workers.minimum,
            max_workers=workers.maximum,
            per_worker=division.processes,
            max_restarts=workers.max_restarts,
            rendezvous=workers.rendezvous,
            reset_restarts_after_steps=spec.policy.reset_restarts_after_steps,
            hang_timeout_seconds=spec.policy.hang_timeout_seconds,
        ),
        communication=Communication(
            backend=backend.name,
            required=spec.communication.required,
            interface=spec.communication.interface,
            timeout_seconds=spec.communication.timeout_seconds,
        ),
        cpu=_cpu(spec, division, extension, runtime),
        shared_memory_bytes=size_bytes(spec.shared_memory.size),
    )
    common = {name: getattr(launch, name) for name in LaunchConfig.model_fields}
    if spec.model is None or spec.data is None or spec.training is None:
        return ScriptConfig(**common)
    return RunConfig(
        **common,
        model=spec.model,
        data=spec.data,
        training=spec.training,
        checkpoints=spec.checkpoints,
        evaluation=spec.evaluation,
        resume=spec.resume,
    )


def _check_script(spec: TrainingRunSpec, refusals: Refusals) -> None:
    """What is our own trainer's business is not silently left out of a script's."""
    if spec.training is not None:
        return
    for name, written, default in (
        ("checkpoints", spec.checkpoints, Checkpoints()),
        ("evaluation", spec.evaluation, Evaluation()),
        ("resume", spec.resume, Resume()),
    ):
        if written != default:
            refusals.add(
                f"spec.{name}", f"a script decides itself about its {name}; remove the group"
            )


def _image(spec: TrainingRunSpec, runtime: Runtime, settings: Settings, refusals: Refusals) -> str:
    images = {Runtime.CPU: settings.image_cpu, Runtime.XEON: settings.image_xeon}
    image = spec.image.name or images[runtime]
    if not image:
        refusals.add(
            "spec.runtime",
            f"this operator has no image for runtime {runtime}; write spec.image.name, or install "
            f"the operator with trainerImages.{runtime}",
        )
    return image


def _cpu(spec: TrainingRunSpec, division: Division, extension: Extension, runtime: Runtime) -> Cpu:
    return Cpu(
        limit=float(cpus(spec.workers.resources.cpu)),
        threads=division.threads,
        interop_threads=division.interop_threads,
        data_loader_workers=division.data_loader_workers,
        allocator=spec.cpu.allocator,
        openmp=openmp(spec.cpu, runtime),
        affinity=spec.cpu.affinity,
        huge_pages=spec.cpu.huge_pages,
        allow_oversubscription=spec.cpu.allow_oversubscription,
        ipex=extension.ipex,
    )


def _spread(run: TrainingRun) -> tuple[Spread, ...]:
    asked = run.spec.workers.topology_spread
    return (EVENLY_OVER_NODES,) if asked is None else asked


def _check_memory(run: TrainingRun, refusals: Refusals) -> None:
    memory, shared = run.spec.workers.resources.memory, run.spec.shared_memory.size
    if size_bytes(shared) >= size_bytes(memory):
        refusals.add(
            "spec.sharedMemory.size",
            f"{shared} of shared memory fill the worker's memory of {memory}; write less, or raise "
            "spec.workers.resources.memory",
        )


def _new_claim(run: TrainingRun, workers: WorkerRange) -> PlannedClaim | None:
    storage = run.spec.storage
    if storage is None or (asked := storage.create) is None:
        return None
    return PlannedClaim(
        size=asked.size,
        access_mode="ReadWriteMany" if workers.maximum > 1 else "ReadWriteOnce",
        storage_class_names=(asked.storage_class_name,) if asked.storage_class_name else (),
    )


def _folder(run: TrainingRun) -> PlanChoice:
    if claim := claim_name(run):
        return PlanChoice(name="storage", value="claim", reason=f"the run's folder is on {claim}")
    return PlanChoice(
        name="storage",
        value="scratch",
        reason="without spec.storage checkpoints and the model go with the pod",
    )
