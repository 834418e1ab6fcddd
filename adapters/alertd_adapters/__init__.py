"""Adapters that ship with alertd: one folder a protocol or provider.

They see `alertd.ports` and `alertd.model` only, never each other, and are found by entry point like a third party's.
"""
