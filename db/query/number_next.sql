-- give out so many numbers of a kind; the last of them
UPDATE number SET given = given + $count WHERE kind = $kind RETURNING given
