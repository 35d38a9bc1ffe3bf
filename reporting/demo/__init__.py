"""The whole bank on one machine, to try it: servers, people, history, web, worker and beat, until Ctrl-C.

`stage` says in which order; `claims` makes sure of a folder and a port, `people` of accounts, `processes` starts and
ends programs, and `tether` ends them even when nobody is left who could.
"""
