"""What one rank runs, from its process group to its part of the summary.

Imported by the fork server, before any rank exists.
"""
