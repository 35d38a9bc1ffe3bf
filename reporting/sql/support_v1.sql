-- What articles are searched by, in the words of their language: English ones as PostgreSQL knows them, others as they
-- are written.
ALTER TABLE support_articles ADD COLUMN search tsvector GENERATED ALWAYS AS (
    setweight(
        to_tsvector(CASE language WHEN 'en' THEN 'english'::regconfig ELSE 'simple'::regconfig END, title), 'A'
    )
    || setweight(
        to_tsvector(CASE language WHEN 'en' THEN 'english'::regconfig ELSE 'simple'::regconfig END, body), 'B'
    )
) STORED;
CREATE INDEX ix_support_articles_search ON support_articles USING gin (search);

-- What was said is the customer's to erase, and forgotten in time; what a ticket is about stays what it is.
GRANT INSERT, DELETE ON support_messages, support_replies TO :"app_role";
GRANT UPDATE (is_helpful) ON support_messages TO :"app_role";
GRANT INSERT ON support_tickets, support_articles TO :"app_role";
GRANT UPDATE (status, priority, transcript_encrypted, assigned_to_id, waits_since, first_replied_at, closed_at)
ON support_tickets TO :"app_role";
GRANT UPDATE (
    intent, title, body, status, author_id, approved_by_id, approved_at, helpful_count, unhelpful_count
) ON support_articles TO :"app_role";
