"""What can go wrong between the operator and the API server, and what must hold after it."""
