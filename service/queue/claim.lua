-- claim.lua: takes up to max jobs, one per turn of a connection. A connection whose limit key is full, blocked or that is
-- paused is put aside, so that it costs nothing until something changes.
-- ARGV: prefix, owner, max, lease ms. Answers a list of jobs, each a list (see queue_claim.c).
local now = now_ms()
local owner, max, lease = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local jobs = {}

-- The connection's limit keys, or nil when it may not run now (then it has been put aside).
local function admit(conn, turn, head)
	local k = call('HMGET', P .. 'q:keys:' .. conn, 'p', 'k1', 'm1', 'k2', 'm2', 'k3', 'm3', 'k4', 'm4')
	local is_check = tonumber(head) < 1
	local keys = {}
	for i = 2, 8, 2 do
		if k[i] and k[i] ~= '' then
			keys[#keys + 1] = { k[i], tonumber(k[i + 1]) }
		end
	end
	-- The slot that woke this one goes to the next in line.
	if k[1] == '1' and not is_check then
		for _, key in ipairs(keys) do
			wake_key(key[1])
		end
		return nil
	end
	for _, key in ipairs(keys) do
		local till = call('GET', P .. 'q:block:' .. key[1])
		if till and tonumber(till) > now then
			call('ZADD', P .. 'q:sleep', till, conn)
			return nil
		end
	end
	for _, key in ipairs(keys) do
		if key[2] > 0 and call('SCARD', P .. 'q:run:' .. key[1]) >= key[2] then
			call('ZADD', P .. 'q:waitkey:' .. key[1], 'NX', turn, conn)
			call('SADD', P .. 'q:waitkeys', key[1])
			return nil
		end
	end
	return keys
end

local function lease_out(id, key, fields, keys, fence)
	local names = {}
	for i, k in ipairs(keys) do
		names[i] = k[1]
		call('SADD', P .. 'q:run:' .. k[1], id)
	end
	call('ZADD', P .. 'q:leases', now + lease, id)
	fields[#fields + 1] = 'f'
	fields[#fields + 1] = fence
	fields[#fields + 1] = 'w'
	fields[#fields + 1] = owner
	fields[#fields + 1] = 'lk'
	fields[#fields + 1] = table.concat(names, '\n')
	call('HSET', key, unpack(fields))
end

local function claim_task(conn, id, keys)
	local key = P .. 'j:' .. id
	local r = call('HMGET', key, 'st', 'k', 'a', 'ca')
	if r[1] ~= 'queued' then
		return nil
	end
	local fence = call('INCR', P .. 'q:fence')
	lease_out(id, key, { 'st', 'running', 'ua', now }, keys, fence)
	call('PEXPIRE', key, 3600000)
	return { id, conn, r[2], '', '1', '1', fence, '', 'queued', '', '', '', '', '', r[3] or '', r[4], r[4] }
end

local function claim_transfer(conn, id, keys)
	local key = P .. 't:' .. id
	local r = call('HMGET', key, 'st', 'k', 's', 'g', 'try', 'dl', 'no', 'ch', 'hash', 'fp', 'ec', 'ca', 'ft', 'was')
	local state = r[1]
	if not state then
		return nil
	end
	if r[14] or state == 'running' then
		if call('ZSCORE', P .. 'q:leases', id) then
			return nil
		end
		-- Its lease vanished: what was before it counts.
		if state == 'running' then
			index(conn, id, state, 'queued', now)
			state = 'queued'
		end
	end
	local fence = call('INCR', P .. 'q:fence')
	local try, first = tonumber(r[5] or 0) + 1, r[13] or now
	local fields = { 'was', state, 'try', try, 'ft', first }
	if state ~= 'done' and state ~= 'needs_data' then
		fields[#fields + 1] = 'st'
		fields[#fields + 1] = 'running'
		if bucket(state) ~= 'active' then
			index(conn, id, state, 'running', now)
		end
	end
	lease_out(id, key, fields, keys, fence)
	call('HDEL', key, 'due', 'again')
	return { id, conn, r[2], r[3], r[4], try, fence, r[6] or '', state, r[7] or '', r[8] or '', r[9] or '', r[10] or '',
		r[11] or '', '', r[12], first }
end

wake_sleepers(now, 16)
promote(now, 64)
local looks = max * 4 + 16
while #jobs < max do
	if looks == 0 then
		wake() -- many were put aside: there may be more behind them
		break
	end
	looks = looks - 1
	local turn = call('ZPOPMIN', P .. 'q:ring')
	local conn = turn[1]
	if not conn then
		break
	end
	local ready = P .. 'q:c:' .. conn
	local head = call('ZRANGE', ready, 0, 0, 'WITHSCORES')
	if head[1] then
		local keys = admit(conn, turn[2], head[2])
		if keys then
			local id = head[1]
			call('ZREM', ready, id)
			local job
			if is_task(id) then
				job = claim_task(conn, id, keys)
			else
				job = claim_transfer(conn, id, keys)
			end
			jobs[#jobs + 1] = job
			if not job then
				for _, key in ipairs(keys) do
					wake_key(key[1])
				end
			end
			if call('EXISTS', ready) == 1 then
				take_turn(conn)
			end
		end
	else
		local k = call('HMGET', P .. 'q:keys:' .. conn, 'k1', 'k2', 'k3', 'k4')
		for i = 1, 4 do
			if k[i] and k[i] ~= '' then
				wake_key(k[i])
			end
		end
	end
end
return jobs
