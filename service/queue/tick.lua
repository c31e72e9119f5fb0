-- tick.lua: upkeep, bounded. ARGV: prefix, quiet ms, bound.
-- Answers {promoted, reaped, in doubt, woken, more, conn, schedule, conn, schedule ...}: the connections whose poll was due,
-- for the caller to set the next time (until then it is a minute away, so that a crash costs no poll).
local now, quiet, bound = now_ms(), tonumber(ARGV[2]), tonumber(ARGV[3])
local in_doubt = 0

local function reap_task(id)
	local key = P .. 'j:' .. id
	local r = call('HMGET', key, 'c', 'lk', 'n')
	free_slots(id, r[2])
	if not r[1] then
		return
	end
	call('HDEL', key, 'f', 'w', 'lk')
	-- A task that takes its worker down each time is given up.
	if tonumber(r[3] or 0) >= 3 then
		call('HSET', key, 'st', 'failed', 'ua', now)
		return
	end
	call('HINCRBY', key, 'n', 1)
	call('HSET', key, 'st', 'queued', 'ua', now)
	enqueue(r[1], id)
end

local function reap(id)
	call('ZREM', P .. 'q:leases', id)
	if is_task(id) then
		return reap_task(id)
	end
	local key = P .. 't:' .. id
	local r = call('HMGET', key, 'c', 'st', 'lk')
	local conn, from = r[1], r[2]
	free_slots(id, r[3])
	if not from then
		return
	end
	call('HDEL', key, 'f', 'w', 'lk', 'was')
	local to, intent = from, open_intent(id)
	if intent and from ~= 'done' then
		to = 'in_doubt'
		in_doubt = in_doubt + 1
		call('HSET', key, 'due', intent + quiet)
		delay(conn, id, intent + quiet)
	else
		if from == 'running' then
			to = 'queued'
		end
		enqueue(conn, id)
	end
	if to ~= from then
		call('HSET', key, 'st', to, 'ua', now)
		call('HINCRBY', key, 'rv', 1)
		index(conn, id, from, to, now)
	end
end

local ended = call('ZRANGEBYSCORE', P .. 'q:leases', '-inf', now, 'LIMIT', 0, bound)
for _, id in ipairs(ended) do
	reap(id)
end
local promoted = promote(now, bound)
local woken = wake_sleepers(now, bound)
for _, key in ipairs(call('SMEMBERS', P .. 'q:waitkeys')) do
	if wake_key(key) then
		woken = woken + 1
	end
end
local answer = { promoted, #ended, in_doubt, woken, (promoted >= bound or #ended >= bound) and 1 or 0 }
local due = call('ZRANGEBYSCORE', P .. 'sched', '-inf', now, 'LIMIT', 0, 50)
for _, conn in ipairs(due) do
	call('ZADD', P .. 'sched', 'XX', now + 60000, conn)
	new_task('poll:' .. conn, 'poll', conn, '', now)
	answer[#answer + 1] = conn
	answer[#answer + 1] = call('HGET', P .. 'q:keys:' .. conn, 'sch') or ''
end
if promoted + #ended + woken + #due > 0 then
	wake()
end
return answer
