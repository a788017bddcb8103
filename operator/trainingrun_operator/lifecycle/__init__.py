"""What is decided about a run from what is seen of it. Pure: no client, framework or clock."""
