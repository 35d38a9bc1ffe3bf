-- Ways to break the story of test_verification.py, each under the check that must find it, and after the arrow a word
-- that must stand in the row it shows. thandi(), sipho(), lerato(), naledi() are wallets; payment() is Thandi's, since reversed.

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
UPDATE holds SET status = 'voided', resolved_at = now() WHERE status = 'held';

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
UPDATE idempotency_keys SET produced_kind = 'voucher' WHERE produced_kind = 'transfer';

-- 09_keys_have_one_result → nothing
UPDATE idempotency_keys SET produced_kind = 'transfer' WHERE produced_kind = 'hold';

-- 09_keys_have_one_result → hold
DELETE FROM holds;

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

-- 10_groups_stand_together
UPDATE transfers SET approved_by_id = initiated_by_id WHERE kind = 'vat';

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
UPDATE transfers SET reverses_id = (SELECT id FROM transfers WHERE kind = 'fee')
WHERE kind = 'reversal' AND reverses_id = payment();

-- 11_reversals_mirror → twice
DROP INDEX uq_transfers_reversed_once;
UPDATE transfers SET reverses_id = payment() WHERE kind = 'fee';

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
UPDATE voucher_totals SET pending_count = pending_count - 1 WHERE pending_count > 0;

-- 12_voucher_totals_equal_a_recount
DELETE FROM voucher_totals;

-- 12_voucher_totals_equal_a_recount
DELETE FROM vouchers;

-- 12_voucher_totals_equal_a_recount
UPDATE vouchers SET currency = 'USD';

-- 13_voucher_liability_is_what_vouchers_owe
UPDATE vouchers SET balance = balance - 1 WHERE status = 'active';

-- 13_voucher_liability_is_what_vouchers_owe → 130.00
DELETE FROM vouchers;

-- 13_voucher_liability_is_what_vouchers_owe → USD
UPDATE vouchers SET currency = 'USD' WHERE status = 'active';

-- 13_voucher_liability_is_what_vouchers_owe → -1.00
UPDATE wallets SET balance = balance - 1, total_sent = total_sent + 1
WHERE kind = 'voucher_liability' AND balance > 0;

-- 14_suspense_is_open_items
UPDATE suspense_items SET resolved_at = now(), resolution = 'forgotten', resolution_transfer_id = payment(),
    resolved_by_id = 1, approved_by_id = 2;

-- 14_suspense_is_open_items → -20.00
UPDATE suspense_items SET direction = 'owed_to_till';

-- 14_suspense_is_open_items
UPDATE suspense_items SET currency = 'USD';

-- 15_pending_cash_outs_hold_their_money → captured
UPDATE holds SET status = 'captured', captured_amount = amount, resolved_at = now();

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

-- 19_vouchers_are_worth_what_is_left → 30.01
UPDATE vouchers SET balance = balance + 0.01 WHERE voucher_type = 'standard' AND status = 'active';

-- 19_vouchers_are_worth_what_is_left → 29.99
UPDATE vouchers SET balance = balance - 0.01 WHERE voucher_type = 'standard' AND status = 'active';

-- 19_vouchers_are_worth_what_is_left → redeemed
UPDATE vouchers SET status = 'redeemed', balance = 0 WHERE voucher_type = 'standard' AND status = 'active';

-- 19_vouchers_are_worth_what_is_left → 50.00
UPDATE vouchers SET status = 'expired', balance = 0 WHERE voucher_type = 'standard' AND status = 'active';
UPDATE voucher_redemptions SET amount = 50 WHERE wallet_id = lerato();

-- 19_vouchers_are_worth_what_is_left
DELETE FROM voucher_redemptions;

-- 19_vouchers_are_worth_what_is_left → 99.00
UPDATE vouchers SET balance = 99 WHERE voucher_type = 'easypay_voucher' AND status = 'active';

-- 19_vouchers_are_worth_what_is_left → easypay_voucher
UPDATE vouchers SET status = 'active', balance = original_amount WHERE voucher_type = 'easypay_voucher';

-- 19_vouchers_are_worth_what_is_left → 60.01
UPDATE voucher_redemptions SET amount = 60.01 WHERE wallet_id IS NULL;

