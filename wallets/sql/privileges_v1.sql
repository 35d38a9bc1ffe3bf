-- The app opens wallets (a CHECK wants a new one empty) and changes their status. Their money changes in the kernel.
GRANT INSERT ON wallets TO :"app_role";
GRANT UPDATE (status) ON wallets TO :"app_role";
GRANT INSERT, UPDATE, DELETE ON tier_limits TO :"app_role";
