"""What one of finance proposes and another approves: a command kept as JSON, and done when the second says so.

It lives with the ledger: what a command would do is told from entries, and every command of money is a group of them.
Apps above bring their commands when they start (`commands.register`); those of wallets, below, stand in `catalogue`.
"""
