-- run_due.lua: which register syncs are due. ARGV: prefix, epoch, then connection, register, time after this one per sync that is
-- wanted now. Answers EPOCH, or a string, a letter per sync: D due, and the caller orders it, then says so (until then it is a
-- minute away, so that a crash costs none); '-' not yet. Also sees to it that each run that is not over has its task.
if not knows_all(ARGV[2]) then
	return EPOCH
end
local now, plan, letters, wanted = now_ms(), P .. 'runs:due', {}, {}
for a = 3, #ARGV, 3 do
	local name = ARGV[a] .. ' ' .. ARGV[a + 1]
	local at = tonumber(call('ZSCORE', plan, name) or 0)
	wanted[name] = true
	letters[#letters + 1] = at <= now and 'D' or '-'
	if at <= now then
		call('ZADD', plan, now + 60000, name)
	elseif at > tonumber(ARGV[a + 2]) then
		call('ZADD', plan, ARGV[a + 2], name) -- the schedule was made denser
	end
end
for _, name in ipairs(call('ZRANGE', plan, 0, -1)) do
	if not wanted[name] then
		call('ZREM', plan, name)
	end
end
local runs = call('HGETALL', P .. 'runs:act')
for i = 1, #runs, 2 do
	local conn, key = runs[i], P .. 'run:' .. runs[i + 1]
	local state = call('HGET', key, 'st')
	if state == 'queued' or state == 'running' then
		if new_task('sync:' .. conn, 'sync', conn, '', now) then
			wake()
		end
	elseif call('HEXISTS', P .. 'q:held', 'sync:' .. conn) == 0 then
		call('HDEL', P .. 'runs:act', conn)
		local behind = call('HGET', P .. 'runs:nxt', conn)
		if behind then
			call('HDEL', P .. 'runs:nxt', conn)
			call('HSET', P .. 'runs:act', conn, behind)
		end
	end
end
return table.concat(letters)
