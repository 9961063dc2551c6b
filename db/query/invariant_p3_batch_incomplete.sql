-- P3: a batch of codes never has more codes than it was recorded with, nor any code outside it
SELECT 'code_' || c.id FROM code c LEFT JOIN code_batch b ON b.id = c.batch_id
    AND c.id BETWEEN b.first_id AND b.last_id AND c.coupon_id = b.coupon_id WHERE b.id IS NULL
