-- delete what is kept of voidings of a coupon's codes that were taken back
DELETE FROM code_restore WHERE code_id IN (SELECT id FROM code WHERE coupon_id = $id)
