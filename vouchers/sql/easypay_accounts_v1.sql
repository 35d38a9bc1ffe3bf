-- Counts the EasyPay numbers given out; vouchers/numbers.py turns each count into an account that does not show it.
-- NO CYCLE: a number is never given twice, running out is an error of its own (2200H).
CREATE SEQUENCE easypay_accounts AS bigint MINVALUE 0 MAXVALUE 99999999 START WITH 0 NO CYCLE;

GRANT USAGE ON SEQUENCE easypay_accounts TO :"app_role";
