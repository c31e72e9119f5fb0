-- intake.lua: dedup mark, record, index and queue entry of a batch (DESIGN §4.2). The hot path: three commands per new
-- item, the sorted sets are written once per connection.
-- ARGV: prefix, then per item: id, connection, kind, source id, webhook id or '', origin, changed or '', number or '',
-- found ('1': seen by a poll). Answers a string, one letter per item: N new, K known and queued or marked, S seen, R replay.
local now = now_ms()
local FIELDS, REPLAY_MS, RELOOK_MS = 9, 900000, 600000
local n = (#ARGV - 1) / FIELDS
local seq = 1000 + call('INCRBY', P .. 'q:seq', n) - n
local ready, listed, answer = {}, {}, {}

local function queue_up(conn, id, score)
	local list = ready[conn]
	if not list then
		list = {}
		ready[conn] = list
	end
	list[#list + 1] = score
	list[#list + 1] = id
end

-- May a hint queue a transfer in this state? Answers the letter and the new state.
local function known(a, id, key, r)
	local state, changed, was, ua, relook = r[1], r[2], r[3], tonumber(r[4]), tonumber(r[5] or 0)
	local found = ARGV[a + 8] == '1'
	local moved = ARGV[a + 6] ~= '' and ARGV[a + 6] ~= changed
	if (was or state == 'running') and not call('ZSCORE', P .. 'q:leases', id) then
		call('HDEL', key, 'was', 'f', 'w', 'lk')
		return 'K', state == 'running' and 'queued' or state
	end
	if was or state == 'running' then
		if found and not moved then
			return 'S'
		end
		call('HSET', key, 'again', 1)
		return 'K'
	end
	if state == 'queued' then
		return found and 'S' or 'K'
	end
	if state == 'in_doubt' or state == 'following' then
		if found and not moved then
			return 'S'
		end
		call('HSET', key, 'again', 1)
		return 'K'
	end
	if state == 'skipped' or state == 'cancelled' then
		return 'K', 'queued'
	end
	if state == 'waiting' or state == 'retrying' then
		if found then
			return 'S'
		end
		return 'K', 'queued'
	end
	if state == 'needs_data' then
		if found and not moved then
			return 'S'
		end
		return 'K', 'needs_data'
	end
	if state == 'done' then
		if found and now - math.max(ua, relook) < RELOOK_MS then
			return 'S'
		end
		call('HSET', key, 'rl', now)
		return 'K', 'done'
	end
	return 'S'
end

local function take(a, place)
	local id, conn, wid = ARGV[a], ARGV[a + 1], ARGV[a + 4]
	if wid ~= '' and not call('SET', P .. 'wh:' .. conn .. ':' .. wid, '1', 'NX', 'PX', REPLAY_MS) then
		return 'R'
	end
	local key = P .. 't:' .. id
	if call('HSETNX', key, 'st', 'queued') == 1 then
		call('HSET', key, 'c', conn, 'k', ARGV[a + 2], 's', ARGV[a + 3], 'g', 1, 'rv', 1, 'ca', now, 'ua', now,
			'or', ARGV[a + 5], 'ch', ARGV[a + 6])
		if ARGV[a + 7] ~= '' then
			put_number(conn, id, nil, ARGV[a + 7])
		end
		local list = listed[conn]
		if not list then
			list = {}
			listed[conn] = list
		end
		list[#list + 1] = now
		list[#list + 1] = id
		queue_up(conn, id, seq + place)
		return 'N'
	end
	local r = call('HMGET', key, 'st', 'ch', 'was', 'ua', 'rl', 'no')
	local letter, to = known(a, id, key, r)
	if ARGV[a + 6] ~= '' and ARGV[a + 6] ~= r[2] then
		call('HSET', key, 'ch', ARGV[a + 6])
	end
	if ARGV[a + 7] ~= '' then
		put_number(conn, id, r[6], ARGV[a + 7])
	end
	if to then
		if to ~= r[1] then
			call('HSET', key, 'st', to, 'ua', now)
			call('HINCRBY', key, 'rv', 1)
			index(conn, id, r[1], to, now)
		end
		call('HDEL', key, 'due')
		call('ZREM', P .. 'q:delayed', id)
		queue_up(conn, id, seq + place)
	end
	return letter
end

for i = 1, n do
	answer[i] = take(2 + (i - 1) * FIELDS, i)
end
for conn, list in pairs(listed) do
	call('ZADD', P .. 'ix:' .. conn .. ':active', unpack(list))
end
local any = false
for conn, list in pairs(ready) do
	call('ZADD', P .. 'q:c:' .. conn, 'NX', unpack(list))
	take_turn(conn)
	any = true
end
if any then
	wake()
end
return table.concat(answer)
