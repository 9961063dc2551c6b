-- choose recipients by a filter; the condition follows
INSERT INTO chosen SELECT id FROM recipient
