-- Ways to break the story of test_verification.py, each under the check that must find it, and after the arrow a word
-- that must stand in the row it shows. thandi(), sipho(), naledi() are wallets; payment() is Thandi's, since reversed.

-- 01_entries_match_their_transfer → otherwise
UPDATE transfers SET amount = amount + 1 WHERE id = payment();

-- 01_entries_match_their_transfer → sent
UPDATE transfers SET from_wallet_id = naledi() WHERE id = payment();

-- 01_entries_match_their_transfer → received
UPDATE transfers SET to_wallet_id = naledi() WHERE id = payment();

-- 01_entries_match_their_transfer
UPDATE transfers SET currency = 'USD' WHERE id = payment();

-- 01_entries_match_their_transfer
UPDATE transfers SET created_at = created_at + '1 s' WHERE id = payment();

-- 01_entries_match_their_transfer → no such transfer
DELETE FROM transfers WHERE id = payment();

-- 01_entries_match_their_transfer → otherwise
UPDATE transactions SET amount = amount + 1 WHERE wallet_id = thandi() AND sequence = 2;

-- 02_transfers_sum_to_zero
DELETE FROM transactions WHERE transfer_id = payment() AND type = 'received';

-- 02_transfers_sum_to_zero
DELETE FROM transactions WHERE transfer_id = payment();

-- 02_transfers_sum_to_zero
UPDATE transactions SET amount = amount + 1 WHERE wallet_id = thandi() AND sequence = 2;

-- 02_transfers_sum_to_zero
UPDATE transactions SET currency = 'USD' WHERE wallet_id = thandi() AND sequence = 2;

-- 02_transfers_sum_to_zero
ALTER TABLE transactions DROP CONSTRAINT uq_transactions_transfer_type;
INSERT INTO transactions (
    transfer_id, wallet_id, user_id, type, amount, currency, sequence, balance_after, total_received_after,
    total_sent_after, created_at
)
SELECT transfer_id, wallet_id, user_id, type, amount, currency, sequence + 90, balance_after,
    total_received_after, total_sent_after, created_at
FROM transactions WHERE wallet_id = thandi() AND sequence = 2;

-- 03_amounts_are_whole_cents → 10.001
ALTER TABLE transfers ALTER amount TYPE numeric;
UPDATE transfers SET amount = 10.001 WHERE id = payment();

-- 03_amounts_are_whole_cents
ALTER TABLE transfers DROP CONSTRAINT transfers_amount_is_positive;
UPDATE transfers SET amount = -amount;

-- 03_amounts_are_whole_cents → NaN
ALTER TABLE transfers ALTER amount TYPE numeric;
UPDATE transfers SET amount = 'NaN';

-- 03_amounts_are_whole_cents
ALTER TABLE transfers DROP CONSTRAINT transfers_not_to_itself;
UPDATE transfers SET to_wallet_id = from_wallet_id WHERE id = payment();

-- 04_entries_form_chains → gap
UPDATE transactions SET sequence = 99 WHERE wallet_id = thandi() AND sequence = 6;

-- 04_entries_form_chains → gap
UPDATE transactions SET sequence = 99 WHERE wallet_id = thandi() AND sequence = 2;

-- 04_entries_form_chains → gap
DELETE FROM transactions WHERE wallet_id = thandi() AND sequence = 2;

-- 04_entries_form_chains → gap
DELETE FROM transactions WHERE wallet_id = thandi() AND sequence = 1;

-- 04_entries_form_chains → total_sent_after
UPDATE transactions SET amount = amount + 1 WHERE wallet_id = thandi() AND sequence = 2;

-- 04_entries_form_chains → total_received_after
ALTER TABLE transactions DROP CONSTRAINT uq_transactions_transfer_type;
UPDATE transactions SET type = 'received' WHERE wallet_id = thandi() AND sequence = 2;

-- 04_entries_form_chains → total_received_after
UPDATE transactions SET total_received_after = total_received_after + 1, balance_after = balance_after + 1
WHERE wallet_id = thandi() AND sequence = 2;

-- 04_entries_form_chains → balance_after
ALTER TABLE transactions DROP CONSTRAINT transactions_balance_is_in_minus_out;
UPDATE transactions SET balance_after = balance_after + 1 WHERE wallet_id = thandi() AND sequence = 2;

-- 04_entries_form_chains → time
UPDATE transactions SET created_at = '2020-01-01' WHERE wallet_id = thandi() AND sequence = 2;

-- 04_entries_form_chains → currency
UPDATE transactions SET currency = 'USD' WHERE wallet_id = thandi() AND sequence = 2;

-- 04_entries_form_chains → user
UPDATE transactions SET user_id = NULL WHERE wallet_id = thandi() AND sequence = 2;

-- 04_entries_form_chains → no such wallet
DELETE FROM wallets WHERE id = sipho();

