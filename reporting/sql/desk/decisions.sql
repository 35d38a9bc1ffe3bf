-- Rejects all proposals of the maker but one in ten. Parameters: maker (id), checker (id), until.
UPDATE proposals
SET
    status = 'rejected',
    decided_by_id = %(checker)s,
    decided_at = %(until)s,
    note = 'No'
WHERE proposed_by_id = %(maker)s AND status = 'proposed' AND mod(id, 10) <> 0
