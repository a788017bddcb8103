"""Right TrainingRuns, with what YAML and Kubernetes make easy to get wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Right:
    """`groups` as in `document`."""

    what: str
    groups: str = ""
    name: str = "squad"


LONGEST = "a" * 48
"""Two runs of this prefix and one character more have names of the greatest length but one."""

VALID = (
    Right("the least that can be written"),
    Right("no claim for one worker", "-storage"),
    Right("a name that is a YAML boolean", name='"on"'),
    Right("another name that is a YAML boolean", name='"no"'),
    Right("a name that is YAML's null", name='"null"'),
    Right("a name that is a letter and a YAML boolean", name='"y"'),
    Right("a name that is a number with an exponent", name='"e1"'),
    Right("a name that is a word of the shell", name="exit-0"),
    Right("the longest name", name="n" * 50),
    Right("a long name", name=f"{LONGEST}b"),
    Right("a long name with the same prefix", name=f"{LONGEST}c"),
    Right("a hub id that YAML would read as a number", 'model: {name: "1e3"}'),
    Right("a revision that YAML would read as a number", 'model: {name: a/b, revision: "0123"}'),
    Right("a claim that YAML would read as a number", 'storage: {claimName: "1.5"}'),
    Right("a value that YAML would read as a boolean",
          'workers: {env: [{name: OFFLINE, value: "yes"}]}'),
    Right("a value with a colon that is no number",
          "workers: {env: [{name: AT, value: 12:30}]}"),
    Right("a value that looks like a date", "workers: {env: [{name: DAY, value: '2026-01-01'}]}"),
    Right("an empty value", 'workers: {env: [{name: EMPTY, value: ""}]}'),
    Right("a value with a variable in it", "workers: {env: [{name: A, value: $(HOME) $$ `id`}]}"),
    Right("a variable from a secret",
          "workers: {env: [{name: HF_TOKEN, secretKey: {name: hub, key: token}}]}"),
    Right("quantities as numbers", "workers: {resources: {cpu: 8, memory: 17179869184}}"),
    Right("quantities with fractions", 'workers: {resources: {cpu: "1.5", memory: 1.5Gi}}'),
    Right("thousandths of a CPU", "workers: {resources: {cpu: 500m}}"),
    Right("whole numbers with an exponent", "training: {maxSteps: 1e2, globalBatchSize: 24}"),
    Right("whole numbers with a point", "training: {maxSteps: 100.0, globalBatchSize: 24}"),
    Right("a learning rate without a point", "training: {maxSteps: 1, learningRate: 3e-5}"),
    Right("a whole number for a learning rate", "training: {maxSteps: 1, learningRate: 1}"),
    Right("the greatest seed", "training: {maxSteps: 1, seed: 4294967295}"),
    Right("an octal number of steps", "training: {maxSteps: 010, globalBatchSize: 24}"),
    Right("groups that are empty", "workers:\npolicy:\nsharedMemory: {}"),
    Right("fields that are null", "policy: {suspend: null, activeDeadlineSeconds: null}"),
    Right("epochs in place of steps", "training: {epochs: 3, globalBatchSize: 24}"),
    Right("a model from scratch", "model: {fromScratch: {}, tokenizer: {train: {}}}"),
    Right("an image by digest", f"image: {{name: 'example.org:5000/a/b@sha256:{'0' * 64}'}}"),
    Right("more workers than nodes are likely", "workers: {count: 24}"),
    Right("an elastic range that is narrowed", "workers: {count: 2, elastic: {max: 7}}"),
    Right("several ranks in a worker", "workers: {processesPerWorker: 4, resources: {cpu: 4}}"),
    Right("every taint", "workers: {tolerations: [{operator: Exists}]}"),
    Right("labels that look like other things",
          'workers: {nodeSelector: {"null": "true", example.org/gpu: "8"}}'),
    Right("a file pattern full of signs", "data: {train: /a, files: '*: {a, b}# [c]'}"),
    Right("a path with a template in it", "data: {train: '/{{ plan.name }}/{% raw %}'}"),
    Right("labels and annotations of one's own",
          'workers: {labels: {team: "1"}, annotations: {example.org/a: "on: {{ x }}"}}'),
    Right("variables from a secret and a ConfigMap",
          "workers: {envFrom: [{secret: a}, {configMap: b}]}"),
    Right("a claim of its own", "storage: {create: {size: 10Gi}}"),
    Right("a claim of its own for many", "storage: {create: {size: 1Ti, storageClassName: fast}}\n"
          "workers: {count: 3}"),
    Right("lines of JSON",
          "data: {train: /a.jsonl, format: jsonl, columns: {text: 'text: yes'}, maxSamples: 10}"),
    Right("a column that YAML would read as a number",
          'data: {train: /a, format: jsonl, columns: {text: "1"}}'),
    Right("questions of SQuAD's second version",
          "task: {type: question-answering, blockSize: 384, stride: 128, unanswerable: true, "
          "bestAnswers: 5, maxAnswerTokens: 40}"),
    Right("labels that YAML would read as a boolean and a number",
          'task: {type: text-classification, labels: ["no", "1"]}'),
    Right("several labels for a text",
          "task: {type: text-classification, problem: multi-label}\n"
          "data: {train: /a.parquet, columns: {text: body, label: topics}}"),
    Right("words with tags", "task: {type: token-classification}\n"
          "data: {train: /a, format: json, columns: {tokens: words, tags: entities}}"),
    Right("hidden tokens", "task: {type: masked-lm, maskProbability: 0.3}\n"
          "model: {fromScratch: {modelType: bert}, tokenizer: {train: {}}}"),
    Right("a search by beams", "task: {type: seq2seq, maxTargetTokens: 64, beams: 4}\n"
          "model: {fromScratch: {modelType: bart}, tokenizer: {train: {}}}"),
    Right("instructions", "task: {type: causal-lm, packing: separate, lossOn: completion}\n"
          "data: {train: /a.jsonl, columns: {prompt: question, completion: answer}}"),
    Right("conversations", "task: {type: causal-lm, packing: separate, lossOn: completion, "
          "chatTemplate: /data/chat.jinja}\ndata: {train: /a, columns: {messages: turns}}"),
    Right("a classifier of decoders", "task: {type: text-classification}\n"
          "model: {fromScratch: {modelType: qwen2}, tokenizer: {name: a/b}}"),
    Right("half the memory", "model: {name: a/b, dtype: bfloat16, attention: eager}"),
    Right("SGD with momentum",
          "training: {maxSteps: 1, globalBatchSize: 24, optimizer: {name: sgd, momentum: 0.9}}"),
    Right("a schedule of three parts",
          "training: {epochs: 1, globalBatchSize: 24, schedule: {type: warmup_stable_decay, "
          "warmupPercent: 10, decayPercent: 90, minimumPercent: 0}}"),
    Right("further arguments", "training: {maxSteps: 1, globalBatchSize: 24, deterministic: true, "
          "arguments: {neftuneNoiseAlpha: 5, ddpFindUnusedParameters: true}}"),
    Right("every hint about a processor",
          "workers: {resources: {cpu: 112}}\n"
          "cpu: {sockets: 2, numaNodes: 4, threadsPerCore: 2, threads: auto}"),
    Right("an allocator and an OpenMP",
          "cpu: {allocator: jemalloc, openmp: intel, blockTimeMilliseconds: 0}"),
    Right("more threads than CPUs, on purpose", "cpu: {threads: 4, allowOversubscription: true}"),
    Right("a backend that may be another", "communication: {backend: ccl, interface: eth0}"),
    Right("threads of oneCCL", "workers: {resources: {cpu: 8}}\n"
          "communication: {backend: ccl, cclWorkers: 2, cclWorkerAffinity: '6,7'}"),
    Right("Intel's libraries", "runtime: xeon\nimage: {name: registry.example.org/xeon:1}\n"
          "workers: {resources: {cpu: 8}}\n"
          "communication: {cclWorkers: 2}\ncpu: {ipex: float32}"),
    Right("huge pages", "cpu: {hugePages: Transparent}"),
    Right("disk of the node", "workers: {resources: {ephemeralStorage: 20Gi}}"),
    Right("a precision to be measured",
          "training: {maxSteps: 1, globalBatchSize: 24, precision: measure}"),
    Right("a rendezvous of its own",
          "workers: {count: 2, elastic: {max: 4, rendezvous: dedicated}}"),
    Right("a rendezvous of its own for the longest name", "workers: {elastic: "
          "{rendezvous: dedicated}}", name="n" * 50),
    Right("nodes of one kind, one worker on each",
          "workers: {count: 3, affinity: {nodes: {required: [{key: a, values: ['1', 'on']}, "
          "{key: b, operator: Lt, values: ['9']}]}, apart: [{when: Required}]}}"),
    Right("even over zones, and no matter over nodes",
          "workers: {topologySpread: [{topologyKey: topology.kubernetes.io/zone}]}"),
    Right("spread as the scheduler likes", "workers: {topologySpread: []}"),
    Right("a folder of the claim", "storage: {claimName: a, subPath: team/.hidden/1.0}"),
    Right("a cache of its own", 'cache: {scope: Run, subPath: "1e3"}'),
    Right("a cache by its old name",
          "workers: {env: [{name: TRANSFORMERS_CACHE, value: /runs/hub}]}"),
    Right("on from an earlier run of the name", "resume: {from: latest}"),
    Right("on from another run", 'resume: {from: run, run: "on", step: 100}'),
    Right("a program of one's own", "-model\n-data\n-training\ntask: {type: script, program: "
          "/runs/code/train.py, arguments: ['--lr', '1e-3', '$(HOME); reboot', '']}"),
    Right("a module of one's own",
          "-model\n-data\n-training\ntask: {type: script, module: package.train}"),
    Right("a checkpoint each ten minutes", "checkpoints: {everySeconds: 600}"),
    Right("checkpoints that training waits for, or the end",
          "checkpoints: {everySteps: 9, asynchronous: false, onStorageFull: Stop}"),
    Right("a suspended run", "policy: {suspend: true}"),
)  # fmt: skip
