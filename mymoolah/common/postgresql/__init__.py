"""Django's own PostgreSQL backend, for which a connection that was lost is not yet an answer that was lost."""