-- 19_vouchers_are_worth_what_is_left → cancelled
UPDATE vouchers SET status = 'cancelled' WHERE voucher_type = 'easypay_voucher' AND status = 'redeemed';

-- 19_vouchers_are_worth_what_is_left → pending
UPDATE voucher_redemptions SET voucher_id = (SELECT v.id FROM vouchers AS v WHERE v.status = 'pending_payment')
WHERE wallet_id IS NULL;

-- 19_vouchers_are_worth_what_is_left → cancelled
ALTER TABLE vouchers DROP CONSTRAINT vouchers_only_active_ones_owe;
UPDATE vouchers SET balance = 1 WHERE status = 'cancelled';

-- 20_vouchers_were_paid_for → nothing was paid
UPDATE vouchers SET issue_transfer_id = NULL WHERE voucher_type = 'standard' AND status = 'active';

-- 20_vouchers_were_paid_for → nothing was paid
UPDATE vouchers SET issue_transfer_id = gen_random_uuid() WHERE voucher_type = 'easypay_voucher';

-- 20_vouchers_were_paid_for → nothing was to be paid
UPDATE vouchers SET issue_transfer_id = payment() WHERE voucher_type = 'easypay_topup';

-- 20_vouchers_were_paid_for → nothing was to be paid
UPDATE vouchers SET issue_transfer_id = payment() WHERE voucher_type = 'easypay_cashout';

-- 20_vouchers_were_paid_for → something else
UPDATE vouchers SET original_amount = original_amount + 1 WHERE voucher_type = 'standard' AND status = 'active';

-- 20_vouchers_were_paid_for → something else
UPDATE transfers SET kind = 'fee' WHERE kind = 'voucher_issue';

-- 20_vouchers_were_paid_for → something else
UPDATE transfers SET currency = 'USD' WHERE kind = 'voucher_issue';

-- 20_vouchers_were_paid_for → something else
UPDATE transfers SET from_wallet_id = naledi() WHERE kind = 'voucher_issue';

-- 20_vouchers_were_paid_for → something else
UPDATE transfers SET from_wallet_id = (SELECT min(id) FROM wallets WHERE kind = 'bank') WHERE kind = 'voucher_issue';

-- 20_vouchers_were_paid_for → something else
UPDATE transfers SET to_wallet_id = naledi() WHERE kind = 'voucher_issue';

-- 20_vouchers_were_paid_for → more than one
INSERT INTO vouchers (
    public_id, user_id, voucher_type, status, easypay_number, original_amount, balance, currency, issue_transfer_id,
    expires_at, created_at
)
SELECT gen_random_uuid(), user_id, voucher_type, 'expired', '95063000009995', original_amount, 0, currency,
    issue_transfer_id, expires_at, created_at
FROM vouchers WHERE voucher_type = 'easypay_voucher' AND status = 'active';

-- 21_redemptions_were_paid_out → otherwise
UPDATE voucher_redemptions SET amount = amount - 1 WHERE wallet_id IS NULL;

-- 21_redemptions_were_paid_out → otherwise
UPDATE voucher_redemptions SET currency = 'USD';

-- 21_redemptions_were_paid_out → otherwise
UPDATE transfers SET currency = 'USD' WHERE kind = 'voucher_spent';

-- 21_redemptions_were_paid_out → otherwise
UPDATE vouchers SET currency = 'USD' WHERE voucher_type = 'standard' AND status = 'active';

-- 21_redemptions_were_paid_out → otherwise
UPDATE voucher_redemptions SET wallet_id = naledi() WHERE wallet_id = lerato();

-- 21_redemptions_were_paid_out → otherwise
UPDATE voucher_redemptions SET wallet_id = NULL WHERE wallet_id = lerato();

-- 21_redemptions_were_paid_out → otherwise
UPDATE transfers SET to_wallet_id = naledi() WHERE kind = 'voucher_spent';

-- 21_redemptions_were_paid_out → otherwise
UPDATE transfers SET from_wallet_id = naledi() WHERE kind = 'voucher_redeem';

-- 21_redemptions_were_paid_out → otherwise
UPDATE voucher_redemptions SET wallet_id = (SELECT t.to_wallet_id FROM transfers AS t WHERE t.id = transfer_id),
    voucher_id = (SELECT v.id FROM vouchers AS v WHERE v.voucher_type = 'standard' AND v.status = 'active')
