"""One module for each verb, or for a pair of them; each adds its own parser. Imported by `main`."""
