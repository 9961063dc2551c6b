-- what the job of a batch was asked for
SELECT coupon_id, request FROM code_batch WHERE id = $id
