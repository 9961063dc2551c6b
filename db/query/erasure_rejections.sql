-- erase the values of rejected rows that are known of erased recipients; line and reason stay
UPDATE rejection SET value = NULL
WHERE value IS NOT NULL AND lower(trim(value)) IN (SELECT text FROM erased)
    AND import_id IN (SELECT id FROM import
        WHERE kind IN ('RECIPIENTS', 'TARGETS', 'BOUNCES', 'REDEMPTIONS'))
