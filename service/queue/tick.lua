-- tick.lua: upkeep, bounded. ARGV: prefix, moves, quiet ms, bound, '1': look for what is held without a lease, too, lease ms,
-- ms since the caller's last tick by its own clock or -1, reason and error JSON of a transfer that is given up.
-- Answers {promoted, reaped, in doubt, woken, more, now, given up, ms by which the clock jumped, conn, schedule, conn, schedule
-- ...}: the connections whose poll was due, for the caller to set the next time (until then it is a minute away, so that a
-- crash costs no poll).
local MOVES, quiet, bound, sweep = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
local lease, elapsed, REASON, WHY = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], ARGV[9]
local LOST_MAX = 5
local now = now_ms()
local reaped, in_doubt, given_up = 0, 0, 0

-- How far the clock of Redis has jumped since the last tick, whoever's; 0: it did not. A jump is what the caller's own clock
-- does not know of; without that a gap is taken for a time in which nobody ran. Half a lease is less than what is left of one
-- that is beaten.
local function clock_jump()
	local last = tonumber(call('GET', P .. 'q:clock') or now)
	local gap = now - last
	call('SET', P .. 'q:clock', string.format('%.0f', now))
	if elapsed >= 0 and gap - elapsed > lease / 2 then
		return gap - elapsed
	end
	return gap < -lease / 2 and gap or 0
end

-- What was written by the old clock. Of a clock that was put back only what now lies in the future is known to be old; all
-- else only waits longer.
local function is_old(at, jump)
	return at > now or (jump > 0 and at <= now - jump)
end

-- Open intents, so that the quiet time after them (DESIGN §4.6) is as long as it was.
local function shift_intents(id, jump)
	local key, f = P .. 't:' .. id, {}
	local all = call('HGETALL', key)
	for i = 1, #all, 2 do
		f[all[i]] = all[i + 1]
	end
	for name, value in pairs(f) do
		local step = string.match(name, '^i(%..*)$')
		if step and not f['o' .. step] and is_old(tonumber(value), jump) then
			call('HSET', key, name, string.format('%.0f', value + jump))
			local n, last = string.match(f['l' .. step] or '', '^(%d+):(%d+)$')
			if n then
				call('HSET', key, 'l' .. step, n .. ':' .. string.format('%.0f', math.min(last + jump, now)))
			end
		end
	end
end

-- The clock jumped, the workers did not: leases run on from now, and a doubt stays as old as it was.
local function follow_clock(jump)
	local leases = call('ZRANGE', P .. 'q:leases', 0, -1, 'WITHSCORES')
	for i = 1, #leases, 2 do
		local till = tonumber(leases[i + 1])
		if till <= now or till > now + lease then
			call('ZADD', P .. 'q:leases', 'XX', now + lease, leases[i])
		end
	end
	for _, id in ipairs(call('HKEYS', P .. 'q:held')) do
		if not is_task(id) then
			shift_intents(id, jump)
		end
	end
	for _, conn in ipairs(call('SMEMBERS', P .. 'conns')) do
		for _, id in ipairs(call('ZRANGE', P .. 'ix:' .. conn .. ':in_doubt', 0, -1)) do
			local due = call('ZSCORE', P .. 'q:delayed', id)
			if call('HEXISTS', P .. 'q:held', id) == 0 then
				shift_intents(id, jump)
			end
			if due then
				due = math.min(due + jump, now + quiet)
				call('ZADD', P .. 'q:delayed', 'XX', due, id)
				call('HSET', P .. 't:' .. id, 'due', string.format('%.0f', due))
			end
		end
	end
end
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

-- A document that takes its worker down each time takes all others' down with it.
local function give_up(id, key, conn, was)
	given_up = given_up + 1
	call('HSET', key, 'st', 'system_fault', 'ua', now, 'ec', REASON, 'e', WHY)
	call('HINCRBY', key, 'rv', 1)
	index(conn, id, was, 'system_fault', now)
	unfollow(conn, id)
end

-- A try that ended without an outcome: with an open intent it is in doubt, else it is as before the claim. What has ended so
-- each time is given up; a stored outcome begins the count anew (finish.lua).
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
	if call('HINCRBY', key, 'lost', 1) >= LOST_MAX then
		if was ~= 'done' and was ~= 'system_fault' then
			give_up(id, key, conn, was)
		end
		return
	end
	if not intent or was == 'done' then
		(string.find(c.had, 'v', 2, true) and enqueue_verdict or enqueue)(conn, id)
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

-- Rounds of follow-up. One that fails is begun again AGAIN_MS later; one of refused credentials stands in line until there are
-- others (claim.lua).
local function start_rounds()
	local AGAIN_MS, MAX = 300000, 50
	local rounds = 0
	for _, conn in ipairs(call('ZRANGEBYSCORE', P .. 'q:follow', '-inf', now, 'LIMIT', 0, MAX)) do
		if plan_round(conn, now, now + AGAIN_MS) and new_task('follow:' .. conn, 'follow', conn, '', now) then
			rounds = rounds + 1
		end
	end
	return rounds
end

local jump = clock_jump()
if jump ~= 0 then
	follow_clock(jump)
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
local answer = { promoted, reaped, in_doubt, woken, (promoted >= bound or not all_reaped) and 1 or 0, now, given_up, jump }
local due = call('ZRANGEBYSCORE', P .. 'sched', '-inf', now, 'LIMIT', 0, 50)
for _, conn in ipairs(due) do
	call('ZADD', P .. 'sched', 'XX', now + 60000, conn)
	new_task('poll:' .. conn, 'poll', conn, '', now)
	answer[#answer + 1] = conn
	answer[#answer + 1] = call('HGET', P .. 'q:keys:' .. conn, 'sch') or ''
end
-- Dialogues whose time has come, whatever the state of their connection; the run sets the next time.
local talks = call('ZRANGEBYSCORE', P .. 'dialogues', '-inf', now, 'LIMIT', 0, 50)
for _, conn in ipairs(talks) do
	call('ZADD', P .. 'dialogues', 'XX', now + 60000, conn)
	new_task('dialogue:' .. conn, 'dialogue', conn, '', now)
end
local rounds = start_rounds()
if promoted + reaped + woken + rounds + #due + #talks > 0 then
	wake()
end
return answer
