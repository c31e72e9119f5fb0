-- prelude.lua: in front of every script: names of keys, time, and the moves that several scripts share.
-- Keys are built from the prefix in ARGV[1]; nothing here assumes a cluster.
local P = ARGV[1]
local call = redis.call

local function now_ms()
	local t = call('TIME')
	return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Changes with each start of the server, and is another one's after a failover.
local function server_run()
	return string.match(call('INFO', 'server'), 'run_id:(%x+)') or ''
end

-- Is the memory of this Redis the one that the caller knows, on the server that it was found on? Else the caller syncs first:
-- what it would be given is not all there was. An epoch of '' is none.
local function knows_all(epoch)
	local e = call('HMGET', P .. 'epoch', 'id', 'run')
	return (e[1] or '') == epoch and (not e[1] or e[2] == server_run())
end
local EPOCH = { ok = 'EPOCH' }

local function is_task(id)
	return string.find(id, ':', 1, true) ~= nil
end

local function bucket(state)
	if state == 'queued' or state == 'running' then
		return 'active'
	end
	return state
end

local function index(conn, id, from, to, now)
	local a, b = bucket(from), bucket(to)
	if a ~= b then
		call('ZREM', P .. 'ix:' .. conn .. ':' .. a, id)
	end
	call('ZADD', P .. 'ix:' .. conn .. ':' .. b, now, id)
end

-- The connection has ready work: it takes the next turn. Harmless for one that waits or is paused: the claim puts it
-- aside again.
local function take_turn(conn, turn)
	call('ZADD', P .. 'q:ring', 'NX', turn or call('INCR', P .. 'q:turn'), conn)
end

local function wake()
	call('LPUSH', P .. 'q:wake', '1')
	call('LTRIM', P .. 'q:wake', 0, 15)
end

-- Checks and their like first (0: they run on a paused connection too), then follow-up, polls, and, in their order,
-- transfers and slices of register runs.
-- While the connection is paused, transfers with news of what was sent stand before that; nothing from POLL_PLACE on is claimed
-- then, and where the credentials were refused nothing from VERDICT_PLACE on.
local VERDICT_PLACE, FOLLOW_PLACE, POLL_PLACE = 0.5, 0.6, 1
local TASK_PLACES = { poll = POLL_PLACE, follow = FOLLOW_PLACE }
local function place_in_line(id)
	if not is_task(id) or string.sub(id, 1, 5) == 'sync:' then
		return 1000 + call('INCR', P .. 'q:seq')
	end
	return TASK_PLACES[string.match(id, '^[^:]*')] or 0
end

-- A connection's 'p': '0' active, '1' not, 'c' not because its credentials were refused, 'd' it was deleted.
local function is_paused(conn)
	local p = call('HGET', P .. 'q:keys:' .. conn, 'p')
	return p == '1' or p == 'c' or p == 'd'
end

-- score: only for what an operator asked for (2: before the others).
local function enqueue(conn, id, score)
	call('ZREM', P .. 'q:delayed', id)
	call('ZADD', P .. 'q:c:' .. conn, 'NX', score or place_in_line(id), id)
	take_turn(conn)
end

-- A transfer whose news wait to be judged ('fv'): it runs while the connection is paused, too.
local function enqueue_verdict(conn, id)
	if not is_paused(conn) then
		return enqueue(conn, id)
	end
	call('ZREM', P .. 'q:c:' .. conn, id)
	enqueue(conn, id, VERDICT_PLACE)
end

local function delay(conn, id, due)
	call('ZREM', P .. 'q:c:' .. conn, id)
	call('ZADD', P .. 'q:delayed', due, id)
end

-- One connection that was put aside for the key is looked at again, at its old turn.
local function wake_key(key)
	local popped = call('ZPOPMIN', P .. 'q:waitkey:' .. key)
	if popped[1] then
		take_turn(popped[1], popped[2])
		return true
	end
	call('SREM', P .. 'q:waitkeys', key)
	return false
end

-- q:held says what is in a worker's hands: per job its fence and what a claim knew of it, as one text (see hold). The
-- lease itself is the claim's: one fence's number but its last three digits, in q:leases by its end, and the number of its
-- jobs that are still held in q:batches. The record says nothing of a run until it has ended.
local function batch_of(fence)
	return string.sub(fence, 1, -4)
