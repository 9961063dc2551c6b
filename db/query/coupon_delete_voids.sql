-- delete what voided the codes of a coupon that never gave one away
DELETE FROM code_void WHERE code_id IN (SELECT id FROM code WHERE coupon_id = $id)
