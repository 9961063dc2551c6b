-- hold codes for a delivery; a label NULL means any
INSERT INTO hold (delivery_id, coupon_id, label, count, until)
SELECT $id, $coupon_id, unnest($labels::VARCHAR[]), unnest($counts::BIGINT[]), $until
