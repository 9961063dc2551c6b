-- delete what is kept of voidings that were taken back, of the codes in the temporary table unused
-- that do not stay
DELETE FROM code_restore
WHERE code_id IN (FROM unused) AND NOT list_contains($stay::BIGINT[], code_id)
