-- some of the codes of a batch were taken back before it was committed
UPDATE code_batch SET count = $count WHERE id = $id
