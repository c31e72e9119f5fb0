-- intake.lua: dedup mark, record, index and queue entry of a batch (DESIGN §4.2). The hot path: one command per new item;
-- whether any is known is asked once, and the sorted sets are written once per connection.
-- ARGV: prefix, epoch, then groups: connection, kind, origin, found ('1': seen by a poll), for how many s a webhook id is
-- remembered, width, count, and count times the first width of: id, source id, mark of the webhook id, changed, number (not
-- sent: '').
-- Answers EPOCH, or a string, one letter per item: N new, K known and queued or marked, S seen, R replay.
-- A replay has the body of the first and so meets the same record: the record keeps the marks, 'wh' = "mark:until (s) ...".
if not knows_all(ARGV[2]) then
	return EPOCH
end
local now = now_ms()
local NOW = string.format('%.0f', now) -- Redis turns a number into text much more slowly
local MARKS_MAX, RELOOK_MS = 64, 600000
local ready, listed, made, letters, judged = {}, {}, {}, {}, {}

-- What stands behind a mark that is remembered for so long.
local stamps = {}
local function stamp_of(seconds)
	local stamp = stamps[seconds]
	if not stamp then
		stamp = string.format(':%08x ', now / 1000 + tonumber(seconds))
		stamps[seconds] = stamp
	end
	return stamp
end

