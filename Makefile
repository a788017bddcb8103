# Each verb sets up what it needs, says what it does and how long it took, and can be repeated.
PYTHON ?= python3
RUN = @$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=/path/to/it")' && exec $(PYTHON) -m hack

.DEFAULT_GOAL := help
.PHONY: help demo local test test-unit test-ranks test-long test-api test-faults test-faults-long test-chart test-cluster test-launchers test-xeon lint verify fmt cluster cluster-down images bench lock screenshots

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: ## From a bare machine to a finished TrainingRun on a local cluster
	$(RUN) demo
local: ## Train the sample with 2 ranks on this machine, no cluster
	$(RUN) local
test: ## lint, verify and all the tests below
	$(RUN) test
test-unit: ## Tests with no cluster and no API server
	$(RUN) test-unit
test-ranks: ## Whole runs of the trainer with real ranks on this machine
	$(RUN) test-ranks
test-long: ## Every task by one rank and by two, and every sample as written; not part of test
	$(RUN) test-long
test-api: ## Tests against a real kube-apiserver and etcd
	$(RUN) test-api
test-faults: ## What can go wrong between the operator and the API server
	$(RUN) test-faults
test-faults-long: ## The same with faults of minutes, as long as outside; renews docs/failure-modes.md
	$(RUN) test-faults-long
test-chart: ## Tests of the Helm chart and the kustomize install
	$(RUN) test-chart
test-cluster: ## Tests on the local kind cluster
	$(RUN) test-cluster
test-launchers: ## Ranks started by torchrun, mpirun (Intel's and Open MPI) and accelerate launch
	$(RUN) test-launchers
test-xeon: ## Build the image of runtime xeon and compare its ways to train; 7 GB, not part of test
	$(RUN) test-xeon
lint: ## ruff, mypy and the import contracts
	$(RUN) lint
verify: ## Fail if anything generated differs from its source
	$(RUN) verify
fmt: ## Format the code and regenerate what is generated
	$(RUN) fmt
cluster: ## Bring the local kind cluster to running
	$(RUN) cluster
cluster-down: ## Remove the local cluster
	$(RUN) cluster-down
images: ## Build our images and push them to the local registry
	$(RUN) images
bench: ## Measure what docs/benchmarks.md reports
	$(RUN) bench
lock: ## Renew the lock files from pyproject.toml
	$(RUN) lock
screenshots: ## Make the pictures under docs/images anew; needs Chromium
	$(RUN) screenshots