-- 04_entries_form_chains → does not know
UPDATE wallets SET sequence = 2, received_count = 1, sent_count = 1 WHERE id = thandi();

-- 04_entries_form_chains → counts otherwise
UPDATE wallets SET received_count = received_count + 1, sent_count = sent_count - 1 WHERE id = thandi();

-- 05_heads_equal_their_last_entry
UPDATE wallets SET balance = balance + 1, total_received = total_received + 1 WHERE id = thandi();

-- 05_heads_equal_their_last_entry
UPDATE wallets SET total_sent = total_sent + 1, total_received = total_received + 1 WHERE id = thandi();

-- 05_heads_equal_their_last_entry
UPDATE wallets SET last_entry_at = now() WHERE id = thandi();

-- 05_heads_equal_their_last_entry
UPDATE wallets SET sequence = sequence + 1, sent_count = sent_count + 1 WHERE id = thandi();

-- 05_heads_equal_their_last_entry
DELETE FROM transactions WHERE wallet_id = thandi() AND sequence = 6;

-- 05_heads_equal_their_last_entry
UPDATE wallets SET balance = 5, total_received = 5 WHERE id = naledi();

-- 05_heads_equal_their_last_entry
UPDATE wallets SET total_received = 5, total_sent = 5 WHERE id = naledi();

-- 05_heads_equal_their_last_entry
UPDATE wallets SET held = 0.01, balance = 1, total_received = 1 WHERE id = naledi();

-- 05_heads_equal_their_last_entry
UPDATE wallets SET received_count = 1 WHERE id = naledi();

-- 05_heads_equal_their_last_entry
UPDATE wallets SET sent_count = 1 WHERE id = naledi();

-- 05_heads_equal_their_last_entry
UPDATE wallets SET last_entry_at = now() WHERE id = naledi();

-- 06_available_is_not_negative → -0.01
ALTER TABLE wallets DROP CONSTRAINT wallets_available_not_negative;
UPDATE wallets SET held = balance + 0.01 WHERE id = thandi();

-- 06_available_is_not_negative
ALTER TABLE wallets DROP CONSTRAINT wallets_available_not_negative;
UPDATE wallets SET held = -1 WHERE id = thandi();

-- 06_available_is_not_negative
UPDATE wallets SET spent_day_amount = -1 WHERE id = thandi();

-- 06_available_is_not_negative
UPDATE wallets SET spent_day_amount = 9, spent_month_amount = 8 WHERE id = thandi();

-- 06_available_is_not_negative
UPDATE wallets SET held = -1 WHERE kind = 'suspense';

-- 06_available_is_not_negative → closed
UPDATE wallets SET status = 'closed' WHERE id = thandi();

-- 07_held_is_live_holds
UPDATE wallets SET held = held + 1 WHERE id = thandi();

-- 07_held_is_live_holds
UPDATE wallets SET held = 1 WHERE kind = 'suspense' AND balance > 0;

-- 07_held_is_live_holds
UPDATE holds SET status = 'voided', resolved_at = now();

-- 07_held_is_live_holds
UPDATE holds SET currency = 'USD';

-- 07_held_is_live_holds
UPDATE holds SET wallet_id = sipho();

-- 07_held_is_live_holds → none
UPDATE holds SET wallet_id = 0;

-- 08_currencies_sum_to_zero → 1.00
UPDATE wallets SET balance = balance + 1, total_received = total_received + 1 WHERE id = sipho();

-- 08_currencies_sum_to_zero
UPDATE wallets SET total_received = total_received + 1 WHERE id = sipho();

-- 09_keys_have_one_result → nothing
UPDATE idempotency_keys SET produced_id = gen_random_uuid();

-- 09_keys_have_one_result → nothing
UPDATE idempotency_keys SET produced_kind = 'voucher';

-- 09_keys_have_one_result → nothing
UPDATE idempotency_keys SET produced_kind = 'promise';

-- 09_keys_have_one_result → nothing
UPDATE idempotency_keys SET produced_id = (SELECT id FROM transfers WHERE kind = 'vat');

-- 09_keys_have_one_result → more than once
ALTER TABLE idempotency_keys DROP CONSTRAINT uq_idempotency_keys_actor_key;
INSERT INTO idempotency_keys (actor, key, request_hash, produced_kind, produced_id)
SELECT actor, key, request_hash, produced_kind, produced_id FROM idempotency_keys;

-- 10_groups_stand_together
UPDATE transfers SET group_id = gen_random_uuid() WHERE kind = 'vat';

-- 10_groups_stand_together
UPDATE transfers SET group_id = (SELECT id FROM transfers WHERE kind = 'fee') WHERE kind = 'vat';

-- 10_groups_stand_together
UPDATE transfers SET created_at = created_at + '1 s' WHERE kind = 'vat';

-- 10_groups_stand_together
UPDATE transfers SET initiated_by_id = NULL WHERE kind = 'vat';

