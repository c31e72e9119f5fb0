-- record_lease.lua: one job at a time finds or creates a register record. ARGV: prefix, record, holder, ttl ms ('0':
-- release). Answers 0: ours (or released); else ms until the other's lapses.
local key, holder, ttl = P .. 'rec:' .. ARGV[2], ARGV[3], ARGV[4]
local now = call('GET', key)
if now and now ~= holder then
	return ttl == '0' and 0 or math.max(1, call('PTTL', key))
end
if ttl == '0' then
	call('DEL', key)
else
	call('SET', key, holder, 'PX', ttl)
	call('ZADD', P .. 'recs', now_ms(), ARGV[2]) -- for register runs, which know the target as it was (run_intend.lua)
end
return 0
