-- run_intend.lua: the intents of a page of creations, in one write (DESIGN §4.6), with the leases of their records.
-- ARGV: as run_hold.lua, then table, side ('L'/'R'), ms of a record lease, when the target was walked (ms; '': it was not), then
-- id and lease name ('': none) per record. Answers 'LOST', or a letter per record: G go, F find first, B busy, L linked, T twin
-- of one before it.
-- include run_hold
if not is_ours() then
	return 'LOST'
end
local links, side, ttl, walked = ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10] or '')
local FIRST = 11
local letters, set, names = {}, {}, {}

local function is_linked(id)
	if side == 'L' then
		return call('HEXISTS', P .. 'lk:' .. links, id) == 1
	end
	return call('HEXISTS', P .. 'lr:' .. links, id) == 1
end

-- Another job's lease since the walk may have made the record. The holder is a record of this run: two that want to be
-- the same one at the target are not made side by side.
local function take_record(id, name)
	if name == '' then
		return walked and 'G' or 'F'
	end
	local key = P .. 'rec:' .. name
	local holder = call('GET', key)
	local ours = run .. ' ' .. id
	if names[name] then
		return 'T'
	end
	names[name] = true
	if holder and holder ~= ours then
		return 'B'
	end
	local last = tonumber(call('ZSCORE', P .. 'recs', name) or 0)
	call('SET', key, ours, 'PX', ttl)
	if walked and last < walked then
		call('ZADD', P .. 'recs', now, name)
		return 'G'
	end
	return 'F'
end

for a = FIRST, #ARGV, 2 do
	local letter = is_linked(ARGV[a]) and 'L' or take_record(ARGV[a], ARGV[a + 1])
	if letter == 'G' or letter == 'F' then
		set[#set + 1] = side .. ARGV[a]
		set[#set + 1] = NOW .. ' 0 0'
	end
	letters[#letters + 1] = letter
end
if set[1] then
	call('HSET', P .. 'li:' .. links, unpack(set))
end
call('ZREMRANGEBYSCORE', P .. 'recs', '-inf', now - 7200000)
return table.concat(letters)
