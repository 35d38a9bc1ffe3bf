"""A statement as a file: JSON for programs, CSV for spreadsheets, PDF for people."""
