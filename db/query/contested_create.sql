-- the spooled codes that others redeemed meanwhile, with how often each is redeemed; 0 stands for a
-- coupon's own code
CREATE OR REPLACE TEMP TABLE contested AS
SELECT coupon_id, nullif(code_id, 0) AS code_id, times
FROM read_csv($path, auto_detect = false, header = false, delim = '\t',
    columns = {'coupon_id': 'BIGINT', 'code_id': 'BIGINT', 'times': 'BIGINT'})
