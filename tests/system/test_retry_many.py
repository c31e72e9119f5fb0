"""Retry of many by filter: what is left out is said, and it takes no longer than a request may."""

import time

from service import Service

# Documents that need data, as the queue leaves them.
FILL = """
for i = 1, 10500 do
	local id = string.sub(redis.sha1hex(i), 1, 32)
	redis.call('HSET', 't:t:' .. id, 'st', 'needs_data', 'c', ARGV[1], 'k', 'invoice', 's', 'x' .. i, 'g', '1', 'rv', '1',
		'ca', '1', 'ua', i, 'or', 'poll')
	redis.call('ZADD', 't:ix:' .. ARGV[1] .. ':needs_data', i, id)
end
return redis.call('ZCARD', 't:ix:' .. ARGV[1] .. ':needs_data')
"""


def test_retry_many_says_what_it_leaves_out():
    with Service(seed="empty", poll_interval="1h") as service:
        key = service.sandbox.tenants(count=1, invoices=0, customers=1, registered=True)[0]
        service.connect(key, key)
        assert service.redis.cli("EVAL", FILL, "0", key) == "10500"
        counted = service.call("POST", "/v1/transfers/retry", {"connection": key}).json()
        assert (counted["count"], counted["more"], counted["retried"]) == (10000, True, 0)
        began = time.monotonic()
        done = service.call("POST", "/v1/transfers/retry", {"connection": key, "dry": False, "count": 10000}).json()
        took = time.monotonic() - began
        assert (done["retried"], done["refused"], done["more"]) == (10000, 0, True)
        rest = service.call("POST", "/v1/transfers/retry", {"connection": key, "dry": False, "count": 500}).json()
        assert (rest["retried"], rest["more"]) == (500, False)
        print(f"10,000 retried in {took:.1f} s")
        assert took < 10
