"""Measurements that anyone can repeat: each compares things inside one run, in turns, and gives medians and ranges."""
