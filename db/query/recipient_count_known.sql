-- how many of the staged recipients that were not rejected are known
SELECT count(*) FROM (FROM stage ANTI JOIN rejected ON rejected.line = stage.line) s
SEMI JOIN recipient r ON r.external_id = s.external_id
