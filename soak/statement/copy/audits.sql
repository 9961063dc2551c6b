-- all entries of the audit log: those in the table, and those in the journal that were not posted
-- yet
CREATE TEMP TABLE audits AS
SELECT id, action, input, outcome FROM posted_audit_entry
UNION ALL
SELECT (e ->> 'id')::BIGINT, e ->> 'action', e ->> 'input', e ->> 'outcome'
FROM (SELECT unnest(json_extract(record, '$.auditEntries[*]')) AS e FROM journal)
