-- post entries of the audit log
INSERT INTO posted_audit_entry SELECT * EXCLUDE (is_journaled) FROM audit_entry WHERE is_journaled
