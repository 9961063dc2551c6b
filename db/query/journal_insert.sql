-- write down small redemptions and the entries of the audit log that go with them
INSERT INTO journal VALUES ($now, $record)
