-- mend.lua: the reconciler: compares the records of a connection with queue, delays, leases and ring, a bounded part per
-- call. ARGV: prefix, connection, bucket, cursor, quiet ms. Answers {next cursor ('0': bucket done), mended}.
local conn, part, cursor, quiet = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local now = now_ms()
local mended = 0

local function is_placed(id)
	return call('ZSCORE', P .. 'q:c:' .. conn, id) or call('HEXISTS', P .. 'q:held', id) == 1
		or call('ZSCORE', P .. 'q:delayed', id)
end

-- In the rounds of follow-up, and not for a time that only a clock which jumped can have written.
local FOLLOW_MAX_MS = 2 * 86400000
local function mend_follow(id, due, has_news, target_key)
	if target_key then
		call('HSETNX', P .. 'fk:' .. conn, target_key, id)
	end
	due = math.min(tonumber(due), now + FOLLOW_MAX_MS)
	local planned = call('ZSCORE', P .. 'q:fo:' .. conn, id)
	if not planned or tonumber(planned) > due then
		follow(conn, { due, id }, due)
		mended = mended + 1
	end
	if has_news and not is_placed(id) then
		enqueue_verdict(conn, id)
		mended = mended + 1
	end
end

local function mend_watched(id)
	local r = call('HMGET', P .. 't:' .. id, 'st', 'fu', 'fd', 'fv', 'fk')
	if r[1] == 'done' and r[2] then
		mend_follow(id, r[3] or now, r[4], r[5])
	else
		call('ZREM', P .. 'ix:' .. conn .. ':watched', id)
	end
end

local function mend(id)
	local key = P .. 't:' .. id
	local r = call('HMGET', key, 'st', 'due', 'fd', 'fv', 'fk')
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
	if state == 'following' and r[3] then
		mend_follow(id, r[3], r[4], r[5])
		return
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
		(r[4] and enqueue_verdict or enqueue)(conn, id)
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
	if k[5] == '0' then
		call('ZADD', P .. 'sched', 'NX', now, conn)
	end
	if not call('ZSCORE', P .. 'q:follow', conn) then
		plan_round(conn, now, now)
	end
end
local page = call('ZSCAN', P .. 'ix:' .. conn .. ':' .. part, cursor, 'COUNT', 200)
for i = 1, #page[2], 2 do
	if part == 'watched' then
		mend_watched(page[2][i])
	else
		mend(page[2][i])
	end
end
return { page[1], mended }