WHERE wallet_id IS NULL;
UPDATE transfers SET from_wallet_id = naledi() WHERE kind = 'voucher_spent';

-- 21_redemptions_were_paid_out → otherwise
UPDATE voucher_redemptions SET transfer_id = gen_random_uuid();

-- 21_redemptions_were_paid_out → otherwise
UPDATE voucher_redemptions SET voucher_id = 0;

-- 21_redemptions_were_paid_out → more than one
ALTER TABLE voucher_redemptions DROP CONSTRAINT voucher_redemptions_transfer_id_key;
INSERT INTO voucher_redemptions (public_id, voucher_id, wallet_id, transfer_id, amount, currency, created_at)
SELECT gen_random_uuid(), (SELECT max(v.id) FROM vouchers AS v), wallet_id, transfer_id, amount, currency, created_at
FROM voucher_redemptions;

-- 22_two_people_decided → alone
UPDATE transfers SET approved_by_id = initiated_by_id WHERE kind = 'release';

-- 22_two_people_decided → alone
UPDATE transfers SET approved_by_id = NULL WHERE kind = 'collection';

-- 22_two_people_decided → alone
UPDATE transfers SET initiated_by_id = NULL WHERE reverses_id = payment();

-- 22_two_people_decided → nobody asked
UPDATE transfers SET initiated_by_id = 0 WHERE id = payment();

-- 22_two_people_decided → nobody approved
UPDATE transfers SET approved_by_id = 0 WHERE id = payment();

-- 22_two_people_decided → nobody approved
DELETE FROM users WHERE email = 'finance2@example.com';

-- 23_receivables_are_forced_reversals → nobody owes
DELETE FROM receivables;

-- 23_receivables_are_forced_reversals → nothing was forced
UPDATE receivables SET transfer_id = payment() WHERE collected_amount = 4;

-- 23_receivables_are_forced_reversals → nothing was forced
UPDATE transfers SET kind = 'adjustment' WHERE kind = 'reversal';

-- 23_receivables_are_forced_reversals → nothing was forced
UPDATE transfers SET from_wallet_id = sipho() WHERE kind = 'reversal';

-- 23_receivables_are_forced_reversals → otherwise
UPDATE receivables SET amount = amount + 1;

-- 23_receivables_are_forced_reversals → otherwise
UPDATE receivables SET currency = 'USD';

-- 23_receivables_are_forced_reversals → otherwise
UPDATE receivables SET wallet_id = naledi();

-- 24_collections_reduce_receivables → something else
UPDATE receivables SET collected_amount = collected_amount + 1;

-- 24_collections_reduce_receivables → something else
DELETE FROM receivable_collections;

-- 24_collections_reduce_receivables → otherwise
UPDATE receivable_collections SET amount = amount - 1;

-- 24_collections_reduce_receivables → something else
ALTER TABLE receivables DROP CONSTRAINT receivables_collected_within_amount;
UPDATE receivables SET amount = 3;

-- 24_collections_reduce_receivables → nothing was owed
DELETE FROM receivable_collections;
UPDATE receivables SET collected_amount = 0;

-- 24_collections_reduce_receivables → nothing was owed
UPDATE transfers SET kind = 'collection', to_wallet_id = (SELECT min(w.id) FROM wallets AS w WHERE w.kind = 'adjustments')
WHERE id = payment();

-- 24_collections_reduce_receivables → otherwise
DELETE FROM receivables;

-- 24_collections_reduce_receivables → otherwise
UPDATE transfers SET amount = 5 WHERE kind = 'collection';

-- 24_collections_reduce_receivables → otherwise
UPDATE transfers SET currency = 'USD' WHERE kind = 'collection';

-- 24_collections_reduce_receivables → otherwise
UPDATE transfers SET from_wallet_id = naledi() WHERE kind = 'collection';

-- 24_collections_reduce_receivables → otherwise
UPDATE transfers SET to_wallet_id = naledi() WHERE kind = 'collection';

-- 24_collections_reduce_receivables → otherwise
UPDATE transfers SET kind = 'capture' WHERE kind = 'collection';

