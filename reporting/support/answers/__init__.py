"""Answers in words: one file for each language, which whoever speaks it can correct. docs/support.md says how."""
