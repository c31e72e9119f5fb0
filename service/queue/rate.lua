-- rate.lua: one call from a key's budget, by GCRA: at most burst + rate in any second.
-- ARGV: prefix, key, rate per second, burst, ms of wait up to which the call is booked. Answers the wait in ms, 0: taken; of a
-- booked one as a negative number.
local key, rate, burst, patience = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local t = call('TIME')
local now = t[1] * 1000000 + t[2]
local till = call('ZSCORE', P .. 'q:blocks', key)
if till and tonumber(till) * 1000 > now then
	return math.ceil(tonumber(till) - now / 1000)
end
local step = 1000000 / rate
local tat = math.max(tonumber(call('GET', P .. 'rl:' .. key) or 0), now)
local wait = tat - (burst - 1) * step - now
local wait_ms = math.max(0, math.ceil(wait / 1000))
if wait_ms > patience then
	return wait_ms
end
call('SET', P .. 'rl:' .. key, string.format('%.0f', tat + step), 'PX', math.ceil((tat + step - now) / 1000) + 1000)
return -wait_ms
