-- transfer_list.lua: a page of transfers, newest update first, over connections and states.
-- ARGV: prefix, limit, since ms, until ms, cursor ms ('' none), cursor id, states (',queued,done,'), error code or '', number
-- or '', number of buckets, buckets, connections. First the newest ids of every set, then their records in order: a call looks at
-- a bounded number of both, and where it stops the next begins, so that many connections do not hold Redis up.
-- Answers {cursor ms or '', cursor id, {id, fields ...}, ...}.
local limit, since, upto = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local from, from_id, states, code, number = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local n_buckets = tonumber(ARGV[10])
local first_conn = 11 + n_buckets
local MAX_IDS, MAX_LOOKS = 20000, 3000
local FIELDS = { 'st', 'c', 'k', 's', 'g', 'try', 'rv', 'ca', 'ua', 'due', 'dl', 'no', 'or', 'ch', 'hash', 'ec', 'e' }
local found = {}
-- What lies behind this place has not been looked at in every set.
local edge_ms, edge_id

local function before(ms_a, id_a, ms_b, id_b)
	return ms_a > ms_b or (ms_a == ms_b and id_a > id_b)
end

local function stop_at(ms, id)
	if not edge_ms or before(ms, id, edge_ms, edge_id) then
		edge_ms, edge_id = ms, id
	end
end

local function is_ahead(ms, id)
	return from == '' or before(tonumber(from), from_id, ms, id)
end

local function walk(set, share)
	local top = from ~= '' and math.min(upto, tonumber(from)) or upto
	local offset, seen = 0, 0
	while true do
		local page = call('ZREVRANGEBYSCORE', set, top, since, 'WITHSCORES', 'LIMIT', offset, 100)
		for i = 1, #page, 2 do
			local id, ms = page[i], tonumber(page[i + 1])
			if is_ahead(ms, id) then
				found[#found + 1] = { ms, id }
				seen = seen + 1
				if seen >= share then
					stop_at(ms, id)
					return
				end
			end
		end
		if #page < 200 then
			return
		end
		offset = offset + 100
	end
end

-- By number: the few transfers that bear it.
local function by_number(conn)
	for id in string.gmatch(call('HGET', P .. 'no:' .. conn, number) or '', '[^,]+') do
		local ms = tonumber(call('HGET', P .. 't:' .. id, 'ua') or 0)
		if ms >= since and ms <= upto and is_ahead(ms, id) then
			found[#found + 1] = { ms, id }
		end
	end
end

-- The record as a row, or nil when it is not asked for.
local function look(id)
	local r = call('HMGET', P .. 't:' .. id, unpack(FIELDS))
	local held = call('HEXISTS', P .. 'q:held', id) == 1
	-- What is done or needs data stands while somebody looks again.
	if r[1] and held and r[1] ~= 'done' and r[1] ~= 'needs_data' then
		r[1] = 'running'
	end
	if not r[1] or not string.find(states, ',' .. r[1] .. ',', 1, true) then
		return nil
	end
	if (code ~= '' and r[16] ~= code) or (number ~= '' and r[12] ~= number) then
		return nil
	end
	local row = { id }
	for i = 1, #FIELDS do
		row[i + 1] = r[i] or ''
	end
	row[#row + 1] = held and '1' or ''
	return row
end

local sets = (#ARGV - first_conn + 1) * n_buckets
local share = math.min(2000, math.max(8, math.floor(MAX_IDS / math.max(1, sets))))
for a = first_conn, #ARGV do
	if number ~= '' then
		by_number(ARGV[a])
	else
		for b = 11, 10 + n_buckets do
			walk(P .. 'ix:' .. ARGV[a] .. ':' .. ARGV[b], share)
		end
	end
end
table.sort(found, function(x, y)
	return before(x[1], x[2], y[1], y[2])
end)
local answer = { '', '' }
for i, place in ipairs(found) do
	if edge_ms and before(edge_ms, edge_id, place[1], place[2]) then
		break
	end
	if #answer - 2 >= limit or i > MAX_LOOKS then
		edge_ms, edge_id = found[i - 1][1], found[i - 1][2]
		break
	end
	answer[#answer + 1] = look(place[2])
end
if edge_ms then
	answer[1], answer[2] = string.format('%.0f', edge_ms), edge_id
end
return answer
