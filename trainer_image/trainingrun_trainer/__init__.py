"""What runs in a training pod: the launcher, the ranks it starts, and the contract with the operator."""