-- 11_reversals_mirror → no mirror
UPDATE transfers SET amount = amount - 1 WHERE kind = 'reversal';

-- 11_reversals_mirror → no mirror
UPDATE transfers SET currency = 'USD' WHERE kind = 'reversal';

-- 11_reversals_mirror → no mirror
UPDATE transfers SET to_wallet_id = naledi() WHERE kind = 'reversal';

-- 11_reversals_mirror → no mirror
UPDATE transfers SET from_wallet_id = (SELECT min(id) FROM wallets WHERE kind = 'bank') WHERE kind = 'reversal';

-- 11_reversals_mirror → no mirror
UPDATE transfers SET reverses_id = gen_random_uuid() WHERE kind = 'reversal';

-- 11_reversals_mirror → no mirror
DROP INDEX uq_transfers_reversed_once;
UPDATE transfers SET reverses_id = payment() WHERE kind = 'fee';
UPDATE transfers SET reverses_id = (SELECT id FROM transfers WHERE kind = 'fee') WHERE kind = 'reversal';

-- 11_reversals_mirror → twice
DROP INDEX uq_transfers_reversed_once;
UPDATE transfers SET reverses_id = payment() WHERE kind = 'adjustment';

-- 12_voucher_totals_equal_a_recount
UPDATE voucher_totals SET total_count = total_count + 1;

-- 12_voucher_totals_equal_a_recount
UPDATE voucher_totals SET total_value = total_value + 1;

-- 12_voucher_totals_equal_a_recount
UPDATE voucher_totals SET active_value = active_value + 1;

-- 12_voucher_totals_equal_a_recount
UPDATE voucher_totals SET pending_value = pending_value + 1;

-- 12_voucher_totals_equal_a_recount
UPDATE voucher_totals SET active_count = 0, pending_count = pending_count + 1;

-- 12_voucher_totals_equal_a_recount
UPDATE voucher_totals SET pending_count = pending_count - 1;

-- 12_voucher_totals_equal_a_recount
DELETE FROM voucher_totals;

-- 12_voucher_totals_equal_a_recount
DELETE FROM vouchers;

-- 12_voucher_totals_equal_a_recount
UPDATE vouchers SET currency = 'USD';

-- 13_voucher_liability_is_what_vouchers_owe
UPDATE vouchers SET balance = 99 WHERE status = 'active';

-- 13_voucher_liability_is_what_vouchers_owe → 100.00
DELETE FROM vouchers;

-- 13_voucher_liability_is_what_vouchers_owe → USD
UPDATE vouchers SET currency = 'USD' WHERE status = 'active';

-- 13_voucher_liability_is_what_vouchers_owe → -1.00
UPDATE wallets SET balance = balance - 1, total_sent = total_sent + 1
WHERE kind = 'voucher_liability' AND balance > 0;

-- 14_suspense_is_open_items
UPDATE suspense_items SET resolved_at = now(), resolution = 'forgotten';

-- 14_suspense_is_open_items → -20.00
UPDATE suspense_items SET direction = 'owed_to_till';

-- 14_suspense_is_open_items
UPDATE suspense_items SET currency = 'USD';

-- 15_pending_cash_outs_hold_their_money → captured
UPDATE holds SET status = 'captured', resolved_at = now();

-- 15_pending_cash_outs_hold_their_money → 59.19
UPDATE holds SET amount = amount - 0.01;

-- 15_pending_cash_outs_hold_their_money
UPDATE holds SET currency = 'USD';

-- 15_pending_cash_outs_hold_their_money
UPDATE holds SET wallet_id = sipho();

-- 15_pending_cash_outs_hold_their_money
DELETE FROM holds;

-- 15_pending_cash_outs_hold_their_money → redeemed
UPDATE vouchers SET status = 'redeemed' WHERE voucher_type = 'easypay_cashout';

-- 16_voucher_summary_is_live → only in
UPDATE voucher_totals SET active_value = active_value + 1;

-- 16_voucher_summary_is_live → only in the view
DELETE FROM vouchers;

-- 16_voucher_summary_is_live → only in the recomputation
DELETE FROM voucher_totals;

-- 17_transaction_summary_is_live
UPDATE wallets SET last_entry_at = now() WHERE id = sipho();

-- 17_transaction_summary_is_live
UPDATE transactions SET amount = amount + 1 WHERE wallet_id = thandi() AND sequence = 2;

-- 17_transaction_summary_is_live
UPDATE transactions SET wallet_id = sipho(), sequence = 99 WHERE wallet_id = thandi() AND sequence = 2;

-- 18_user_financial_summary_is_live
UPDATE wallets SET held = held + 1 WHERE id = thandi();

-- 18_user_financial_summary_is_live
UPDATE voucher_totals SET pending_value = pending_value + 1;

-- 18_user_financial_summary_is_live
UPDATE transactions SET amount = amount + 1 WHERE wallet_id = thandi() AND sequence = 2;
