"""All talk with the API server, behind one short protocol. Knows no kopf."""
