"""Rows of tables: read, checked and encoded once for all ranks; knows no task and no model."""
