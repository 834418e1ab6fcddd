"""Contract suites: what every store, channel and decoder must do. Ours and third parties' run the same.

For tests only; running code never imports it.
"""
