-- the refused rows
SELECT line, reason, value FROM refused ORDER BY line
