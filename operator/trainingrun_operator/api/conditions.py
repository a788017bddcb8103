"""Condition types, reasons and phases, as constants that tests and tools can rely on."""

from __future__ import annotations

from enum import StrEnum


class ConditionType(StrEnum):
    """The conditions of a TrainingRun, in the order in which they become true."""

    ACCEPTED = "Accepted"
    JOB_CREATED = "JobCreated"
    RUNNING = "Running"
    STACK_VERIFIED = "StackVerified"
    PROGRESSING = "Progressing"
    STORAGE_FULL = "StorageFull"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class Reason(StrEnum):
    """Why a condition has its status. One name, one meaning."""

    VALID = "Valid"
    INVALID_SPEC = "InvalidSpec"
    CLAIM_NOT_FOUND = "ClaimNotFound"
    CLAIM_LOST = "ClaimLost"
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - a reason, not a secret
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound"
    PRIORITY_CLASS_NOT_FOUND = "PriorityClassNotFound"
    QUOTA_EXCEEDED = "QuotaExceeded"
    NAME_CONFLICT = "NameConflict"
    JOB_CREATED = "JobCreated"
    JOB_REFUSED = "JobRefused"
    WAITING_FOR_PODS = "WaitingForPods"
    PODS_MISSING = "PodsMissing"
    PODS_REFUSED = "PodsRefused"
    UNSCHEDULABLE = "Unschedulable"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CONTAINER_CONFIG_ERROR = "ContainerConfigError"
    BELOW_MINIMUM = "BelowMinimumWorkers"
    WORKERS_RUNNING = "WorkersRunning"
    RESTARTING = "Restarting"
    TRAINING = "Training"
    CHECKPOINT_NOT_SAVED = "CheckpointNotSaved"
    CHECKPOINT_SAVED = "CheckpointSaved"
    NO_PROGRESS_YET = "NoProgressYet"
    STACK_AS_PLANNED = "StackAsPlanned"
    STACK_DIFFERS = "StackDiffers"
    BACKEND_FALLBACK = "BackendFallback"
    NOT_GUARANTEED = "NotGuaranteed"
    SUSPENDED = "Suspended"
    NOT_SUSPENDED = "NotSuspended"
    COMPLETED = "Completed"
    USER_ERROR = "UserError"
    RESTARTS_EXHAUSTED = "RestartsExhausted"
    POD_RESTARTS_EXHAUSTED = "PodRestartsExhausted"
    ALL_RESTARTS_EXHAUSTED = "AllRestartsExhausted"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    JOB_FAILED = "JobFailed"
    FINISHED = "Finished"
    STALLED = "Stalled"
    RETRIED = "Retried"
    INVALID_RETRY = "InvalidRetry"
    CHANGED_AFTER_END = "ChangedAfterEnd"


class Phase(StrEnum):
    """One word for the PHASE column, derived from the conditions."""

    PENDING = "Pending"
    INVALID = "Invalid"
    STARTING = "Starting"
    RUNNING = "Running"
    RESTARTING = "Restarting"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
