-- One row per type and currency of vouchers whose term is over, as due_vouchers.sql finds them: how many, and how much
-- their issuers would get back, or have no longer held. Nothing was paid or held for a top-up.
-- Parameters: standard_until, easypay_until (each the last end that is due).
SELECT
    v.voucher_type,
    v.currency,
    count(*) AS count,
    coalesce(
        sum(v.balance + v.fee_amount + v.vat_amount) FILTER (WHERE v.status = 'active'), 0
    ) + coalesce(
        sum(v.original_amount + v.fee_amount + v.vat_amount) FILTER (WHERE v.hold_id IS NOT NULL), 0
    ) AS amount
FROM vouchers AS v
WHERE
    v.status IN ('active', 'pending_payment')
    AND v.expires_at <= %(standard_until)s
    AND (v.voucher_type = 'standard' OR v.expires_at <= %(easypay_until)s)
    AND NOT EXISTS (
        SELECT 1
        FROM suspense_items AS s
        WHERE s.voucher_id = v.id AND s.resolved_at IS NULL
    )
GROUP BY v.voucher_type, v.currency
ORDER BY v.voucher_type, v.currency
