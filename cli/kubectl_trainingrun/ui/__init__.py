"""A local page to read: runs, and one run, over the user's own kubeconfig. Changes nothing."""
