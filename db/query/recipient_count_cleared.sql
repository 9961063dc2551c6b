-- how many values of known recipients the staged rows remove, but for their attributes
SELECT coalesce(sum(
    (s.given & 1 > 0 AND s.email IS NULL AND r.email IS NOT NULL)::BIGINT
    + (s.given & 2 > 0 AND s.phone IS NULL AND r.phone IS NOT NULL)::BIGINT
    + (s.given & 4 > 0 AND s.first_name IS NULL AND r.first_name IS NOT NULL)::BIGINT
    + (s.given & 8 > 0 AND s.last_name IS NULL AND r.last_name IS NOT NULL)::BIGINT
), 0)::BIGINT
FROM (FROM stage ANTI JOIN rejected ON rejected.line = stage.line) s
JOIN recipient r ON r.external_id = s.external_id
