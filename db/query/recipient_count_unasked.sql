-- how many of the staged recipients that were not rejected are new and say nothing of consent,
-- without bit 32 of given
SELECT count(*) FROM (FROM stage ANTI JOIN rejected ON rejected.line = stage.line) s
ANTI JOIN recipient r ON r.external_id = s.external_id
WHERE s.given & 32 = 0
