-- delete a coupon that never gave a code away
DELETE FROM coupon WHERE id = $id
