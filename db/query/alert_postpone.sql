-- tell a receiver of an alert later
UPDATE alert SET attempts = $attempts, tell_at = $tell_at WHERE id = $id
