-- record a batch of codes; one that a job is to make has a request
INSERT INTO code_batch (id, kind, status, request, coupon_id, import_id, first_id, last_id, count,
    created_by, created_at)
VALUES ($id, $kind, $status, $request, $coupon_id, $import_id, $first_id, $last_id, $count,
    $created_by, $now)
