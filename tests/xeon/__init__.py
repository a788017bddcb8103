"""The image of runtime xeon: `make test-xeon`, built once and tested with a stand-in."""
