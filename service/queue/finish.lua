-- finish.lua: stores outcomes, ends leases, frees limit slots. Per job its record and timeline are written; leases, slots and
-- indexes once per call.
-- ARGV: prefix, moves (',from>to,from>to,'), then per outcome: id, fence, head, with 'e' error code and JSON, with 'f'
-- fingerprint, with 'h' content hash, with 'r' result, the timeline entries. A head is mode ('s' state, 'k' keep, 'b' back) and
-- letters ('d' delivered, and those above), state, delay ms or -1, number of entries; jobs that ended alike have the same one.
-- Answers a string, a letter per outcome: F stored, S stale, I illegal.
local MAX_ENTRIES = 200
local now = now_ms()
local NOW = string.format('%.0f', now)
local MOVES = ARGV[2]
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
	if keys ~= '' then
		for key in string.gmatch(keys, '[^\n]+') do
			push(list_of(slots, key), id)
		end
	end
end

local function move_index(conn, id, from, to)
	local a, b = bucket(from), bucket(to)
	local ix = P .. 'ix:' .. conn .. ':'
	if a ~= b then
		push(list_of(left, ix .. a), id)
	end
	push_pair(list_of(entered, ix .. b), NOW, id)
end

local moves = {}
local function may_move(from, to)
	local name = from .. '>' .. to
	if moves[name] == nil then
		moves[name] = from == to or string.find(MOVES, ',' .. name .. ',', 1, true) ~= nil
	end
	return moves[name]
end

local function queue_again(conn, id)
	enqueue(conn, id)
	any = true
end

local function finish_task(o, conn)
	local h, key = o.head, P .. 'j:' .. o.id
	if h.mode == 'b' then
		call('HSET', key, 'st', 'queued', 'ua', NOW)
		delay(conn, o.id, now + math.max(0, h.wait))
		return 'F'
	end
	local good = h.mode == 'k' or h.state == 'done'
	call('HSET', key, 'st', good and 'done' or 'failed', 'r', o.result or '', 'e', o.error or '', 'ua', NOW)
	call('PEXPIRE', key, 3600000)
	return 'F'
end

-- Where it goes from here: due later, at once again, or nowhere. Answers the state and when it is due.
local function place(wait, conn, id, to, again)
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

-- Timelines keep the newest entries.
local function note(o)
	local n = o.head.n
	if n == 0 then
		return
	end
	local key = P .. 'tl:' .. o.id
	if call('RPUSH', key, unpack(ARGV, o.entries, o.entries + n - 1)) > MAX_ENTRIES then
		call('LTRIM', key, -MAX_ENTRIES, -1)
	end
end

local function has(had, letter)
	return string.find(had, letter, 2, true)
end

-- What the outcome says of the document: fields to set (name, value, ...), fields to drop.
local function take_facts(o, had, set, drop)
	if o.code then
		push_pair(set, 'ec', o.code)
		push_pair(set, 'e', o.error)
	elseif has(had, 'e') then
		push_pair(drop, 'ec', 'e')
	end
	if o.fingerprint then
		push_pair(set, 'fp', o.fingerprint)
	end
	if o.hash then
		push_pair(set, 'hash', o.hash)
	end
end

-- When it is due, and how old its tries are.
local function take_times(to, due, had, first, set, drop)
	if due then
		push_pair(set, 'due', due)
	elseif has(had, 'd') then
		push(drop, 'due')
	end
	if AT_REST[to] then
		if has(had, 't') then
			push(drop, 'ft')
		end
	elseif not has(had, 't') then
		push_pair(set, 'ft', first)
	end
end

-- The move of a finished transfer. Answers the letter, the state and when it is due.
local function move(h, conn, id, was, again)
	local to = h.state
	if h.mode == 'b' then
		if h.wait <= 0 then
			queue_again(conn, id)
		else
			delay(conn, id, now + h.wait)
		end
		return 'F', was
	end
	-- What is done or needs data stands while somebody looks again.
	local from = (was == 'done' or was == 'needs_data') and was or 'running'
	if h.mode == 'k' then
		to = was
	elseif not may_move(from, to) then
		-- A bug of ours: the record stays as it was, and does not run in circles.
		if was == 'queued' or NEEDS_DUE[was] then
			delay(conn, id, now + FALLBACK_MS)
		end
		return 'I', was
	end
	return 'F', place(h.wait, conn, id, to, again)
end

local function finish(o, value)
	if not value then
		return 'S'
	end
	local id, h = o.id, o.head
	local fence, claimed, again = read_held(value)
	if fence ~= o.fence then
		return 'S'
	end
	local was, conn, had = claimed.was, claimed.conn, claimed.had
	end_lease(id, fence, claimed.keys)
	if is_task(id) then
		return finish_task(o, conn)
	end
	note(o)
	local letter, to, due = move(h, conn, id, was, again)
	local set, drop = { 'try', h.mode == 'b' and claimed.try - 1 or claimed.try }, {}
	if h.mode == 's' and letter == 'F' then
		take_facts(o, had, set, drop)
	end
	take_times(to, due, had, claimed.first, set, drop)
	if h.delivered then
		push_pair(set, 'dl', '1')
	end
	if h.mode == 's' or to ~= was then
		push_pair(set, 'st', to)
		push_pair(set, 'ua', NOW)
		push_pair(set, 'rv', tostring(claimed.rev + 1))
		move_index(conn, id, was, to)
	end
	local key = P .. 't:' .. id
	call('HSET', key, unpack(set))
	if drop[1] then
		call('HDEL', key, unpack(drop))
	end
	return letter
end

local heads = {}
local function head_of(text)
	local h = heads[text]
	if not h then
		local mode, letters, state, wait, n = string.match(text, '^(%a)(%a*) (%S+) (%-?%d+) (%d+)$')
		local function with(letter)
			return string.find(letters, letter, 1, true) and true
		end
		h = { mode = mode, state = state, wait = tonumber(wait), n = tonumber(n), delivered = with('d'), error = with('e'),
			fingerprint = with('f'), hash = with('h'), result = with('r') }
		heads[text] = h
	end
	return h
end

local outcomes, ids = {}, {}
local a = 3
local function next_arg()
	a = a + 1
	return ARGV[a - 1]
end
while a <= #ARGV do
	local o = { id = next_arg(), fence = next_arg(), head = head_of(next_arg()) }
	local h = o.head
	if h.error then
		o.code, o.error = next_arg(), next_arg()
	end
	o.fingerprint = h.fingerprint and next_arg()
	o.hash = h.hash and next_arg()
	o.result = h.result and next_arg()
	o.entries = a
	a = a + h.n
	push(outcomes, o)
	push(ids, o.id)
end
local answer, ended = {}, {}
local held = ids[1] and call('HMGET', P .. 'q:held', unpack(ids)) or {}
for i, o in ipairs(outcomes) do
	answer[i] = finish(o, not ended[o.id] and held[i])
	ended[o.id] = ended[o.id] or answer[i] ~= 'S'
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
