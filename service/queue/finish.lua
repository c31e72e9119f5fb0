-- finish.lua: stores outcomes, ends leases, frees limit slots.
-- ARGV: prefix, moves (',from>to,from>to,'), retention ms, then per outcome: id, fence, mode ('state', 'keep', 'back'),
-- state, delay ms or -1, delivered '1'/'', error code, error JSON, fingerprint or '', content hash or '', result, number of
-- entries, the entries. Answers a string, a letter per outcome: F stored, S stale, I illegal.
local now = now_ms()
local MOVES, RETENTION = ARGV[2], ARGV[3]
local NEEDS_DUE = { waiting = true, retrying = true, in_doubt = true, following = true }
local FALLBACK_MS = 60000
local any = false

local function end_lease(id, key, keys)
	call('ZREM', P .. 'q:leases', id)
	any = free_slots(id, keys) or any
	call('HDEL', key, 'f', 'w', 'lk', 'was', 'again')
end

local function set_or_clear(key, name, value)
	if value == '' then
		call('HDEL', key, name)
	else
		call('HSET', key, name, value)
	end
end

local function finish_task(a, id, key)
	local r = call('HMGET', key, 'f', 'lk', 'c', 'k')
	if r[1] ~= ARGV[a + 1] then
		return 'S'
	end
	end_lease(id, key, r[2])
	if ARGV[a + 2] == 'back' then
		call('HSET', key, 'st', 'queued', 'ua', now)
		delay(r[3], id, now + math.max(0, tonumber(ARGV[a + 4])))
		return 'F'
	end
	local good = ARGV[a + 2] == 'keep' or ARGV[a + 3] == 'done'
	call('HSET', key, 'st', good and 'done' or 'failed', 'r', ARGV[a + 10], 'e', ARGV[a + 7], 'ua', now)
	call('PEXPIRE', key, 3600000)
	return 'F'
end

-- Where it goes from here: due later, at once again, or nowhere. Answers the state.
local function place(a, key, conn, id, to, again)
	local wait = tonumber(ARGV[a + 4])
	if again and to ~= 'in_doubt' and to ~= 'following' and to ~= 'retrying' and to ~= 'system_fault' then
		if to == 'skipped' or to == 'cancelled' or to == 'waiting' then
			to = 'queued'
		end
		enqueue(conn, id)
		any = true
		return to
	end
	if NEEDS_DUE[to] and wait < 0 then
		wait = FALLBACK_MS
	end
	if to == 'queued' and wait <= 0 then
		enqueue(conn, id)
		any = true
	elseif wait >= 0 then
		call('HSET', key, 'due', now + wait)
		delay(conn, id, now + wait)
	end
	return to
end

local function store_facts(a, key)
	set_or_clear(key, 'ec', ARGV[a + 6])
	set_or_clear(key, 'e', ARGV[a + 7])
	if ARGV[a + 8] ~= '' then
		call('HSET', key, 'fp', ARGV[a + 8])
	end
	if ARGV[a + 9] ~= '' then
		call('HSET', key, 'hash', ARGV[a + 9])
	end
	if ARGV[a + 5] == '1' then
		call('HSET', key, 'dl', 1)
	end
end

local function note(a, id)
	local n = tonumber(ARGV[a + 11])
	if n == 0 then
		return
	end
	local key = P .. 'tl:' .. id
	for i = 1, n do
		call('RPUSH', key, ARGV[a + 11 + i])
	end
	call('LTRIM', key, -200, -1)
	call('PEXPIRE', key, RETENTION)
end

local function finish(a, id)
	local key = record_key(id)
	if not call('ZSCORE', P .. 'q:leases', id) then
		return 'S'
	end
	if is_task(id) then
		return finish_task(a, id, key)
	end
	local r = call('HMGET', key, 'c', 'st', 'f', 'was', 'again', 'lk', 'try')
	local conn, from = r[1], r[2]
	if r[3] ~= ARGV[a + 1] then
		return 'S'
	end
	end_lease(id, key, r[6])
	note(a, id)
	local mode, to, letter = ARGV[a + 2], ARGV[a + 3], 'F'
	if mode == 'keep' or mode == 'back' then
		to = r[4] or from
	elseif to ~= from and not string.find(MOVES, ',' .. from .. '>' .. to .. ',', 1, true) then
		to, letter = r[4] or from, 'I'
	end
	if mode == 'back' then
		call('HSET', key, 'try', math.max(0, tonumber(r[7] or 1) - 1))
		if tonumber(ARGV[a + 4]) <= 0 then
			enqueue(conn, id)
			any = true
		else
			delay(conn, id, now + tonumber(ARGV[a + 4]))
		end
		if r[5] then
			call('HSET', key, 'again', r[5])
		end
	elseif letter == 'I' then
		-- A bug of ours: the record stays as it was, and does not run in circles.
		if to == 'queued' or NEEDS_DUE[to] then
			delay(conn, id, now + FALLBACK_MS)
		end
	else
		if mode == 'state' then
			store_facts(a, key)
		end
		to = place(a, key, conn, id, to, r[5])
	end
	if ARGV[a + 5] == '1' then
		call('HSET', key, 'dl', 1)
	end
	if to == 'done' or to == 'needs_data' or to == 'skipped' or to == 'cancelled' or to == 'waiting' then
		call('HDEL', key, 'ft')
	end
	if to ~= from then
		call('HSET', key, 'st', to)
		index(conn, id, from, to, now)
	end
	if mode == 'state' or to ~= from then
		call('HSET', key, 'ua', now)
		call('HINCRBY', key, 'rv', 1)
		if to == from then
			index(conn, id, from, to, now)
		end
	end
	return letter
end

local answer, a = {}, 4
while a <= #ARGV do
	answer[#answer + 1] = finish(a, ARGV[a])
	a = a + 12 + tonumber(ARGV[a + 11])
end
if any then
	wake()
end
return table.concat(answer)
