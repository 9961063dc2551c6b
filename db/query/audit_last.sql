-- the number of the last entry of the audit log
SELECT coalesce(max(id), 0) FROM audit_entry
