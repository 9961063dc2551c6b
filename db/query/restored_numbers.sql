-- pass over the numbers that were given out after a backup, so that nothing new is taken for what
-- was lost: nobody knows how many there were
UPDATE number SET given = given + $skipped