-- 25_holds_were_paid_out_or_freed → nothing was paid
UPDATE holds SET captured_amount = 39 WHERE status = 'captured';

-- 25_holds_were_paid_out_or_freed → nothing was paid
UPDATE holds SET resolved_at = resolved_at + '1 s' WHERE status = 'captured';

-- 25_holds_were_paid_out_or_freed → nothing was paid
UPDATE transfers SET from_wallet_id = naledi() WHERE kind = 'capture';

-- 25_holds_were_paid_out_or_freed → nothing was paid
UPDATE holds SET status = 'captured', captured_amount = amount, resolved_at = now() WHERE status = 'held';

-- 25_holds_were_paid_out_or_freed → more than was held
ALTER TABLE holds DROP CONSTRAINT holds_parts_within_amount;
UPDATE holds SET amount = 39 WHERE status = 'captured';

-- 25_holds_were_paid_out_or_freed → more than was held
ALTER TABLE holds DROP CONSTRAINT holds_parts_within_amount;
UPDATE holds SET spent_amount = amount + 1;

-- 25_holds_were_paid_out_or_freed → more than was held
ALTER TABLE holds DROP CONSTRAINT holds_parts_within_amount;
UPDATE holds SET spent_amount = -1;

-- 25_holds_were_paid_out_or_freed → not captured
ALTER TABLE holds DROP CONSTRAINT holds_captured_means_something;
UPDATE holds SET captured_amount = 1 WHERE status = 'held';

-- 25_holds_were_paid_out_or_freed → its time
ALTER TABLE holds DROP CONSTRAINT holds_captured_means_something;
UPDATE transfers SET amount = 0.01 WHERE kind = 'capture';
ALTER TABLE transfers DROP CONSTRAINT transfers_amount_is_positive;
UPDATE transfers SET amount = 0 WHERE kind = 'capture';
UPDATE holds SET captured_amount = 0 WHERE status = 'captured';

-- 25_holds_were_paid_out_or_freed → its time
ALTER TABLE holds DROP CONSTRAINT holds_resolved_once;
UPDATE holds SET resolved_at = now() WHERE status = 'held';

-- 25_holds_were_paid_out_or_freed → its time
UPDATE holds SET created_at = resolved_at + '1 s' WHERE status = 'captured';

-- 25_holds_were_paid_out_or_freed → its time
UPDATE holds SET expires_at = resolved_at WHERE status = 'captured';

-- 25_holds_were_paid_out_or_freed → its time
UPDATE holds SET status = 'expired', expires_at = now() + '1 h', resolved_at = now() WHERE status = 'held';

-- 26_till_events_were_acted_on → REF-20.00
DELETE FROM suspense_items WHERE amount = 20;

-- 26_till_events_were_acted_on → REF-20.00
UPDATE suspense_items SET amount = 21 WHERE amount = 20;

-- 26_till_events_were_acted_on → REF-20.00
UPDATE suspense_items SET currency = 'USD' WHERE amount = 20;

-- 26_till_events_were_acted_on → REF-70.00
UPDATE till_events SET result = 'suspense', processed_at = now() WHERE result IS NULL;

-- 26_till_events_were_acted_on → REF-20.00
UPDATE till_events SET result = NULL, processed_at = NULL WHERE provider_reference = 'REF-20.00';

-- 26_till_events_were_acted_on → REF-20.00
UPDATE till_events SET result = 'applied', voucher_id = (SELECT v.id FROM vouchers AS v WHERE v.original_amount = 60)
WHERE provider_reference = 'REF-20.00';

-- 26_till_events_were_acted_on → REF-20.00
ALTER TABLE suspense_items DROP CONSTRAINT suspense_items_till_event_id_key;
UPDATE suspense_items SET amount = 20, till_event_id = (SELECT e.id FROM till_events AS e WHERE e.amount = 20);

-- 26_till_events_were_acted_on → REF-60.00
UPDATE till_events SET voucher_id = NULL WHERE result = 'applied';

-- 26_till_events_were_acted_on → REF-60.00
UPDATE vouchers SET status = 'cancelled' WHERE original_amount = 60;

