-- beat.lua: extends the leases of jobs whose fence still holds. ARGV: prefix, lease ms, then id, fence per job.
-- Answers a letter per job: B beaten, L lost.
local till = now_ms() + tonumber(ARGV[2])
local ids, answer, alive = {}, {}, {}
for a = 3, #ARGV, 2 do
	ids[#ids + 1] = ARGV[a]
end
local function extend(batch)
	if alive[batch] == nil then
		alive[batch] = call('ZSCORE', P .. 'q:leases', batch) and true
		if alive[batch] then
			call('ZADD', P .. 'q:leases', 'XX', till, batch)
		end
	end
	return alive[batch]
end
for i, value in ipairs(call('HMGET', P .. 'q:held', unpack(ids))) do
	local fence = value and read_held(value)
	if fence == ARGV[1 + 2 * i + 1] and extend(batch_of(fence)) then
		if is_task(ids[i]) then
			call('PEXPIRE', P .. 'j:' .. ids[i], 3600000)
		end
		answer[i] = 'B'
	else
		answer[i] = 'L'
	end
end
return table.concat(answer)
