"""TrainingRuns that the API server takes and the operator refuses, by a condition."""

from __future__ import annotations

from tests.api.corpus.wrong import Wrong

BY_CONDITION = (
    Wrong("workers that cannot share the batch", "workers: {count: 5}", "spec.workers.count",
          "write one of 1, 2, 3, 4"),
    Wrong("ranks that cannot share the batch",
          "workers: {processesPerWorker: 5, resources: {cpu: 8}}", "spec.workers.count",
          "processesPerWorker"),
    Wrong("checkpoints of a script", "-model\n-data\n-training\n"
          "task: {type: script, program: /a.py}\ncheckpoints: {everySteps: 5}",
          "spec.checkpoints", "remove"),
    Wrong("more ranks than CPUs", "workers: {processesPerWorker: 4, resources: {cpu: 2}}",
          "spec.workers.processesPerWorker", "write at most 2"),
    Wrong("more threads than CPUs", "workers: {resources: {cpu: 2}}\ncpu: {threads: 3}",
          "spec.cpu.threads", "write at most 2"),
    Wrong("more interop threads than CPUs",
          "workers: {resources: {cpu: 2}}\ncpu: {interopThreads: 3}", "spec.cpu.interopThreads",
          "write at most 2"),
    Wrong("more data-loader workers than CPUs",
          "workers: {resources: {cpu: 2}}\ncpu: {dataLoaderWorkers: 2}",
          "spec.cpu.dataLoaderWorkers", "write at most 1"),
    Wrong("threads of several ranks bound by GNU's OpenMP",
          "workers: {processesPerWorker: 2, resources: {cpu: 2}}\ncpu: {affinity: threads}",
          "spec.cpu.affinity", "write ranks"),
    Wrong("ccl where it must be", "communication: {backend: ccl, required: true}",
          "spec.communication.backend", "write gloo"),
    Wrong("a runtime that the operator has no image for", "runtime: xeon", "spec.runtime",
          "trainerImages.xeon"),
    Wrong("IPEX where there is none", "cpu: {ipex: float32}", "spec.cpu.ipex", "runtime: xeon"),
    Wrong("IPEX for a script", "-model\n-data\n-training\nruntime: xeon\nimage: {name: a}\n"
          "task: {type: script, program: /a.py}\ncpu: {ipex: float32}", "spec.cpu.ipex",
          "write off"),
    Wrong("threads of oneCCL where there is none", "communication: {cclWorkers: 1}",
          "spec.communication.cclWorkers", "remove"),
    Wrong("more threads of oneCCL than CPUs", "runtime: xeon\nimage: {name: a}\n"
          "workers: {resources: {cpu: 4}}\ncommunication: {cclWorkers: 4}",
          "spec.communication.cclWorkers", "write at most 3"),
    Wrong("CPUs for threads of oneCCL where there is none",
          "communication: {cclWorkerAffinity: '1'}", "spec.communication.cclWorkerAffinity",
          "remove"),
    Wrong("mpi", "communication: {backend: mpi}", "spec.communication.backend", "without MPI"),
    Wrong("no CPU", "workers: {resources: {cpu: 0}}", "spec.workers.resources.cpu", "1 or more"),
    Wrong("shared memory as large as the memory", "sharedMemory: {size: 2Gi}",
          "spec.sharedMemory.size", "write less"),
    Wrong("shared memory larger than the memory, in another unit",
          "workers: {resources: {memory: 1G}}\nsharedMemory: {size: 1Gi}",
          "spec.sharedMemory.size", "write less"),
    Wrong("a label's key with a space", "workers: {nodeSelector: {a b: c}}",
          "spec.workers.nodeSelector.a b", "kubernetes.io/arch"),
)  # fmt: skip
"""What only the operator's own reading finds."""
