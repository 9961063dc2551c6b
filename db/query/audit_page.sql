-- the numbers of entries of the audit log, newest first
SELECT id FROM audit_entry
WHERE ($after::BIGINT IS NULL OR id < $after) AND ($caller::VARCHAR IS NULL OR caller = $caller)
    AND ($kind::VARCHAR IS NULL OR kind = $kind)
    AND ($action::VARCHAR IS NULL OR list_contains(string_split(action, ' '), $action))
        AND ($outcome::VARCHAR IS NULL OR outcome = $outcome)
    AND ($from::TIMESTAMP IS NULL OR at_time >= $from) AND ($to::TIMESTAMP IS NULL OR at_time < $to)
ORDER BY id DESC
LIMIT $limit