end

-- was: state before the claim. had: letters of the optional fields that the record has (d: due, e: error, t: first try, l: lost runs),
-- after a dash. place: connection and limit keys, each but the last with a line feed behind it.
local function hold(fence, was, try, first, rev, had, place)
	return fence .. ' ' .. was .. ' ' .. try .. ' ' .. first .. ' ' .. rev .. ' ' .. had .. ' ' .. place
end

-- Answers the fence, what the claim knew (a table by the names above), and whether it is to be looked at again. Jobs of one
-- claim know much the same, so what was read once is kept for this call.
local known_facts = {}
local function read_held(value)
	local again, fence, text = string.match(value, '^(%+?)(%d+) (.*)$')
	local facts = known_facts[text]
	if not facts then
		facts = {}
		facts.was, facts.try, facts.first, facts.rev, facts.had, facts.conn, facts.keys =
			string.match(text, '^(%S+) (%d+) (%d+) (%d+) (%S+) ([^\n]*)\n(.*)$')
		known_facts[text] = facts
	end
	return fence, facts, again == '+'
end

-- Is the job in somebody's hands? If so, and there is news of it, its holder is told to look again.
local function look_again(id, is_news)
	local value = call('HGET', P .. 'q:held', id)
	if value and is_news and string.sub(value, 1, 1) ~= '+' then
		call('HSET', P .. 'q:held', id, '+' .. value)
	end
	return value
end

-- The jobs of a claim that are held no more: its lease ends with the last.
local function let_go(batch, n)
	if call('HINCRBY', P .. 'q:batches', batch, -n) <= 0 then
		call('HDEL', P .. 'q:batches', batch)
		call('ZREM', P .. 'q:leases', batch)
	end
end

-- Frees the running slots of jobs: each freed slot wakes one connection. False: nobody waited.
local function free_slots(key, ids)
	local woken = false
	for _ = 1, call('SREM', P .. 'q:run:' .. key, unpack(ids)) do
		if not wake_key(key) then
			break
		end
		woken = true
	end
	return woken
end

-- The same for one job; keys as held.
local function free_slots_of(id, keys)
	local woken = false
	for key in string.gmatch(keys, '[^\n]+') do
		woken = free_slots(key, { id }) or woken
	end
	return woken
end

local function record_key(id)
	if is_task(id) then
		return P .. 'j:' .. id
	end
	return P .. 't:' .. id
end

local function promote(now, limit)
	local due = call('ZRANGEBYSCORE', P .. 'q:delayed', '-inf', now, 'LIMIT', 0, limit)
	for _, id in ipairs(due) do
		call('ZREM', P .. 'q:delayed', id)
		local r = call('HMGET', record_key(id), 'c', 'fv')
		if r[1] then
			(r[2] and enqueue_verdict or enqueue)(r[1], id)
		end
	end
	return #due
end

local function wake_sleepers(now, limit)
	local due = call('ZRANGEBYSCORE', P .. 'q:sleep', '-inf', now, 'LIMIT', 0, limit)
	for _, conn in ipairs(due) do
		call('ZREM', P .. 'q:sleep', conn)
		take_turn(conn)
	end
	return #due
end

