"""Synthetic customers with histories that the rules allow, written by COPY with every rule of the database on.

`plan` shares the work out, `histories` plays what happened, move by move in the order of time, on `books` that keep each
wallet's chain of entries, `people` and `vouchers` describe who and what, `writing` puts a batch into the database in
one transaction, and `service` runs it all and takes up a run that was killed.
"""
