-- The days are counted by the app's own task; who looks at the ledger says so.
GRANT INSERT, UPDATE, DELETE ON business_days, business_day_money, business_day_refusals TO :"app_role";
GRANT INSERT ON ledger_verifications TO :"app_role";
