"""The only place that writes vouchers, what tills report of them, and suspense items.

Every service is one database transaction, tried again as a whole after a deadlock: it claims the key, locks the voucher,
writes it, and calls the kernel last. Locks are taken in the order voucher, its totals, hold, wallets ascending.
"""
