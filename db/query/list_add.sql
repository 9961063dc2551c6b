-- add the chosen recipients to a list, without those that are in it or were erased
INSERT INTO list_member (list_id, recipient_id)
SELECT $id, id FROM recipient
WHERE id IN (SELECT id FROM chosen) AND erased_at IS NULL
    AND id NOT IN (SELECT recipient_id FROM list_member WHERE list_id = $id)
ORDER BY id
