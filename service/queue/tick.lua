-- tick.lua: upkeep, bounded. ARGV: prefix, moves, quiet ms, bound, '1': look for what is held without a lease, too.
-- Answers {promoted, reaped, in doubt, woken, more, now, conn, schedule, conn, schedule ...}: the connections whose poll was due,
-- for the caller to set the next time (until then it is a minute away, so that a crash costs no poll).
local MOVES, quiet, bound, sweep = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
local now = now_ms()
local reaped, in_doubt = 0, 0
call('ZREMRANGEBYSCORE', P .. 'q:blocks', '-inf', now)

local function reap_task(id, conn)
	local key = P .. 'j:' .. id
	local tries = call('HGET', key, 'n')
	if call('EXISTS', key) == 0 then
		return
	end
	-- A task that takes its worker down each time is given up.
	if tonumber(tries or 0) >= 3 then
		call('HSET', key, 'st', 'failed', 'ua', now)
		return
	end
	call('HINCRBY', key, 'n', 1)
	call('HSET', key, 'st', 'queued', 'ua', now)
	enqueue(conn, id)
end

-- A try that ended without an outcome: with an open intent it is in doubt, else it is as before the claim.
local function reap_transfer(id, c)
	local key, conn, was = P .. 't:' .. id, c.conn, c.was
	if call('EXISTS', key) == 0 then
		return
	end
	local intent = open_intent(id)
	call('HSET', key, 'try', c.try)
	call('HDEL', key, 'due')
	if was ~= 'done' and was ~= 'needs_data' then
		call('HSETNX', key, 'ft', c.first)
	end
	if not intent or was == 'done' then
		enqueue(conn, id)
		return
	end
	in_doubt = in_doubt + 1
	call('HSET', key, 'due', intent + quiet)
	delay(conn, id, intent + quiet)
	local from = was == 'needs_data' and was or 'running'
	if was ~= 'in_doubt' and string.find(MOVES, ',' .. from .. '>in_doubt,', 1, true) then
		call('HSET', key, 'st', 'in_doubt', 'ua', now)
		call('HINCRBY', key, 'rv', 1)
		index(conn, id, was, 'in_doubt', now)
	end
end

local function reap(id, value)
	local fence, claimed = read_held(value)
	reaped = reaped + 1
	call('HDEL', P .. 'q:held', id)
	let_go(batch_of(fence), 1)
	free_slots_of(id, claimed.keys)
	if is_task(id) then
		reap_task(id, claimed.conn)
	else
		reap_transfer(id, claimed)
	end
end

-- Takes back what the ended leases hold; rare, so what is held is walked through. Answers whether it came to the end.
local function reap_all(ended)
	local is_ended = {}
	for _, batch in ipairs(ended) do
		is_ended[batch] = true
	end
	local cursor = '0'
	repeat
		local page = call('HSCAN', P .. 'q:held', cursor, 'COUNT', 500)
		cursor = page[1]
		for i = 1, #page[2], 2 do
			local batch = batch_of((read_held(page[2][i + 1])))
			if is_ended[batch] == nil and sweep then
				is_ended[batch] = not call('ZSCORE', P .. 'q:leases', batch)
			end
			if is_ended[batch] then
				reap(page[2][i], page[2][i + 1])
			end
		end
	until cursor == '0' or reaped >= bound
	return cursor == '0'
end

local ended = call('ZRANGEBYSCORE', P .. 'q:leases', '-inf', now, 'LIMIT', 0, bound)
local all_reaped = true
if ended[1] or sweep then
	all_reaped = reap_all(ended)
	if all_reaped and ended[1] then
		call('ZREM', P .. 'q:leases', unpack(ended))
		call('HDEL', P .. 'q:batches', unpack(ended))
	end
end
local promoted = promote(now, bound)
local woken = wake_sleepers(now, bound)
for _, key in ipairs(call('SMEMBERS', P .. 'q:waitkeys')) do
	if wake_key(key) then
		woken = woken + 1
	end
end
local answer = { promoted, reaped, in_doubt, woken, (promoted >= bound or not all_reaped) and 1 or 0, now }
local due = call('ZRANGEBYSCORE', P .. 'sched', '-inf', now, 'LIMIT', 0, 50)
for _, conn in ipairs(due) do
	call('ZADD', P .. 'sched', 'XX', now + 60000, conn)
	new_task('poll:' .. conn, 'poll', conn, '', now)
	answer[#answer + 1] = conn
	answer[#answer + 1] = call('HGET', P .. 'q:keys:' .. conn, 'sch') or ''
end
if promoted + reaped + woken + #due > 0 then
	wake()
end
return answer
