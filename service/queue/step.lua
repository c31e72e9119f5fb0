-- step.lua: the steps of a delivery (DESIGN §4.5), under the fence; every use extends the lease.
-- ARGV: prefix, id, fence, lease ms, verb, step, value, delivers '1', and is followed by the value '2', else ''. Answers {'LOST'} or {'OK', intent ms, outcome,
-- lookups, last look-up ms, now, what the intent was about}; for 'back' {'OK', 1 when it came back, generation}.
local id, fence, lease, verb, step, value = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]
local now = now_ms()
local held = call('HGET', P .. 'q:held', id)
if not held or read_held(held) ~= fence or not call('ZSCORE', P .. 'q:leases', batch_of(fence)) then
	return { 'LOST' }
end
call('ZADD', P .. 'q:leases', 'XX', now + lease, batch_of(fence))
if verb == 'check' then
	return { 'OK' }
end
local key = record_key(id)
local r = call('HMGET', key, 'g', 'c', 'no')
local name = '.' .. (r[1] or '1') .. '.' .. step
if verb == 'intent' then
	call('HSET', key, 'i' .. name, now)
	call('HDEL', key, 'o' .. name, 'l' .. name, 'a' .. name)
	if value ~= '' then
		call('HSET', key, 'a' .. name, value)
	end
elseif verb == 'outcome' then
	call('HSETNX', key, 'i' .. name, now)
	call('HSET', key, 'o' .. name, value)
	if ARGV[8] ~= '' then
		call('HSET', key, 'dl', 1)
	end
	if ARGV[8] == '2' then
		drop_target_key(r[2], id)
		call('HSET', key, 'fk', value)
		call('HSET', P .. 'fk:' .. r[2], value, id)
	end
elseif verb == 'clear' then
	call('HDEL', key, 'i' .. name, 'o' .. name, 'l' .. name, 'a' .. name)
elseif verb == 'lookup' then
	local n = tonumber(string.match(call('HGET', key, 'l' .. name) or '0:0', '^%d+')) + 1
	call('HSET', key, 'l' .. name, n .. ':' .. now)
elseif verb == 'number' then
	put_number(r[2], id, r[3], value)
elseif verb == 'back' then
	-- The document came back from the failed status, whose setting is this step (DESIGN §4.8). Delivered before: the next
	-- generation begins. Not delivered: this one goes on, its open intents with it. One that is done was moved on from
	-- there by a person: it is looked up, never sent again.
	local f = call('HMGET', key, 'o' .. name, 'dl')
	local _, c, again = read_held(held)
	local back = f[1] and c.was ~= 'done'
	if back and f[2] then
		next_generation(c.conn, id)
		call('HSET', P .. 'q:held', id, (again and '+' or '')
			.. hold(fence, c.was, 1, now, c.rev, string.gsub(c.had, '[etuvw]', ''), c.conn .. '\n' .. c.keys))
	else
		call('HDEL', key, 'i' .. name, 'o' .. name, 'l' .. name)
	end
	return { 'OK', back and 1 or 0, call('HGET', key, 'g') }
elseif verb == 'get' then
	local f = call('HMGET', key, 'i' .. name, 'o' .. name, 'l' .. name, 'a' .. name)
	local n, last = string.match(f[3] or '0:0', '^(%d+):(%d+)$')
	return { 'OK', f[1] or '', f[2], n, last, now, f[4] or '' }
end
return { 'OK' }
