-- entries of the audit log
SELECT id, at_time, caller, role, address, kind, action, input, outcome, errors, request_id
FROM audit_entry WHERE id IN (SELECT unnest($ids::BIGINT[]))
