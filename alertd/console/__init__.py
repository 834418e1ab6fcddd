"""The operators' side of the daemon: versioned JSON API, provider callbacks, and the words people read about incidents.

Imports nothing here on purpose: the command line takes `client`, `render` and `doctor` without paying for FastAPI.
"""
