-- the first earlier import of a file with the same checksum that changed anything
SELECT i.id, min(e.id) FROM import i JOIN import e ON e.checksum = i.checksum AND e.id < i.id
    AND e.status = 'SUCCEEDED' AND NOT e.is_dry_run
WHERE i.id IN (SELECT unnest($ids::BIGINT[])) GROUP BY i.id
