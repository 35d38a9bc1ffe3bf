-- One row per customer, with what `customer_dashboard` says to him. Parameter: customers (public ids).
SELECT
    c.public_id,
    customer_dashboard(c.public_id) AS dashboard
FROM unnest(%(customers)s::uuid[]) AS c (public_id)