-- Adds score and member for one ZADD per connection.
local function add(lists, conn, score, id)
	local list = lists[conn]
	if not list then
		list = {}
		lists[conn] = list
	end
	list[#list + 1] = score
	list[#list + 1] = id
end

-- The marks that still count; nil when this one is among them.
local function other_marks(marks, mark)
	local kept = {}
	for other, seconds in string.gmatch(marks or '', '(%x+):(%x+)') do
		if now / 1000 < tonumber(seconds, 16) then
			if other == mark then
				return nil
			end
			kept[#kept + 1] = other .. ':' .. seconds .. ' '
		end
	end
	if #kept >= MARKS_MAX then
		table.remove(kept, 1)
	end
	return table.concat(kept)
end

local function make(conn, kind, origin, id, key, source, mark, changed, number, score)
	if mark ~= '' then
		call('HSET', key, 'st', 'queued', 'c', conn, 'k', kind, 's', source, 'g', '1', 'rv', '1', 'ca', NOW, 'ua', NOW,
			'or', origin, 'wh', mark)
	else
		call('HSET', key, 'st', 'queued', 'c', conn, 'k', kind, 's', source, 'g', '1', 'rv', '1', 'ca', NOW, 'ua', NOW,
			'or', origin)
	end
	if changed ~= '' then
		call('HSET', key, 'ch', changed)
	end
	if number ~= '' then
		put_number(conn, id, nil, number)
	end
	add(listed, conn, NOW, id)
	add(ready, conn, score, id)
	made[id] = true
end

local function known(id, key, r, found, moved, has_stamp)
	local state, ua, relook, by_person = r[1], tonumber(r[3]), tonumber(r[4] or 0), r[7]
	local news = moved or not found
	if look_again(id, news) then
		return news and 'K' or 'S'
	end
	if state == 'queued' then
		return found and 'S' or 'K'
	end
	if state == 'in_doubt' or state == 'following' then
		return news and 'K' or 'S'
	end
	-- Seen again is no news of what was left unsent; what a person cancelled only a hint or a person wakes. What was skipped
	-- at a source without change stamps may have moved.
	if state == 'cancelled' then
		if r[9] then -- its connection was deleted, and is there again
			call('HDEL', key, 'cd', 'ec')
			return 'K', 'queued'
		end
		if found and (by_person or not moved) then
			return 'S'
		end
		return 'K', 'queued'
	end
	if state == 'skipped' then
		if not news and has_stamp then
			return 'S'
		end
		return 'K', 'queued'
	end
	if state == 'system_fault' then
		if not news then
			return 'S'
		end
		return 'K', 'queued'
	end
	if state == 'waiting' or state == 'retrying' then
		if found then
			return 'S'
		end
		return 'K', 'queued'
	end
	if state == 'needs_data' then
		if not news then
			return 'S'
		end
		return 'K', 'needs_data'
	end
	if state == 'done' then
		if found and now - math.max(ua, relook) < RELOOK_MS then
			return 'S'
		end
		call('HSET', key, 'rl', NOW)
		return 'K', 'done'
	end
	return 'S'
end

local function take(conn, kind, origin, found, id, key, source, mark, changed, number, score, stamp)
	local r = call('HMGET', key, 'st', 'ch', 'ua', 'rl', 'no', 'wh', 'cx', 'fv', 'cd')
	if not r[1] then
		make(conn, kind, origin, id, key, source, mark ~= '' and mark .. stamp or mark, changed, number, score)
		return 'N'
	end
	if mark ~= '' then
		local marks = other_marks(r[6], mark)
		if not marks then
			return 'R'
		end
		call('HSET', key, 'wh', marks .. mark .. stamp)
	end
	local moved = changed ~= '' and changed ~= r[2]
	local letter, to = known(id, key, r, found, moved, changed ~= '')
	if moved then
		call('HSET', key, 'ch', changed)
	end
	if number ~= '' then
		put_number(conn, id, r[5], number)
	end
	if to then
		if to ~= r[1] then
			call('HSET', key, 'st', to, 'ua', NOW)
			if r[1] ~= 'waiting' and r[1] ~= 'retrying' then
				call('HDEL', key, 'ft', 'cx') -- its tries begin anew
			end
			call('HINCRBY', key, 'rv', 1)
			index(conn, id, r[1], to, NOW)
		end
		call('HDEL', key, 'due')
		call('ZREM', P .. 'q:delayed', id)
		local is_judged = r[8] and is_paused(conn)
		add(ready, conn, is_judged and VERDICT_PLACE or score, id)
		judged[conn] = judged[conn] or is_judged
	end
	return letter
end

-- Calls each(group's first argument, item's first argument, width) for all items.
local function walk(each)
	local a = 3
	while a < #ARGV do
		local group, width = a, tonumber(ARGV[a + 5])
		a = a + 7
		for _ = 1, tonumber(ARGV[group + 6]) do
			each(group, a, width)
			a = a + width
		end
	end
end

local keys = {}
walk(function(_, a)
	keys[#keys + 1] = P .. 't:' .. ARGV[a]
end)
local all_new = call('EXISTS', unpack(keys)) == 0
local seq = 1000 + call('INCRBY', P .. 'q:seq', #keys) - #keys
local place = 0
walk(function(g, a, width)
	local conn, kind, origin, id = ARGV[g], ARGV[g + 1], ARGV[g + 2], ARGV[a]
	local mark, changed, number = width > 2 and ARGV[a + 2] or '', width > 3 and ARGV[a + 3] or '', width > 4 and ARGV[a + 4] or ''
	place = place + 1
	local key, score = keys[place], string.format('%d', seq + place)
	local stamp = stamp_of(ARGV[g + 4])
	if all_new and not made[id] then
		make(conn, kind, origin, id, key, ARGV[a + 1], mark ~= '' and mark .. stamp or mark, changed, number, score)
		letters[place] = 'N'
	else
		letters[place] = take(conn, kind, origin, ARGV[g + 3] == '1', id, key, ARGV[a + 1], mark, changed, number, score, stamp)
	end
end)
for conn, list in pairs(listed) do
	call('ZADD', P .. 'ix:' .. conn .. ':active', unpack(list))
end
local any = false
for conn, list in pairs(ready) do
	call('ZADD', P .. 'q:c:' .. conn, 'NX', unpack(list))
	-- A paused one takes its turn when it is started again, but for news of what was sent.
	if judged[conn] or not is_paused(conn) then
		take_turn(conn)
		any = true
	end
end
if any then
	wake()
end
return table.concat(letters)
