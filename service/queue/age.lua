-- age.lua: what is at rest grows old: after the first retention a transfer loses its timeline and the fields that only a run
-- needs; the business key stays, so that nothing is sent twice (DESIGN §4.8), until the second, which is years. A bounded part
-- per call. ARGV: prefix, connection, retention of timelines, retention of records (both ms). Answers how many were changed.
local conn, timelines_ms, records_ms = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local PART = 100
local now = now_ms()
local changed = 0

local function timeline_of(id)
	return P .. 'tl:' .. id
end

-- How far a set has been compacted stands in q:aged: ids enter it with the time of their last change, so it only moves on.
local function compact(set, name)
	local from = call('HGET', P .. 'q:aged', name) or '-inf'
	local page = call('ZRANGEBYSCORE', set, '(' .. from, now - timelines_ms, 'WITHSCORES', 'LIMIT', 0, PART)
	local last = page[#page]
	if not last then
		return
	end
	local ids = {}
	for i = 1, #page, 2 do
		if page[i + 1] ~= last then
			ids[#ids + 1] = page[i]
		end
	end
	-- The last moment whole, since the next part begins behind it.
	for _, id in ipairs(call('ZRANGEBYSCORE', set, last, last)) do
		ids[#ids + 1] = id
	end
	for _, id in ipairs(ids) do
		call('UNLINK', timeline_of(id))
		call('HDEL', P .. 't:' .. id, 'wh', 'fp', 'rl', 'fs', 'fa', 'fw', 'fh')
	end
	call('HSET', P .. 'q:aged', name, last)
	changed = changed + #ids
end

local function forget(set)
	for _, id in ipairs(call('ZRANGEBYSCORE', set, '-inf', now - records_ms, 'LIMIT', 0, PART)) do
		-- A look at it that ends now makes it young again.
		if call('HEXISTS', P .. 'q:held', id) == 0 then
			unfollow(conn, id)
			drop_number(conn, id, call('HGET', P .. 't:' .. id, 'no'))
			call('UNLINK', P .. 't:' .. id, timeline_of(id))
			call('ZREM', set, id)
			changed = changed + 1
		end
	end
end

for _, state in ipairs({ 'done', 'skipped', 'cancelled' }) do
	local set = P .. 'ix:' .. conn .. ':' .. state
	forget(set)
	compact(set, conn .. ':' .. state)
end
return changed
