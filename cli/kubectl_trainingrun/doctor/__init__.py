"""Why a run does not get on: a typed snapshot (gather does the asking), and a table of troubles."""
