-- run_keys.lua: a page of the target's records by business key, for the run alone. ARGV: as run_hold.lua, then register, number of
-- calls, number of fields of the place, those (name, value), then digest of the key, tag of the record, sealed record per key.
-- Answers 'LOST', 'OK', or 'CANCELLED'. A key of several records keeps the first, marked '+'.
-- include run_hold
if not is_ours() then
	return 'LOST'
end
local reg, calls, n = ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local a = 10
call('HSET', RUN, 'ua', NOW, 'lost', 0, 'tries', 0, 'fs', 0, unpack(ARGV, a, a + n - 1))
a = a + n
call('HINCRBY', RUN, 'n:' .. reg .. ':calls', calls)
local index = RUN .. ':k'
for i = a, #ARGV, 3 do
	local known = call('HGET', index, ARGV[i])
	local tag = known and string.match(known, '^%+?(%x+) ')
	if not known or tag == ARGV[i + 1] then
		call('HSET', index, ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
	elseif string.sub(known, 1, 1) ~= '+' then
		call('HSET', index, ARGV[i], '+' .. known)
	end
end
return call('HEXISTS', RUN, 'cx') == 1 and 'CANCELLED' or 'OK'
