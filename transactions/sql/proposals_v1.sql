-- What was asked stays as it was asked, and is decided once, whoever writes (refuse_change stands in accounts).
CREATE TRIGGER proposals_are_decided_once
BEFORE UPDATE ON proposals
FOR EACH ROW
WHEN (
    old.status <> 'proposed'
    OR (
        new.id, new.public_id, new.command, new.arguments, new.subject_type, new.subject_id, new.reason,
        new.proposed_by_id, new.proposed_at, new.preview, new.preview_digest
    ) IS DISTINCT FROM (
        old.id, old.public_id, old.command, old.arguments, old.subject_type, old.subject_id, old.reason,
        old.proposed_by_id, old.proposed_at, old.preview, old.preview_digest
    )
)
EXECUTE FUNCTION refuse_change();

-- Nobody brings one that is decided already.
CREATE TRIGGER proposals_begin_undecided
BEFORE INSERT ON proposals
FOR EACH ROW WHEN (new.status <> 'proposed')
EXECUTE FUNCTION refuse_change();

CREATE TRIGGER proposals_stay
BEFORE DELETE OR TRUNCATE ON proposals
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT INSERT ON proposals TO :"app_role";
GRANT UPDATE (status, decided_by_id, decided_at, note, result_kind, result_id) ON proposals TO :"app_role";
