"""Trying out one device: `alertd devices test`, and what the API does for it."""
