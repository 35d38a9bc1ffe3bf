-- The ledger in partitions, as docs/scale.md proposes it: entries by wallet, transfers by their id, which begins with the
-- time. The keys are those of the tables themselves, but for the two that docs/scale.md names.
CREATE SCHEMA partitioned;

CREATE TABLE partitioned.transfers (LIKE transfers INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id);
ALTER TABLE partitioned.transfers ADD PRIMARY KEY (id);
CREATE TABLE partitioned.transfers_before_2026 PARTITION OF partitioned.transfers
FOR VALUES FROM (MINVALUE) TO ('019b76da-a800-7000-8000-000000000000');
CREATE TABLE partitioned.transfers_2026_on PARTITION OF partitioned.transfers
FOR VALUES FROM ('019b76da-a800-7000-8000-000000000000') TO (MAXVALUE);

CREATE TABLE partitioned.transactions (LIKE transactions INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
PARTITION BY HASH (wallet_id);
CREATE TABLE partitioned.transactions_0 PARTITION OF partitioned.transactions
FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE partitioned.transactions_1 PARTITION OF partitioned.transactions
FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE partitioned.transactions ADD PRIMARY KEY (wallet_id, id);
ALTER TABLE partitioned.transactions ADD UNIQUE (wallet_id, sequence);
ALTER TABLE partitioned.transactions
ADD UNIQUE (wallet_id, sequence, balance_after, total_received_after, total_sent_after);
ALTER TABLE partitioned.transactions ADD UNIQUE (transfer_id, type, wallet_id);
ALTER TABLE partitioned.transactions
ADD FOREIGN KEY (transfer_id) REFERENCES partitioned.transfers (id) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE partitioned.wallets (LIKE wallets INCLUDING DEFAULTS);
ALTER TABLE partitioned.wallets ADD PRIMARY KEY (id);
ALTER TABLE partitioned.wallets ADD CONSTRAINT head_is_an_entry
FOREIGN KEY (id, sequence, balance, total_received, total_sent)
REFERENCES partitioned.transactions (wallet_id, sequence, balance_after, total_received_after, total_sent_after)
DEFERRABLE INITIALLY DEFERRED;

INSERT INTO partitioned.transfers SELECT * FROM transfers;
INSERT INTO partitioned.transactions SELECT * FROM transactions;
INSERT INTO partitioned.wallets SELECT * FROM wallets;
