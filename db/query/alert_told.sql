-- record that a receiver was told of an alert
UPDATE alert SET is_untold = false WHERE id = $id
