"""What can be wrong with a run or around it: said in a condition, and mended by itself."""

from __future__ import annotations

from tests.api.cluster import Namespace
from tests.api.manifests import training_run
from tests.api.running import CountingCluster


def test_a_spec_that_fits_no_plan_is_not_accepted_and_the_field_is_named(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run(workers={"count": 3}))  # 16 samples for 3 ranks

    refused = namespace.until_condition("Accepted", "False", "InvalidSpec")

    assert "spec.training.globalBatchSize" in refused["message"]
    assert namespace.run()["status"]["phase"] == "Invalid"
    assert namespace.jobs() == []


def test_an_edit_that_fits_no_plan_is_refused_and_the_run_goes_on(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_job()
    namespace.start_workers()
    namespace.until_condition("Running", "True", "WorkersRunning")
    made = namespace.job()["metadata"]

    namespace.edit_run({"spec": {"workers": {"count": 3, "elastic": {"max": 3}}}})
    refused = namespace.until_condition("Accepted", "False", "InvalidSpec")

    assert "spec.training.globalBatchSize" in refused["message"]
    assert namespace.run()["status"]["phase"] == "Running"
    assert namespace.job()["metadata"]["generation"] == made["generation"]

    namespace.edit_run({"spec": {"workers": {"count": 2}}})
    namespace.until_condition("Accepted", "True", "Valid")


def test_a_run_that_begins_suspended_has_its_job_and_starts_when_it_goes_on(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run(policy={"suspend": True}))
    assert namespace.until_job()["spec"]["runPolicy"]["suspend"] is True
    namespace.until_condition("Suspended", "True", "Suspended")

    namespace.edit_run({"spec": {"policy": {"suspend": False}}})

    namespace.until_condition("Suspended", "False", "NotSuspended")
    assert namespace.job()["spec"]["runPolicy"]["suspend"] is False


def test_a_missing_claim_is_named_and_the_run_starts_when_it_is_made(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.create(training_run())
    missing = namespace.until_condition("Accepted", "False", "ClaimNotFound")
    assert "training-data" in missing["message"]

    namespace.make_claim()

    namespace.until_condition("Accepted", "True", "Valid")
    namespace.until_job()


def test_a_strangers_job_of_the_same_name_is_left_alone(
    started: CountingCluster, namespace: Namespace
) -> None:
    worker = {"template": {"spec": {"containers": [{"name": "pytorch", "image": "theirs"}]}}}
    theirs = namespace.create(
        {
            "apiVersion": "kubeflow.org/v1",
            "kind": "PyTorchJob",
            "metadata": {"name": "squad"},
            "spec": {"pytorchReplicaSpecs": {"Worker": worker}},
        }
    )
    namespace.make_claim()
    namespace.create(training_run())

    taken = namespace.until_condition("Accepted", "False", "NameConflict")

    assert "PyTorchJob squad" in taken["message"]
    assert namespace.job()["metadata"]["resourceVersion"] == theirs["metadata"]["resourceVersion"]


def test_an_image_that_cannot_be_pulled_is_named_with_the_kubelets_words(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_job()
    namespace.make_pod(0)
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off: no such host"}
    namespace.set_pod_state(0, "Pending", {"waiting": waiting})

    failed = namespace.until_condition("Running", "False", "ImagePullFailed")

    assert "example.org/trainer:1" in failed["message"]
    assert "no such host" in failed["message"]


def test_a_missing_priority_class_is_named_and_the_run_starts_when_it_is_made(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    name = f"gold-{namespace.name}"
    namespace.create(training_run(workers={"priorityClassName": name}))
    missing = namespace.until_condition("Accepted", "False", "PriorityClassNotFound")
    assert "spec.workers.priorityClassName" in missing["message"]

    namespace.make_priority_class(name)

    namespace.until_condition("Accepted", "True", "Valid")
    namespace.until_job()


def test_a_quota_that_is_used_up_is_named_and_the_run_starts_when_there_is_room(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.set_quota({"requests.cpu": "8"}, used={"requests.cpu": "7500m"})
    namespace.create(training_run())
    short = namespace.until_condition("Accepted", "False", "QuotaExceeded")
    assert "quota team has 0.5 of 8 left" in short["message"]
    assert namespace.jobs() == []

    namespace.set_quota({"requests.cpu": "8"}, used={"requests.cpu": "0"})

    namespace.until_condition("Accepted", "True", "Valid")
    namespace.until_job()


def test_pods_that_are_refused_are_told_with_the_refusal(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run())
    words = 'Error creating: pods "squad-worker-0" is forbidden: maximum cpu usage is 500m'
    namespace.warn_of_job(namespace.until_job(), words)

    refused = namespace.until_condition("Running", "False", "PodsRefused")

    assert "maximum cpu usage is 500m" in refused["message"]
    assert namespace.run()["status"]["phase"] == "Starting"


def test_a_missing_secret_is_told_by_the_field_that_names_it(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    secret = {"name": "HF_TOKEN", "secretKey": {"name": "hub", "key": "token"}}
    namespace.create(training_run(workers={"env": [secret]}))
    namespace.until_job()
    namespace.make_pod(0)
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "hub" not found'}
    namespace.set_pod_state(0, "Pending", {"waiting": waiting})

    missing = namespace.until_condition("Running", "False", "SecretNotFound")

    assert missing["message"].startswith("spec.workers.env[0].secretKey: secret hub")


def test_a_job_that_the_api_server_refuses_is_told_with_the_refusal(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.forbid_jobs()
    namespace.create(training_run())

    refused = namespace.until_condition("JobCreated", "False", "JobRefused")

    assert "exceeded quota: no-jobs" in refused["message"]


def test_a_run_in_trouble_holds_no_other_up(started: CountingCluster, namespace: Namespace) -> None:
    namespace.make_claim()
    namespace.create(training_run("bad", storage={"claimName": "no-such-claim"}))
    namespace.create(training_run("good"))

    namespace.until_condition("JobCreated", "True", "JobCreated", name="good")
    namespace.until_condition("Accepted", "False", "ClaimNotFound", name="bad")