-- 26_till_events_were_acted_on → REF-60.00
UPDATE till_events SET easypay_number = '95063000009995' WHERE result = 'applied';

-- 26_till_events_were_acted_on → REF-60.00
UPDATE till_events SET amount = 59 WHERE result = 'applied';

-- 26_till_events_were_acted_on → REF-60.00
UPDATE till_events SET currency = 'USD' WHERE result = 'applied';

-- 26_till_events_were_acted_on → REF-60.00
INSERT INTO till_events (
    provider, provider_reference, body, body_sha256, easypay_number, amount, currency, paid_at, received_at, result,
    processed_at, voucher_id
)
SELECT provider, 'REF-again', body, body_sha256, easypay_number, amount, currency, paid_at, received_at, result,
    processed_at, voucher_id
FROM till_events WHERE result = 'applied';

-- 27_suspense_items_came_and_went → 20.00
DELETE FROM suspense_items WHERE amount = 20;

-- 27_suspense_items_came_and_went → -20.00
UPDATE suspense_items SET direction = 'owed_to_till' WHERE amount = 20;

-- 27_suspense_items_came_and_went → 19.00
UPDATE suspense_items SET amount = 19 WHERE amount = 20;

-- 27_suspense_items_came_and_went → USD
UPDATE suspense_items SET currency = 'USD';

-- 27_suspense_items_came_and_went
UPDATE suspense_items SET transfer_id = gen_random_uuid();

-- 27_suspense_items_came_and_went
UPDATE suspense_items SET transfer_id = payment();

-- 27_suspense_items_came_and_went → 15.00
UPDATE suspense_items SET resolution_transfer_id = payment() WHERE resolved_at IS NOT NULL;

-- 27_suspense_items_came_and_went → 15.00
UPDATE suspense_items SET resolution_transfer_id = gen_random_uuid() WHERE resolved_at IS NOT NULL;

-- 27_suspense_items_came_and_went → -15.00
UPDATE suspense_items SET resolved_at = NULL, resolution = '', resolution_transfer_id = NULL, resolved_by_id = NULL,
    approved_by_id = NULL;

-- 27_suspense_items_came_and_went
UPDATE transfers SET amount = amount + 1 WHERE kind = 'suspense';

-- 27_suspense_items_came_and_went
UPDATE transfers SET to_wallet_id = naledi() WHERE kind = 'suspense';

-- 28_proposals_did_what_they_say → nobody proposed it
DELETE FROM proposals WHERE command = 'adjust_wallet';

-- 28_proposals_did_what_they_say → nobody approved it
UPDATE proposals SET status = 'rejected', result_kind = '', result_id = '' WHERE command = 'adjust_wallet';

-- 28_proposals_did_what_they_say → it did nothing
DELETE FROM idempotency_keys WHERE actor = 'finance';

-- 28_proposals_did_what_they_say → it made something else
UPDATE proposals SET result_id = payment()::text WHERE command = 'adjust_wallet';

-- 28_proposals_did_what_they_say → it made something else
UPDATE idempotency_keys SET produced_id = payment() WHERE actor = 'finance';

-- 28_proposals_did_what_they_say → it made something else
UPDATE proposals SET result_kind = 'voucher' WHERE command = 'adjust_wallet';

-- 28_proposals_did_what_they_say → it made something else
DELETE FROM receivables WHERE public_id::text IN (SELECT p.result_id FROM proposals AS p);

-- 28_proposals_did_what_they_say → two others decided it
UPDATE transfers SET approved_by_id = (SELECT max(u.id) FROM users AS u) WHERE kind = 'adjustment';

-- 28_proposals_did_what_they_say → two others decided it
UPDATE proposals SET proposed_by_id = (SELECT max(u.id) FROM users AS u) WHERE command = 'adjust_wallet';

-- 28_proposals_did_what_they_say → its fee is another
UPDATE fee_rules SET fee_amount = fee_amount + 1 WHERE id = (SELECT max(f.id) FROM fee_rules AS f);

-- 28_proposals_did_what_they_say → its fee is another
DELETE FROM fee_rules WHERE id = (SELECT max(f.id) FROM fee_rules AS f);

-- 28_proposals_did_what_they_say → its limit is gone
DELETE FROM tier_limits;
