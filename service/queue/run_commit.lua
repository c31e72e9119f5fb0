-- run_commit.lua: what a page of a register run left, and where the run goes on: all of it or nothing.
-- ARGV: as run_hold.lua, then register, table, side, page ('p': it is through, 'a': it was one of records tried again, 'b': none,
-- the register begins, '': not yet), numbers of place fields, counts, state fields and links, then those: place and state (name, value), counts (name, added),
-- links (left, right, sealed rest), and per record: id, letters, record lease, reason, sealed why, ms until it is tried again or -1.
-- Letters: d drop the intent, l count a look-up, t through, s stands still, q in doubt, f count the reason, o nothing was
-- done under the record lease, k what was told of it before is told again, e it failed (mails tell of it, store/alert_scan.lua).
-- Answers 'LOST', 'OK', or 'CANCELLED': ordered, and nothing of another page is to be begun.
-- include run_hold
local reg, links, side, page = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local n_place, n_counts, n_state, n_links = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local EXAMPLES, a = 10, 15
if not is_ours() then
	return 'LOST'
end
call('HSET', RUN, 'ua', NOW, 'lost', 0, unpack(ARGV, a, a + n_place - 1))
local alarms, run_fields = P .. 'ra:' .. conn, {}
for i = a, a + n_place - 1, 2 do
	run_fields[ARGV[i]] = ARGV[i + 1]
end
if run_fields['x:' .. reg] then
	call('HSET', alarms, 'r ' .. reg, run_fields['x:' .. reg] .. '\n' .. (run_fields['y:' .. reg] or ''))
elseif run_fields['o:' .. reg] then
	call('HDEL', alarms, 'r ' .. reg)
end
a = a + n_place
for i = a, a + n_counts - 1, 2 do
	call('HINCRBY', RUN, 'n:' .. reg .. ':' .. ARGV[i], ARGV[i + 1])
end
a = a + n_counts
if n_state > 0 then
	call('HSET', P .. 'reg:' .. conn .. ':' .. reg, unpack(ARGV, a, a + n_state - 1))
end
a = a + n_state
for i = a, a + n_links - 1, 3 do
	put_link(links, ARGV[i], ARGV[i + 1], ARGV[i + 2])
end
a = a + n_links

local stands, again, doubts = P .. 'st:' .. conn .. ':' .. reg, P .. 'ag:' .. conn .. ':' .. reg, P .. 'db:' .. conn .. ':' .. reg
local intents, codes = P .. 'li:' .. links, P .. 'sc:' .. conn .. ':' .. reg
local dropped, through, over = {}, {}, {}
local has_come_on = page ~= ''

local function count_failure(id, code, why)
	local n = call('HINCRBY', RUN .. ':f', reg .. ' ' .. code, 1)
	if n <= EXAMPLES then
		call('RPUSH', RUN .. ':x', reg .. '\n' .. code .. '\n' .. id .. '\n' .. why)
	end
end

local function count_lookup(field)
	local at, n = string.match(call('HGET', intents, field) or '', '^(%d+) (%d+)')
	if at then
		call('HSET', intents, field, at .. ' ' .. n + 1 .. ' ' .. NOW)
	end
end

local function release(id, name, forgets)
	if name == '' then
		return
	end
	if call('GET', P .. 'rec:' .. name) == run .. ' ' .. id then
		call('DEL', P .. 'rec:' .. name)
	end
	if forgets then
		call('ZREM', P .. 'recs', name)
	end
end

-- How many stand still, by reason. A register of which none does is the rule.
local any_stands = call('EXISTS', stands) == 1
local function count_standing(id, code)
	local old = any_stands and string.match(call('HGET', stands, id) or '', '^([^\n]+)') or nil
	if old == code then
		return
	end
	if old and call('HINCRBY', codes, old, -1) <= 0 then
		call('HDEL', codes, old)
	end
	if code then
		call('HINCRBY', codes, code, 1)
		any_stands = true
	end
end

local function settle(id, letters, lease_name, code, why, wait)
	if string.find(letters, 'd', 1, true) then
		dropped[#dropped + 1] = side .. id
	elseif string.find(letters, 'l', 1, true) then
		count_lookup(side .. id)
	end
	release(id, lease_name, string.find(letters, 'o', 1, true))
	if string.find(letters, 'k', 1, true) then
		why = string.match(call('HGET', stands, id) or '', '^[^\n]*\n(.*)$') or why
	end
	if string.find(letters, 't', 1, true) then
		through[#through + 1] = id
		has_come_on = has_come_on or not string.find(letters, 'q', 1, true)
	end
	if string.find(letters, 'f', 1, true) then
		count_failure(id, code, why)
	end
	if not string.find(letters, 's', 1, true) then
		count_standing(id, nil)
		over[#over + 1] = id
		return
	end
	count_standing(id, code)
	if string.find(letters, 'e', 1, true) then
		call('HSET', alarms, 's ' .. reg .. ' ' .. code, id)
	end
	call('HSET', stands, id, code .. '\n' .. why)
	call('ZREM', again, id)
	call('ZREM', doubts, id)
	if wait >= 0 then
		call('ZADD', string.find(letters, 'q', 1, true) and doubts or again, now + wait, id)
	end
end

for i = a, #ARGV, 6 do
	settle(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], tonumber(ARGV[i + 5]))
end
if dropped[1] then
	call('HDEL', intents, unpack(dropped))
end
if over[1] then
	call('HDEL', stands, unpack(over))
	call('ZREM', again, unpack(over))
	call('ZREM', doubts, unpack(over))
end
-- Of a page that is met again, those that are settled are passed over; of what is tried again before the listing, too.
if page ~= '' then
	call('DEL', RUN .. ':p')
end
-- Ids are unique within one register only.
if page == 'b' then
	call('DEL', RUN .. ':a')
end
-- A page that is cut again and again for the same outage does not come on: its waits grow, and are counted from the first.
if has_come_on then
	call('HSET', RUN, 'tries', 0, 'fs', 0)
end
if through[1] and (page == 'a' or page == '') then
	call('SADD', RUN .. (page == 'a' and ':a' or ':p'), unpack(through))
end
return call('HEXISTS', RUN, 'cx') == 1 and 'CANCELLED' or 'OK'
