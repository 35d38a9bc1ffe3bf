-- One batch of the oldest questions and answers, which ix_support_messages_time leads to.
-- Parameters: ends_at, most (rows).
DELETE FROM support_messages AS m
WHERE m.id IN (
    SELECT o.id
    FROM support_messages AS o
    WHERE o.created_at < %(ends_at)s
    ORDER BY o.created_at
    LIMIT %(most)s
)
