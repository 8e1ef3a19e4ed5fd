"""Proved answers about steady states: interval search, verdicts on enclosures, certificates and their checker."""
