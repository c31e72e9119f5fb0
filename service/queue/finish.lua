-- finish.lua: stores outcomes, ends leases, frees limit slots. Per job its record and timeline are written; leases, slots and
-- indexes once per call.
-- ARGV: prefix, moves (',from>to,from>to,'), retention ms, then per outcome: id, fence, mode ('state', 'keep', 'back'),
-- state, delay ms or -1, delivered '1'/'', error code, error JSON, fingerprint or '', content hash or '', result, number of
-- entries, the entries. Answers a string, a letter per outcome: F stored, S stale, I illegal.
local FIXED, MAX_ENTRIES = 12, 200
local now = now_ms()
local NOW = string.format('%.0f', now)
local MOVES, RETENTION = ARGV[2], ARGV[3]
local NEEDS_DUE = { waiting = true, retrying = true, in_doubt = true, following = true }
local AT_REST = { done = true, needs_data = true, skipped = true, cancelled = true, waiting = true }
local FALLBACK_MS = 60000
local any = false
local gone, batches, slots, left, entered = {}, {}, {}, {}, {}

local function list_of(lists, name)
	local list = lists[name]
	if not list then
		list = {}
		lists[name] = list
	end
	return list
end

local function push(list, value)
	list[#list + 1] = value
end

local function push_pair(list, name, value)
	list[#list + 1] = name
	list[#list + 1] = value
end

local function end_lease(id, fence, keys)
	local batch = batch_of(fence)
	push(gone, id)
	batches[batch] = (batches[batch] or 0) + 1
	for key in string.gmatch(keys, '[^\n]+') do
		push(list_of(slots, key), id)
	end
end

local function move_index(conn, id, from, to)
	local a, b = bucket(from), bucket(to)
	if a ~= b then
		push(list_of(left, P .. 'ix:' .. conn .. ':' .. a), id)
	end
	push_pair(list_of(entered, P .. 'ix:' .. conn .. ':' .. b), NOW, id)
end

local function queue_again(conn, id)
	enqueue(conn, id)
	any = true
end

local function finish_task(a, id, conn)
	local key = P .. 'j:' .. id
	if ARGV[a + 2] == 'back' then
		call('HSET', key, 'st', 'queued', 'ua', NOW)
		delay(conn, id, now + math.max(0, tonumber(ARGV[a + 4])))
		return 'F'
	end
	local good = ARGV[a + 2] == 'keep' or ARGV[a + 3] == 'done'
	call('HSET', key, 'st', good and 'done' or 'failed', 'r', ARGV[a + 10], 'e', ARGV[a + 7], 'ua', NOW)
	call('PEXPIRE', key, 3600000)
	return 'F'
end

-- Where it goes from here: due later, at once again, or nowhere. Answers the state and when it is due.
local function place(a, conn, id, to, again)
	local wait = tonumber(ARGV[a + 4])
	if again and to ~= 'in_doubt' and to ~= 'following' and to ~= 'retrying' and to ~= 'system_fault' then
		if to == 'skipped' or to == 'cancelled' or to == 'waiting' then
			to = 'queued'
		end
		queue_again(conn, id)
		return to
	end
	if NEEDS_DUE[to] and wait < 0 then
		wait = FALLBACK_MS
	end
	if to == 'queued' and wait <= 0 then
		queue_again(conn, id)
	elseif wait >= 0 then
		delay(conn, id, now + wait)
		return to, string.format('%.0f', now + wait)
	end
	return to
end

local function hand_back(a, conn, id)
	local wait = tonumber(ARGV[a + 4])
	if wait <= 0 then
		queue_again(conn, id)
	else
		delay(conn, id, now + wait)
	end
end

-- Timelines keep the newest entries.
local function note(a, id)
	local n = tonumber(ARGV[a + 11])
	if n == 0 then
		return
	end
	local key = P .. 'tl:' .. id
	if call('RPUSH', key, unpack(ARGV, a + FIXED, a + FIXED + n - 1)) > MAX_ENTRIES then
		call('LTRIM', key, -MAX_ENTRIES, -1)
	end
	call('PEXPIRE', key, RETENTION)
end

local function has(had, letter)
	return string.find(had, letter, 2, true)
end

-- What the outcome says of the document: fields to set (name, value, ...), fields to drop.
local function take_facts(a, had, set, drop)
	if ARGV[a + 6] ~= '' then
		push_pair(set, 'ec', ARGV[a + 6])
		push_pair(set, 'e', ARGV[a + 7])
	elseif has(had, 'e') then
		push_pair(drop, 'ec', 'e')
	end
	if ARGV[a + 8] ~= '' then
		push_pair(set, 'fp', ARGV[a + 8])
	end
	if ARGV[a + 9] ~= '' then
		push_pair(set, 'hash', ARGV[a + 9])
	end
end

-- When it is due, and how old its tries are.
local function take_times(to, due, had, first, set, drop)
	if due then
		push_pair(set, 'due', due)
	elseif has(had, 'd') then
		push(drop, 'due')
	end
	if AT_REST[to] and has(had, 't') then
		push(drop, 'ft')
	elseif not AT_REST[to] and not has(had, 't') then
		push_pair(set, 'ft', first)
	end
end

-- The move of a finished transfer. Answers the letter, the state and when it is due.
local function move(a, conn, id, was, again)
	local mode, to = ARGV[a + 2], ARGV[a + 3]
	if mode == 'back' then
		hand_back(a, conn, id)
		return 'F', was
	end
	-- What is done or needs data stands while somebody looks again.
	local from = (was == 'done' or was == 'needs_data') and was or 'running'
	if mode == 'keep' then
		to = was
	elseif to ~= from and not string.find(MOVES, ',' .. from .. '>' .. to .. ',', 1, true) then
		-- A bug of ours: the record stays as it was, and does not run in circles.
		if was == 'queued' or NEEDS_DUE[was] then
			delay(conn, id, now + FALLBACK_MS)
		end
		return 'I', was
	end
	return 'F', place(a, conn, id, to, again)
end

local function finish(a, id, value)
	if not value then
		return 'S'
	end
	local fence, was, try, first, rev, had, conn, keys, again = read_held(value)
	if fence ~= ARGV[a + 1] then
		return 'S'
	end
	end_lease(id, fence, keys)
	if is_task(id) then
		return finish_task(a, id, conn)
	end
	note(a, id)
	local mode, key = ARGV[a + 2], P .. 't:' .. id
	local letter, to, due = move(a, conn, id, was, again)
	local set, drop = { 'try', mode == 'back' and try - 1 or try }, {}
	if mode == 'state' and letter == 'F' then
		take_facts(a, had, set, drop)
	end
	take_times(to, due, had, first, set, drop)
	if ARGV[a + 5] == '1' then
		push_pair(set, 'dl', 1)
	end
	if mode == 'state' or to ~= was then
		push_pair(set, 'st', to)
		push_pair(set, 'ua', NOW)
		push_pair(set, 'rv', rev + 1)
		move_index(conn, id, was, to)
	end
	call('HSET', key, unpack(set))
	if drop[1] then
		call('HDEL', key, unpack(drop))
	end
	return letter
end

local places, ids = {}, {}
local a = 4
while a <= #ARGV do
	places[#places + 1] = a
	ids[#ids + 1] = ARGV[a]
	a = a + FIXED + tonumber(ARGV[a + 11])
end
local answer, ended = {}, {}
local held = ids[1] and call('HMGET', P .. 'q:held', unpack(ids)) or {}
for i, id in ipairs(ids) do
	answer[i] = finish(places[i], id, not ended[id] and held[i])
	ended[id] = ended[id] or answer[i] ~= 'S'
end
if gone[1] then
	call('HDEL', P .. 'q:held', unpack(gone))
end
for batch, n in pairs(batches) do
	let_go(batch, n)
end
for key, list in pairs(left) do
	call('ZREM', key, unpack(list))
end
for key, list in pairs(entered) do
	call('ZADD', key, unpack(list))
end
for key, list in pairs(slots) do
	any = free_slots(key, list) or any
end
if any then
	wake()
end
return table.concat(answer)
