-- mend.lua: the reconciler: compares the records of a connection with queue, delays, leases and ring, a bounded part per
-- call. ARGV: prefix, connection, bucket, cursor, quiet ms. Answers {next cursor ('0': bucket done), mended}.
local conn, part, cursor, quiet = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local now = now_ms()
local mended = 0

local function is_placed(id)
	return call('ZSCORE', P .. 'q:c:' .. conn, id) or call('HEXISTS', P .. 'q:held', id) == 1
		or call('ZSCORE', P .. 'q:delayed', id)
end

local function mend(id)
	local key = P .. 't:' .. id
	local r = call('HMGET', key, 'st', 'due')
	local state = r[1]
	local mine = P .. 'ix:' .. conn .. ':' .. part
	if not state then
		call('ZREM', mine, id)
		return
	end
	if bucket(state) ~= part then
		index(conn, id, part, state, now)
		mended = mended + 1
	end
	if is_placed(id) or state == 'done' or state == 'skipped' or state == 'cancelled' or state == 'system_fault' then
		return
	end
	if state == 'needs_data' and not r[2] then
		return
	end
	mended = mended + 1
	local to, intent = state, open_intent(id)
	if intent and (state == 'queued' or state == 'retrying') then
		to = 'in_doubt'
	end
	if to == 'in_doubt' then
		delay(conn, id, (intent or now) + quiet)
	elseif r[2] then
		delay(conn, id, r[2])
	else
		enqueue(conn, id)
	end
	if to ~= state then
		call('HSET', key, 'st', to, 'ua', now)
		call('HINCRBY', key, 'rv', 1)
		index(conn, id, state, to, now)
	end
end

if part == 'active' and cursor == '0' then
	local k = call('HMGET', P .. 'q:keys:' .. conn, 'k1', 'k2', 'k3', 'k4', 'p')
	for i = 1, 4 do
		if k[i] and k[i] ~= '' then
			for _, id in ipairs(call('SMEMBERS', P .. 'q:run:' .. k[i])) do
				if call('HEXISTS', P .. 'q:held', id) == 0 then
					free_slots(k[i], { id })
					mended = mended + 1
				end
			end
		end
	end
	if call('EXISTS', P .. 'q:c:' .. conn) == 1 and not call('ZSCORE', P .. 'q:sleep', conn)
		and not call('ZSCORE', P .. 'q:ring', conn) then
		take_turn(conn)
	end
	if k[5] ~= '1' and call('HEXISTS', P .. 'q:keys:' .. conn, 'p') == 1 then
		call('ZADD', P .. 'sched', 'NX', now, conn)
	end
end
local page = call('ZSCAN', P .. 'ix:' .. conn .. ':' .. part, cursor, 'COUNT', 200)
for i = 1, #page[2], 2 do
	mend(page[2][i])
end
return { page[1], mended }
