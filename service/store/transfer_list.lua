-- transfer_list.lua: a page of transfers, newest update first, over connections and states.
-- ARGV: prefix, limit, since ms, until ms, cursor ms ('' none), cursor id, states (',queued,done,'), error code or '', number
-- or '', kind or '', number of buckets, buckets, connections. Every sorted set is read from its newest member on, no further
-- than it is needed: what is newest among all is taken next. A call looks at a bounded number of records, and where it stops
-- the next begins, so that many connections do not hold Redis up.
-- Answers {cursor ms or '', cursor id, {id, fields ...}, ...}.
local limit, since, upto = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local from, from_id, states, code, number = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local kind, n_buckets = ARGV[10], tonumber(ARGV[11])
local first_conn = 12 + n_buckets
local MAX_LOOKS, MAX_PAGE = 1000, 64
local FIELDS = { 'st', 'c', 'k', 's', 'g', 'try', 'rv', 'ca', 'ua', 'due', 'dl', 'no', 'or', 'ch', 'hash', 'ec', 'e' }
local top = from ~= '' and math.min(upto, tonumber(from)) or upto

local function before(ms_a, id_a, ms_b, id_b)
	return ms_a > ms_b or (ms_a == ms_b and id_a > id_b)
end

local function is_ahead(ms, id)
	return from == '' or before(tonumber(from), from_id, ms, id)
end

-- A source is {ms, id: its newest member that is not taken yet, set, page, place in the page, offset of the page, size}.
-- Moves on to the next member; false: there is none.
local function advance(s)
	s.i = s.i + 2
	while true do
		while s.i < #s.page do
			local ms = tonumber(s.page[s.i + 1])
			if is_ahead(ms, s.page[s.i]) then
				s[1], s[2] = ms, s.page[s.i]
				return true
			end
			s.i = s.i + 2
		end
		if #s.page < 2 * s.size then
			return false
		end
		s.offset, s.size = s.offset + s.size, math.min(MAX_PAGE, s.size * 4)
		s.page = call('ZREVRANGEBYSCORE', s.set, top, since, 'WITHSCORES', 'LIMIT', s.offset, s.size)
		s.i = 1
	end
end

-- The sources as a heap, newest first.
local heap = {}

local function sink(i)
	local n, s = #heap, heap[i]
	while true do
		local child = 2 * i
		if child > n then
			break
		end
		if child < n and before(heap[child + 1][1], heap[child + 1][2], heap[child][1], heap[child][2]) then
			child = child + 1
		end
		if not before(heap[child][1], heap[child][2], s[1], s[2]) then
			break
		end
		heap[i] = heap[child]
		i = child
	end
	heap[i] = s
end

local function open(set)
	local page = call('ZREVRANGEBYSCORE', set, top, since, 'WITHSCORES', 'LIMIT', 0, 2)
	if page[1] then
		local s = { set = set, page = page, i = -1, offset = 0, size = 2 }
		if advance(s) then
			heap[#heap + 1] = s
		end
	end
end

-- By number: the few transfers that bear it.
local function open_number(conn)
	for id in string.gmatch(call('HGET', P .. 'no:' .. conn, number) or '', '[^,]+') do
		local ms = tonumber(call('HGET', P .. 't:' .. id, 'ua') or 0)
		if ms >= since and ms <= upto and is_ahead(ms, id) then
			heap[#heap + 1] = { ms, id, page = {}, i = 0, offset = 0, size = 1 }
		end
	end
end

-- The newest of all that is left.
local function take()
	local s = heap[1]
	local ms, id = s[1], s[2]
	if not advance(s) then
		heap[1] = heap[#heap]
		heap[#heap] = nil
	end
	if heap[1] then
		sink(1)
	end
	return ms, id
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
	if (code ~= '' and r[16] ~= code) or (number ~= '' and r[12] ~= number) or (kind ~= '' and r[3] ~= kind) then
		return nil
	end
	local row = { id }
	for i = 1, #FIELDS do
		row[i + 1] = r[i] or ''
	end
	row[#row + 1] = held and '1' or ''
	return row
end

for a = first_conn, #ARGV do
	if number ~= '' then
		open_number(ARGV[a])
	else
		for b = 12, 11 + n_buckets do
			open(P .. 'ix:' .. ARGV[a] .. ':' .. ARGV[b])
		end
	end
end
for i = math.floor(#heap / 2), 1, -1 do
	sink(i)
end
local answer = { '', '' }
for looks = 1, MAX_LOOKS do
	if not heap[1] then
		return answer
	end
	local ms, id = take()
	answer[#answer + 1] = look(id)
	if #answer - 2 >= limit or looks == MAX_LOOKS then
		if heap[1] then
			answer[1], answer[2] = string.format('%.0f', ms), id
		end
		return answer
	end
end
return answer
