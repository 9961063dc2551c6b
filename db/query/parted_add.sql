-- a part takes at most so many (-1: all) of the chosen targets (or of all) that are left: at
-- random, but the same for this delivery every time
INSERT INTO parted
SELECT $part, recipient_id FROM target
WHERE delivery_id = $id AND recipient_id NOT IN (SELECT recipient_id FROM parted)
    AND (NOT $is_chosen OR recipient_id IN (SELECT id FROM chosen))
ORDER BY md5_number($id || ':' || recipient_id), recipient_id
LIMIT CASE WHEN $limit < 0 THEN (SELECT count(*) FROM target) ELSE $limit END
