"""The operator against a real API server: etcd and kube-apiserver, no controllers, no kubelet."""
