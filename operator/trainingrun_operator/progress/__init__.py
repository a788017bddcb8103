"""The HTTPS endpoint that trainers post their progress to. Knows no kopf."""
