-- how many of the staged recipients that were not refused are known
SELECT count(*) FROM (FROM stage ANTI JOIN refused ON refused.line = stage.line) s SEMI JOIN recipient r ON r.external_id = s.external_id
