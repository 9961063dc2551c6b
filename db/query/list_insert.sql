-- add a list of recipients
INSERT INTO recipient_list (id, label, filter, created_at) VALUES ($id, $label, $filter, $now)
