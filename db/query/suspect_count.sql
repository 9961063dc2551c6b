-- how many addresses are to be in quarantine and are not yet, and how many are in it
SELECT count(*) FILTER (NOT is_quarantined), count(*) FILTER (is_quarantined) FROM suspect
