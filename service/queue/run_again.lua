-- run_again.lua: records of a register that are to be tried again by themselves. ARGV: prefix, connection, register, '1': only
-- creations in doubt, due until (ms by this clock, 0: now), most. Answers {now, ms until the next is due or -1, ids}.
local name, limit, most = ARGV[2] .. ':' .. ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6])
local sets = { P .. 'db:' .. name }
if ARGV[4] ~= '1' then
	sets[2] = P .. 'ag:' .. name
end
local now = now_ms()
local answer, next_due = { string.format('%.0f', now), '-1' }, nil
if limit == 0 or limit > now then
	limit = now
end
for _, set in ipairs(sets) do
	for _, id in ipairs(call('ZRANGEBYSCORE', set, '-inf', limit, 'LIMIT', 0, most - (#answer - 2))) do
		answer[#answer + 1] = id
	end
	local first = call('ZRANGEBYSCORE', set, '(' .. string.format('%.0f', limit), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
	if first[2] then
		next_due = math.min(next_due or first[2], first[2])
	end
end
if next_due then
	answer[2] = string.format('%.0f', math.max(0, next_due - now))
end
return answer
