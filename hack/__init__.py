"""What a developer runs from the repository root: the local cluster and our images.

Standard library only: it runs before any virtual environment exists. Nothing outside `hack`,
`bench` and `tests` may import it.
"""
