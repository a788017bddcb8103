"""What runs in a training pod: the launcher, its ranks, and the contract with the operator."""