-- An invoice number finds its transfers: no:<conn> holds a comma list of ids per number.
local function drop_number(conn, id, number)
	if not number or number == '' then
		return
	end
	local key, rest = P .. 'no:' .. conn, {}
	for other in string.gmatch(call('HGET', key, number) or '', '[^,]+') do
		if other ~= id then
			rest[#rest + 1] = other
		end
	end
	if #rest == 0 then
		call('HDEL', key, number)
	else
		call('HSET', key, number, table.concat(rest, ','))
	end
end

local function put_number(conn, id, old, number)
	if old == number or number == '' then
		return
	end
	local key = P .. 'no:' .. conn
	drop_number(conn, id, old)
	local ids = call('HGET', key, number)
	if not ids then
		call('HSET', key, number, id)
	elseif not string.find(',' .. ids .. ',', ',' .. id .. ',', 1, true) then
		call('HSET', key, number, ids .. ',' .. id)
	end
	call('HSET', P .. 't:' .. id, 'no', number)
end

-- The newest intent of the generation without an outcome, in ms; nil: none.
local function open_intent(id)
	local key = P .. 't:' .. id
	local all = call('HGETALL', key)
	local f = {}
	for i = 1, #all, 2 do
		f[all[i]] = all[i + 1]
	end
	local mark = 'i.' .. (f.g or '1') .. '.'
	local newest
	for name, value in pairs(f) do
		if string.sub(name, 1, #mark) == mark and not f['o' .. string.sub(name, 2)] then
			newest = math.max(newest or 0, tonumber(value))
		end
	end
	return newest
end

-- Follow-up of what was sent (MV-14). q:fo:<conn> holds the transfers to be asked for by when they are due, q:follow the
-- connections by when their first is, ix:<conn>:watched those that are done by when their watch ends. The record says the same:
-- 'fs' followed since, 'fd' due, 'fu' the watch's end; and 'fa' when it was asked for last, 'fw' the verdict's word then, 'fv'
-- that news wait to be judged. fk:<conn> finds by the key at the target ('fk') whom a hint is about, from the delivery on; 'fh'
-- says that one came (follow_hint.lua) and nobody has asked since.
-- What needs data and has been sent stands in no round while its verdict is to come: it has its own runs by 'due', each with 'fv'.
-- Documents of one age come due together, on a grid of their interval, so that they share a call; the grids of connections
-- differ, and those of an interval and its multiples meet.
local function follow_due(conn, interval, now)
	interval = math.max(interval, 1)
	local begin = tonumber(string.sub(redis.sha1hex(conn), 1, 8), 16) % interval
	return begin + math.ceil((now + interval / 2 - begin) / interval) * interval
end

-- list: due, id, ...; first: the least due of them.
local function follow(conn, list, first)
	call('ZADD', P .. 'q:fo:' .. conn, unpack(list))
	call('ZADD', P .. 'q:follow', 'LT', first, conn)
end

local function drop_target_key(conn, id)
	local key = call('HGET', P .. 't:' .. id, 'fk')
	if key and call('HGET', P .. 'fk:' .. conn, key) == id then
		call('HDEL', P .. 'fk:' .. conn, key)
	end
	call('HDEL', P .. 't:' .. id, 'fk', 'fh')
end

local function unfollow(conn, id)
	call('ZREM', P .. 'q:fo:' .. conn, id)
	call('ZREM', P .. 'ix:' .. conn .. ':watched', id)
	call('HDEL', P .. 't:' .. id, 'fd', 'fu')
	drop_target_key(conn, id)
end

-- When the connection's next round of follow-up is; `again` where the first is due already, and a job is on its way.
local function plan_round(conn, now, again)
	local first = call('ZRANGE', P .. 'q:fo:' .. conn, 0, 0, 'WITHSCORES')
	if not first[1] then
		call('ZREM', P .. 'q:follow', conn)
		return false
	end
	local is_due = tonumber(first[2]) <= now
	call('ZADD', P .. 'q:follow', is_due and again or first[2], conn)
	return is_due
end

-- A new sending (DESIGN §4.8): steps are kept by generation, so all of the new one's are open.
local function next_generation(conn, id)
	local key = P .. 't:' .. id
	call('HINCRBY', key, 'g', 1)
	call('HSET', key, 'try', 0)
	call('HDEL', key, 'dl', 'hash', 'rl', 'ec', 'e', 'ft', 'fs', 'fa', 'fw', 'fv')
	unfollow(conn, id)
end

-- A task that is named after its connection (poll, follow, dialogue, sync) waits once for each.
local function new_task(id, kind, conn, args, now)
	local key = P .. 'j:' .. id
	if call('EXISTS', key) == 1 and (call('ZSCORE', P .. 'q:c:' .. conn, id)
		or call('HEXISTS', P .. 'q:held', id) == 1 or call('ZSCORE', P .. 'q:delayed', id)) then
		return false
	end
	call('DEL', key)
	call('HSET', key, 'k', kind, 'c', conn, 'a', args, 'st', 'queued', 'ca', now, 'ua', now)
	call('PEXPIRE', key, 3600000)
	enqueue(conn, id)
	return true
end

-- A run is over, however it ended: the poll that it went before comes now.
local function poll_behind(conn, run)
	if call('HGET', P .. 'run:' .. run, 'po') == '1' then
		new_task('poll:' .. conn, 'poll', conn, '{"after_run":"' .. run .. '"}', now_ms())
		wake()
	end
end

-- What the connection's follow-up needs when it was paused, or is another: news that stand in line go before it.
local function put_follow(conn, is_put_aside, now)
	for _, set in ipairs(is_put_aside and { 'q:fo:' .. conn, 'ix:' .. conn .. ':needs_data' } or {}) do
		for _, id in ipairs(call('ZRANGE', P .. set, 0, -1)) do
			if call('HEXISTS', P .. 't:' .. id, 'fv') == 1 then
				call('ZADD', P .. 'q:c:' .. conn, 'XX', VERDICT_PLACE, id)
			end
		end
	end
	plan_round(conn, now, now)
end

-- The connection's transfers of the state are due, all that have a time.
local function wake_all(conn, state, now)
	local ids = call('ZRANGE', P .. 'ix:' .. conn .. ':' .. state, 0, -1)
	for first = 1, #ids, 1000 do
		local list = {}
		for i = first, math.min(first + 999, #ids) do
			list[#list + 1] = now
			list[#list + 1] = ids[i]
		end
		call('ZADD', P .. 'q:delayed', 'XX', 'LT', unpack(list))
	end
end

-- What the connection's transfers wait for may be there now: they are due, all of them. One that runs just now may have looked too
-- early, and looks again.
local function wake_waiting(conn, now)
	wake_all(conn, 'waiting', now)
	local held = call('HGETALL', P .. 'q:held')
	for i = 1, #held, 2 do
		local _, facts = read_held(held[i + 1])
		if facts.conn == conn and not is_task(held[i]) and facts.was ~= 'done' and facts.was ~= 'following' then
			look_again(held[i], true)
		end
	end
end

-- A link of register records and the way back. False: the record at the right belongs to another already.
local function put_link(links, left, right, rest)
	local key, back = P .. 'lk:' .. links, P .. 'lr:' .. links
	local other = call('HGET', back, right)
	if other and other ~= left and string.match(call('HGET', key, other) or '', '^([^\n]*)') == right then
		return false
	end
	local old = string.match(call('HGET', key, left) or '', '^([^\n]*)\n')
	if old and old ~= right then
		call('HDEL', back, old)
	end
	call('HSET', key, left, right .. '\n' .. rest)
	call('HSET', back, right, left)
	return true
end

-- A connection's record, and what the queue needs of it. a: index in ARGV of doc, sealed secrets, whether it is paused (see
-- is_paused), schedule, then four times limit key and cap.
local CONN_FIELDS = 12
local function put_connection(id, rev, a, now)
	call('HSET', P .. 'conn:' .. id, 'doc', ARGV[a], 'sec', ARGV[a + 1], 'rev', rev)
	call('SADD', P .. 'conns', id)
	local keys = P .. 'q:keys:' .. id
	local planned, was_paused = call('HGET', keys, 'sch'), call('HGET', keys, 'p') ~= '0'
	call('DEL', keys)
	call('HSET', keys, 'p', ARGV[a + 2], 'sch', ARGV[a + 3], 'k1', ARGV[a + 4], 'm1', ARGV[a + 5], 'k2', ARGV[a + 6],
		'm2', ARGV[a + 7], 'k3', ARGV[a + 8], 'm3', ARGV[a + 9], 'k4', ARGV[a + 10], 'm4', ARGV[a + 11])
	put_follow(id, ARGV[a + 2] ~= '0', now)
	take_turn(id)
	if ARGV[a + 2] ~= '0' then
		call('ZREM', P .. 'sched', id)
		return
	end
	if was_paused then
		wake_waiting(id, now)
		wake_all(id, 'needs_data', now) -- other settings or credentials may have been what it needed
	end
	if planned == ARGV[a + 3] then
		call('ZADD', P .. 'sched', 'NX', now, id)
	else
		call('ZADD', P .. 'sched', now, id)
	end
end
