-- What keeps answers to customers from growing old in Redis (mymoolah/common/read_cache).

-- One row: whether anybody may read the cache, and in which epoch of it. Each closing and each opening begins another.
CREATE TABLE read_cache (
    id smallint PRIMARY KEY DEFAULT 1 CONSTRAINT read_cache_is_one_row CHECK (id = 1),
    epoch bigint NOT NULL,
    closed_at timestamptz,
    opened_at timestamptz NOT NULL
);

INSERT INTO read_cache (epoch, opened_at) VALUES (1, '-infinity');

GRANT SELECT, UPDATE (epoch, closed_at, opened_at) ON read_cache TO :"app_role";

-- The public ids of those whose wallets these are; the house has none. A function, so that a posting that asks for them
-- in its own statement does not plan this anew each time.
CREATE FUNCTION owners_of(p_wallets bigint[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN ARRAY(
        SELECT u.public_id
        FROM wallets AS w
        INNER JOIN users AS u ON u.id = w.user_id
        WHERE w.id = ANY(p_wallets)
    );
END;
$$;

GRANT EXECUTE ON FUNCTION owners_of TO :"app_role";

-- The same of the wallet in which something is held.
CREATE FUNCTION owners_of_hold(p_hold bigint) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN ARRAY(
        SELECT u.public_id
        FROM holds AS h
        INNER JOIN wallets AS w ON w.id = h.wallet_id
        INNER JOIN users AS u ON u.id = w.user_id
        WHERE h.id = p_hold
    );
END;
$$;

GRANT EXECUTE ON FUNCTION owners_of_hold TO :"app_role";
