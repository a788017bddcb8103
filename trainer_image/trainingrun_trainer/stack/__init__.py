"""What a worker really runs on, held against what was planned: limits, libraries, threads.

Imported by the launcher before torch is, hence without any training library.
"""
