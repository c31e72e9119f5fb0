-- claim.lua, a part of turn.lua: takes jobs. Connections take turns: those that stand in the ring share what is asked for, each
-- taking its share in order and going to the end of the ring. A connection whose limit key is full, blocked or that is paused
-- is put aside, so that it costs nothing until something changes. Per job the record is read and nothing of it written; all
-- else is written once per turn or once per call.
-- The batch is a random number: a counter would repeat after a failover. Answers a list of jobs in the order of their fences,
-- each a list (see queue_turn.c): what few have stands last, and is left out when nothing follows.
local jobs, held = {}, {}

-- The next fence: the batch, and in the last three digits a number per job.
local function next_fence()
	return BATCH .. string.sub(1000 + #jobs, 2)
end

local function lease_out(id, value, job)
	held[#held + 1] = id
	held[#held + 1] = value
	jobs[#jobs + 1] = job
end

-- Slots that are not used go to the next in line; but: the key that has none.
local function pass_on(keys, but)
	for _, key in ipairs(keys) do
		if key ~= but then
			wake_key(key[1])
		end
	end
end

-- How many jobs the connection's limit keys let run now, up to share; 0: it has been put aside, and the slots of its other
-- keys go to the next in line.
local function room(conn, turn, keys, share)
	for _, key in ipairs(keys) do
		local till = call('ZSCORE', P .. 'q:blocks', key[1])
		if till and tonumber(till) > now then
			call('ZADD', P .. 'q:sleep', till, conn)
			return 0
		end
	end
	for _, key in ipairs(keys) do
		if key[2] > 0 then
			share = math.min(share, key[2] - call('SCARD', P .. 'q:run:' .. key[1]))
			if share <= 0 then
				call('ZADD', P .. 'q:waitkey:' .. key[1], 'NX', turn, conn)
				call('SADD', P .. 'q:waitkeys', key[1])
				pass_on(keys, key)
				return 0
			end
		end
	end
	return share
end

local function claim_task(id, conn, place)
	local key = P .. 'j:' .. id
	local r = call('HMGET', key, 'st', 'k', 'a')
	if r[1] ~= 'queued' then
		return false
	end
	call('HSET', key, 'st', 'running', 'ua', NOW)
	call('PEXPIRE', key, 3600000)
	lease_out(id, hold(next_fence(), 'queued', '1', '0', '0', '-', place),
		{ id, conn, r[2], 'queued', '1', '1', '0', '', '', r[3] })
	return true
end

-- What only later tries have: a record without tries has none of it.
local function of_later_tries(key, tries)
	if not tries then
		return {}, '-'
	end
	local r = call('HMGET', key, 'dl', 'hash', 'fp', 'ec', 'ft', 'due', 'lost', 'fs', 'fv', 'fu')
	return r, '-' .. (r[6] and 'd' or '') .. (r[4] and 'e' or '') .. (r[5] and 't' or '') .. (r[7] and 'l' or '')
		.. (r[8] and 'w' or '') .. (r[9] and 'v' or '') .. (r[10] and 'u' or '')
end

-- What is done stands while somebody looks again; all else is on its way to running.
local function may_run(state)
	return state == 'done' or may_move(state, 'running')
end

local function claim_transfer(id, conn, place)
	local key = P .. 't:' .. id
	local r = call('HMGET', key, 'st', 'k', 's', 'g', 'rv', 'ch', 'no', 'try')
	local state, changed, number, tries = r[1], r[6], r[7], r[8]
	if not state or not may_run(state) then
		return false
	end
	local rev, generation = r[5] or '0', r[4] or '1'
	if not tries and not number then
		lease_out(id, hold(next_fence(), state, '1', NOW, rev, '-', place),
			{ id, conn, r[2], state, generation, '1', NOW, r[3], changed or nil })
		return true
	end
	local later, had = of_later_tries(key, tries)
	local try, first = tostring((tries or 0) + 1), later[5] or NOW
	local job = { id, conn, r[2], state, generation, try, first, r[3], changed or '', '', number or '', later[1] or '', later[2] or '',
		later[3] or '', later[4] or '' }
	if later[8] or later[9] then
		job[16], job[17] = later[8] or '0', later[9] or ''
	end
	lease_out(id, hold(next_fence(), state, try, first, rev, had, place), job)
	return true
end

-- Up to n of the connection's jobs in order; answers the ids that were claimed.
local function claim_some(conn, names, n)
	local popped = call('ZPOPMIN', P .. 'q:c:' .. conn, n)
	local ids, claimed, place = {}, {}, conn .. '\n' .. names
	for i = 1, #popped, 2 do
		ids[#ids + 1] = popped[i]
	end
	if not ids[1] then
		return claimed
	end
	for i, busy in ipairs(call('HMGET', HELD, unpack(ids))) do
		local id = ids[i]
		if not busy and (is_task(id) and claim_task or claim_transfer)(id, conn, place) then
			claimed[#claimed + 1] = id
		end
	end
	return claimed
end

-- One turn of a connection; true: it has more, and wants another.
local function take(conn, turn, share)
	local k = call('HMGET', P .. 'q:keys:' .. conn, 'p', 'k1', 'm1', 'k2', 'm2', 'k3', 'm3', 'k4', 'm4')
	local keys, names = {}, {}
	for i = 2, 8, 2 do
		if k[i] and k[i] ~= '' then
			keys[#keys + 1] = { k[i], tonumber(k[i + 1]) }
			names[#names + 1] = k[i]
		end
	end
	local ready = P .. 'q:c:' .. conn
	if k[1] == '1' or k[1] == 'c' or k[1] == 'd' then
		-- Paused: checks may run, and follow-up but where the credentials were refused.
		share = math.min(share, call('ZCOUNT', ready, '-inf', '(' .. (k[1] == '1' and POLL_PLACE or VERDICT_PLACE)))
		if share == 0 then
			return pass_on(keys)
		end
	end
	local n = room(conn, turn, keys, share)
	if n == 0 then
		return false
	end
	local claimed = claim_some(conn, table.concat(names, '\n'), n)
	if claimed[1] then
		for _, name in ipairs(names) do
			call('SADD', P .. 'q:run:' .. name, unpack(claimed))
		end
	else
		pass_on(keys)
	end
	return call('EXISTS', ready) == 1
end

-- Those that have more go to the end of the ring, in their order.
local function end_turns(conns)
	if not conns[1] then
		return
	end
	local turn, list = call('INCRBY', P .. 'q:turn', #conns) - #conns, {}
	for i, conn in ipairs(conns) do
		list[#list + 1] = turn + i
		list[#list + 1] = conn
	end
	call('ZADD', P .. 'q:ring', 'NX', unpack(list))
end

local function claim_all(max)
	wake_sleepers(now, 16)
	promote(now, 64)
	local looks = max * 4 + 16
	while #jobs < max do
		if looks <= 0 then
			wake() -- many were put aside: there may be more behind them
			break
		end
		local turns = call('ZPOPMIN', P .. 'q:ring', math.min(max - #jobs, looks))
		if not turns[1] then
			break
		end
		local share, more = math.floor((max - #jobs) / (#turns / 2)), {}
		for i = 1, #turns, 2 do
			looks = looks - 1
			if take(turns[i], turns[i + 1], share) then
				more[#more + 1] = turns[i]
			end
		end
		end_turns(more)
	end
	if jobs[1] then
		call('HSET', HELD, unpack(held))
		call('ZADD', P .. 'q:leases', now + LEASE_MS, BATCH)
		call('HSET', P .. 'q:batches', BATCH, #jobs)
	end
	return jobs
end
