-- delete the codes of a coupon that never gave one away
DELETE FROM code WHERE coupon_id = $id
