-- P1: a code is given by at most one message, and so to one person
SELECT 'code_' || code_id FROM message WHERE code_id IS NOT NULL
    AND id NOT IN (SELECT message_id FROM code_return) GROUP BY code_id HAVING count(*) > 1
